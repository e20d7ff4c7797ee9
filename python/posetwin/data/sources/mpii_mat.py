"""MPII's annotations as published: mpii_human_pose_v1_u12_1.mat.

`RELEASE.annolist(i)` has image.name, vididx and annorect(j): scale, objpos.x, .y and annopoints.point(k): x, y
(1-based), id (0-15), is_visible. MATLAB drops dimensions, so each of these may be one struct, several, or an empty
array.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from itertools import zip_longest
from pathlib import Path
from typing import Any

import numpy as np
from scipy.io import loadmat
from scipy.io.matlab import MatReadError, mat_struct

from posetwin.data.sources.listed import Fault, attempt
from posetwin.data.sources.mpii_people import MpiiImage, MpiiPerson
from posetwin.data.sources.texts import clean_text
from posetwin.errors import PosetwinError

_NUM_JOINTS = 16
_DAMAGED = (
    *(MatReadError, OSError, ValueError, TypeError, KeyError, IndexError, EOFError, MemoryError, OverflowError),
    *(zlib.error, RecursionError),
)


def _structs(value: Any) -> list[mat_struct]:
    if isinstance(value, mat_struct):
        return [value]
    return [entry for entry in value.ravel() if isinstance(entry, mat_struct)] if isinstance(value, np.ndarray) else []


def _get(struct: mat_struct, field: str) -> Any:
    """None where the field is missing or empty."""
    value = getattr(struct, field, None)
    if not isinstance(value, np.ndarray):
        return value
    return value.reshape(-1)[0] if value.size == 1 else (value if value.size else None)


def _number(struct: mat_struct, field: str) -> float | None:
    value = _get(struct, field)
    try:
        return None if value is None or value == "" else float(value)
    except (TypeError, ValueError) as error:
        raise PosetwinError("bad_keypoints", f"{field} is {value!r}, no number") from error


def _visibility(point: mat_struct) -> int:
    # Head and neck bring none: they are annotated where they are seen.
    return 1 if _number(point, "is_visible") == 0 else 2


def _joint_of(point: mat_struct) -> tuple[int, tuple[float, float, int]]:
    x, y, joint = (_number(point, field) for field in ("x", "y", "id"))
    if x is None or y is None or joint is None or not 0 <= joint < _NUM_JOINTS:
        raise PosetwinError("bad_keypoints", f"a point has x {x}, y {y}, id {joint}, not a place and one of 0 to 15")
    return int(joint), (x - 1, y - 1, _visibility(point))


def _joints(person: mat_struct) -> np.ndarray | None:
    points = [point for holder in _structs(_get(person, "annopoints")) for point in _structs(_get(holder, "point"))]
    if not points:
        return None
    joints = np.zeros((_NUM_JOINTS, 3))
    for point in points:
        joint, place = _joint_of(point)
        joints[joint] = place
    return joints


def _person(person: mat_struct) -> MpiiPerson:
    centre = next(iter(_structs(_get(person, "objpos"))), None)
    x, y = (None, None) if centre is None else (_number(centre, "x"), _number(centre, "y"))
    place = None if x is None or y is None else (x - 1, y - 1)
    return MpiiPerson(_joints(person), place, _number(person, "scale") or 0.0)


def _text(struct: mat_struct | None, field: str) -> str:
    value = None if struct is None else _get(struct, field)
    return str(value) if isinstance(value, str) else ""


def _name_of(entry: mat_struct) -> str:
    return next((_text(image, "name") for image in _structs(_get(entry, "image"))), "")


def _image(name: str, entry: mat_struct, act: mat_struct | None) -> MpiiImage:
    if not name:
        raise PosetwinError("bad_annotations", "an entry of annolist has no image.name")
    video = _number(entry, "vididx")
    people = [_person(person) for person in _structs(_get(entry, "annorect"))]
    return MpiiImage(name, people, clean_text(_text(act, "act_name")), "" if video is None else f"video {video:g}")


def _load(path: Path) -> dict[str, Any]:
    try:
        return loadmat(path, struct_as_record=False, squeeze_me=True)
    except FileNotFoundError as error:
        raise PosetwinError("missing_file", f"{path} does not exist") from error
    except NotImplementedError as error:
        hint = "open it in MATLAB and save it with -v7"
        raise PosetwinError("bad_annotations", f"{path} is a file of MATLAB 7.3, not of 5 to 7", hint) from error
    except _DAMAGED as error:
        raise PosetwinError("bad_annotations", f"{path} is no .mat file: {error}", "see that it is whole") from error


def _release(path: Path) -> mat_struct:
    content = _load(path)
    release = next(iter(_structs(content.get("RELEASE"))), None)
    if release is not None and _structs(_get(release, "annolist")):
        return release
    held = content if release is None else vars(release)
    found = ", ".join(name for name in held if not name.startswith("_")) or "nothing"
    raise PosetwinError(
        "bad_annotations",
        f"{path} holds {found}{'' if release is None else ' in RELEASE'}, not RELEASE.annolist",
        "give mpii_human_pose_v1_u12_1.mat as published, or a JSON conversion with image, joints, joints_vis",
    )


def read_mat(path: Path) -> Iterator[MpiiImage | Fault]:
    """In the file's order. Raises PosetwinError: missing_file, bad_annotations (another kind of file)."""
    release = _release(path)
    entries, acts = _structs(_get(release, "annolist")), _structs(_get(release, "act"))
    # The activities go by position; a cut file may have fewer.
    for number, (entry, act) in enumerate(zip_longest(entries, acts[: len(entries)])):
        name = _name_of(entry)
        yield attempt(name or f"annolist({number + 1})", _image, name, entry, act)
