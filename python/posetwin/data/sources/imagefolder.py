"""A folder with metadata.jsonl, as `datasets` and the scripts of diffusers read it."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from posetwin.contracts import ImagefolderSource
from posetwin.data.sources.joints import annotated, openpose18
from posetwin.data.sources.listed import Fault, Listed, attempt
from posetwin.data.sources.texts import clean_class, clean_text, parse_record
from posetwin.errors import PosetwinError

METADATA = "metadata.jsonl"


def _metadata_files(root: Path) -> list[str]:
    """The one of the folder, or those of its subfolders (splits), relative to it."""
    if (root / METADATA).is_file():
        return [METADATA]
    found = sorted(path.relative_to(root).as_posix() for path in root.glob(f"*/{METADATA}"))
    if not found:
        raise PosetwinError(
            "missing_file",
            f"{root} holds no {METADATA}, nor do its folders",
            'a line for each picture, {"file_name": "0.png", "text": "a person"}; without captions use kind: folder',
        )
    return found


def _file_of(folder: str, record: dict[str, Any]) -> str:
    name = record.get("file_name")
    if not isinstance(name, str) or not name:
        found = ", ".join(record) or "none"
        raise PosetwinError("bad_annotations", f"the line has no file_name (its keys: {found})")
    # `./a.jpg` and `a.jpg` are one file; a path that leads upwards stays one that is refused.
    return posixpath.join(folder, name if ".." in name else posixpath.normpath(name))


def _picture(source: ImagefolderSource, name: str, record: dict[str, Any]) -> Listed:
    return Listed(
        name=name,
        file=name,
        caption=clean_text(record.get("text") or record.get("caption")),
        class_name=clean_class(record.get("class")),
        keypoints=annotated(source.keypoints, openpose18, record.get("keypoints")),
    )


def _line(source: ImagefolderSource, place: str, folder: str, line: bytes) -> Listed | Fault:
    record = attempt(place, parse_record, line)
    if isinstance(record, Fault):
        return record
    name = attempt(place, _file_of, folder, record)
    return name if isinstance(name, Fault) else attempt(name, _picture, source, name, record)


def list_imagefolder(source: ImagefolderSource) -> Iterator[Listed | Fault]:
    """Pictures in the order of the lines; other columns than file_name, text or caption, class and keypoints (18×3
    x, y, visibility) are passed over. Raises PosetwinError: missing_file."""
    root = Path(source.path)
    for metadata in _metadata_files(root):
        with (root / metadata).open("rb") as lines:
            for number, line in enumerate(lines, start=1):
                if line.strip():
                    yield _line(source, f"{metadata}:{number}", posixpath.dirname(metadata), line)
