"""Where BlazePose's files lie: an argument, an environment variable, or the npm package that carries them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from posetwin.errors import PosetwinError

FOLDER_VARIABLE = "POSETWIN_BLAZEPOSE_DIR"
PACKAGE = Path("node_modules", "@mediapipe", "pose")
# The package's asset bundle holds one file and no header: it is pose_detection.tflite itself.
PERSON_FILE = "pose_solution_packed_assets.data"


def landmark_file(variant: str) -> str:
    """The name of the landmark network's file: `lite`, `full` or `heavy`."""
    return f"pose_landmark_{variant}.tflite"


def _folders(folder: Path | str | None) -> Iterator[Path]:
    named = folder or os.environ.get(FOLDER_VARIABLE)
    if named:
        yield Path(named)
        return
    for start in (Path(__file__).resolve().parent, Path.cwd()):
        yield from (parent / PACKAGE for parent in (start, *start.parents))


def find_weights(name: str, folder: Path | str | None = None) -> Path:
    """The file `name` in `folder`, else in $POSETWIN_BLAZEPOSE_DIR, else in the npm package of a parent folder.

    A folder that is named is the only one looked at. Raises PosetwinError: missing_weights.
    """
    searched = list(_folders(folder))
    found = next((place / name for place in searched if (place / name).is_file()), None)
    if found is None:
        where = searched[0] if len(searched) == 1 else f"{PACKAGE} of any parent folder"
        hint = f"run npm ci, which installs @mediapipe/pose, or name its folder in {FOLDER_VARIABLE}"
        raise PosetwinError("missing_weights", f"BlazePose's {name} is not in {where}", hint)
    return found
