"""Stage `install`: the packed models in place of the shipped ones. Only run by name: what is shipped is committed."""

from __future__ import annotations

import shutil
from pathlib import Path

from posetwin.shipped import WEIGHTS


def run(folder: Path, deadline: float) -> bool:
    fresh = WEIGHTS.with_name(f"{WEIGHTS.name}.partial")
    shutil.rmtree(fresh, ignore_errors=True)
    shutil.copytree(folder / "pack", fresh)
    shutil.rmtree(WEIGHTS)
    fresh.rename(WEIGHTS)
    return True
