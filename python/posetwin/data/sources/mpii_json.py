"""MPII's annotations as converted to JSON: a list with one entry for each person.

Entries have image, center (x, y), scale, joints (16 of x, y) and joints_vis (16 of 0 or 1); coordinates are 1-based as
in the published file, and an absent joint is (-1, -1) with 0. Entries without joints are of the test set.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from posetwin.data.sources.listed import Fault, attempt
from posetwin.data.sources.mpii_people import MpiiImage, MpiiPerson
from posetwin.data.sources.texts import load_json
from posetwin.errors import PosetwinError

_EXPECTED = "a list of image, center, scale, joints (16×2), joints_vis (16), one entry for each person"


def _joints(entry: dict[str, Any]) -> np.ndarray | None:
    if entry.get("joints") is None:
        return None
    try:
        places = np.asarray(entry["joints"], dtype=np.float64).reshape(16, 2) - 1
        seen = np.asarray(entry["joints_vis"], dtype=np.float64).reshape(16, 1)
    except (KeyError, ValueError, TypeError, OverflowError) as error:
        raise PosetwinError("bad_keypoints", f"joints or joints_vis are not 16×2 and 16 numbers: {error}") from error
    return np.concatenate([places, np.where(seen > 0, 2, 0)], axis=1)


def _person(entry: dict[str, Any]) -> MpiiPerson:
    try:
        x, y = (float(value) for value in entry["center"])
        scale = float(entry["scale"])
    except (KeyError, ValueError, TypeError) as error:
        raise PosetwinError("bad_annotations", f"center and scale are not two numbers and one: {error}") from error
    return MpiiPerson(_joints(entry), (x - 1, y - 1), scale)


def _image(name: str, entries: list[dict[str, Any]]) -> MpiiImage:
    return MpiiImage(name, [_person(entry) for entry in entries])


def _found(content: Any) -> str | None:
    """What the file holds, where that is not what is expected."""
    if not isinstance(content, list) or not content:
        return f"an object of {', '.join(content) or 'nothing'}" if isinstance(content, dict) else "an empty list"
    first = content[0]
    if not isinstance(first, dict):
        return f"a list of {type(first).__name__}"
    if "image" not in first or ("joints" in first) != ("joints_vis" in first):
        return f"a list of {', '.join(first) or 'nothing'}"
    joints = first.get("joints")
    return f"{len(joints)} joints" if isinstance(joints, list) and len(joints) != 16 else None


def _by_image(path: Path) -> dict[str, list[dict[str, Any]]]:
    content = load_json(path)
    found = _found(content)
    if found is not None:
        hint = "for COCO's form use kind: coco"
        raise PosetwinError("bad_annotations", f"{path} holds {found}, not {_EXPECTED}", hint)
    people: dict[str, list[dict[str, Any]]] = {}
    for number, entry in enumerate(content):
        if not isinstance(entry, dict) or not isinstance(entry.get("image"), str):
            raise PosetwinError("bad_annotations", f"{path}: entry {number} (from 0) names no image")
        people.setdefault(entry["image"], []).append(entry)
    return people


def read_json(path: Path) -> Iterator[MpiiImage | Fault]:
    """In the file's order. Raises PosetwinError: missing_file, bad_annotations (another kind of file)."""
    for name, entries in _by_image(path).items():
        yield attempt(name, _image, name, entries)
