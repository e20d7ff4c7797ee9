"""Sources for tests, and what is listed of them."""

from __future__ import annotations

import json
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from pydantic import TypeAdapter

from posetwin.contracts import Source
from posetwin.data.sources import PictureSource, list_pictures
from posetwin.data.sources.listed import Fault, IndexedPicture

_DEFAULTS: dict[str, dict[str, Any]] = {
    "folder": {},
    "classes": {"caption": "a person, {class}"},
    "imagefolder": {"keypoints": "annotations"},
    "mpii": {"keypoints": "annotations", "annotations": None, "caption": "a person, {class}"},
    "coco": {"keypoints": "annotations", "captions": None},
    "datasets": {"image_column": "image", "caption_column": "text"},
    "webdataset": {"keypoints": "annotations"},
}


def source_of(kind: str, path: Path, **settings: Any) -> PictureSource:
    common = {"kind": kind, "path": str(path), "weight": 1, "caption": "a person", "detector": "full"}
    return TypeAdapter(Source).validate_python({**common, **_DEFAULTS[kind], **settings})


def pictures_and_faults(source: PictureSource) -> tuple[list[IndexedPicture], list[tuple[str, str]]]:
    """What is listed, and name and code of what is not."""
    entries = list(list_pictures(source))
    faults = [(entry.name, entry.code) for entry in entries if isinstance(entry, Fault)]
    return [entry for entry in entries if isinstance(entry, IndexedPicture)], faults


def names_of(source: PictureSource) -> list[str]:
    pictures, faults = pictures_and_faults(source)
    assert faults == []
    return [picture.name for picture in pictures]


def touch(root: Path, *names: str, content: bytes = b"picture") -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(content)


def write_lines(path: Path, *records: Any) -> None:
    path.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")


def png(shade: int) -> bytes:
    buffer = BytesIO()
    Image.fromarray(np.full((8, 6, 3), shade, dtype=np.uint8)).save(buffer, format="PNG")
    return buffer.getvalue()


def some_keypoints(first: float = 0) -> list[list[float]]:
    """18×3; keypoint k at (first + k, 100 + k), seen."""
    return [[first + k, 100 + k, 2] for k in range(18)]
