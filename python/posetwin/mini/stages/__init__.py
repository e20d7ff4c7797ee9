"""The stages in which the mini models are trained, one file each: `run(folder, deadline) -> done`."""
