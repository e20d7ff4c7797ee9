"""The weights that the package ships: where they lie, and the check that they are the ones they should be."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from posetwin.errors import PosetwinError

WEIGHTS = Path(__file__).parent / "mini" / "weights"
HASHES = "hashes.json"
# What `adapter.path` may name instead of a folder: primaries for control maps of limbs, and of dots.
ADAPTERS = {"mini": "adapter", "mini-dots": "adapter-dots"}


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def list_files(root: Path) -> list[Path]:
    """All files under `root` but the list of hashes itself, in a stable order."""
    return sorted(p for p in root.rglob("*") if p.is_file() and p.name != HASHES)


def write_hashes(root: Path) -> None:
    """Write `root`/hashes.json: file (relative, with forward slashes) -> sha256."""
    hashes = {p.relative_to(root).as_posix(): sha256(p) for p in list_files(root)}
    (root / HASHES).write_text(json.dumps(hashes, indent=2) + "\n")


def checked_folder(part: str, root: Path = WEIGHTS) -> Path:
    """The folder `root`/`part` after its files are compared with `root`/hashes.json.

    Raises PosetwinError: missing_weights (no such folder, list or file), wrong_weights (a file's sha256 differs).
    """
    hint = "reinstall the package, or retrain with: npm run mini:train"
    folder, listed = root / part, root / HASHES
    if not folder.is_dir() or not listed.is_file():
        raise PosetwinError("missing_weights", f"no shipped weights in {folder}", hint)
    for name, expected in json.loads(listed.read_text()).items():
        if not name.startswith(f"{part}/"):
            continue
        if not (root / name).is_file():
            raise PosetwinError("missing_weights", f"{root / name} is listed in {HASHES} but does not exist", hint)
        if sha256(root / name) != expected:
            raise PosetwinError("wrong_weights", f"{root / name} is not the file that was shipped (sha256)", hint)
    return folder
