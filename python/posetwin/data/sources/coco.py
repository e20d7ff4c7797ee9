"""COCO: person_keypoints_….json, and captions_….json where it is given."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from math import isfinite
from pathlib import Path
from typing import Any

from posetwin.contracts import CocoSource
from posetwin.data.sources.joints import annotated, from_coco17
from posetwin.data.sources.listed import Fault, Listed, attempt
from posetwin.data.sources.texts import clean_text, load_json
from posetwin.errors import PosetwinError

_Record = dict[str, Any]


@dataclass
class _Image:
    name: str
    people: list[_Record] = field(default_factory=list)
    caption: _Record | None = None


def _records(path: Path, content: Any, key: str) -> list[_Record]:
    value = content.get(key) if isinstance(content, dict) else None
    if isinstance(value, list) and all(isinstance(entry, dict) for entry in value):
        return value
    found = ", ".join(content) if isinstance(content, dict) else f"a {type(content).__name__}"
    raise PosetwinError("bad_annotations", f"{path} holds {found}, not COCO's images and annotations")


def _keypoint_records(path: Path, content: Any) -> list[_Record]:
    records = _records(path, content, "annotations")
    if records and not any("keypoints" in record for record in records):
        found = ", ".join(records[0])
        hint = "give person_keypoints_….json; captions_….json goes to dataset.sources.captions"
        raise PosetwinError("bad_annotations", f"{path}: annotations have {found}, but no keypoints", hint)
    return [record for record in records if "keypoints" in record]


def _name_of(path: Path, record: _Record) -> str:
    name = record.get("file_name")
    if not isinstance(name, str) or not name:
        raise PosetwinError("bad_annotations", f"{path}: image {record.get('id')} has no file_name")
    return name


def _read_images(source: CocoSource) -> list[tuple[Any, _Image]]:
    """(id, image) with their people, in the order of the names."""
    path = Path(source.annotations)
    content = load_json(path)
    images = [(record.get("id"), _Image(_name_of(path, record))) for record in _records(path, content, "images")]
    by_id = dict(images)
    for record in _keypoint_records(path, content):
        image = by_id.get(record.get("image_id"))
        if image is not None:
            image.people.append(record)
    return sorted(images, key=lambda entry: entry[1].name)


def _add_captions(path: Path, images: dict[Any, _Image]) -> None:
    """Of the five captions of a picture the one with the smallest id."""
    for record in _records(path, load_json(path), "annotations"):
        image = images.get(record.get("image_id"))
        if image is not None and (image.caption is None or record.get("id", 0) < image.caption.get("id", 0)):
            image.caption = record


def _is_annotated(person: _Record) -> bool:
    return any(value for value in person["keypoints"][2::3])


def _largest(people: list[_Record]) -> _Record | None:
    """Of the people whose keypoints are annotated, if there are any; else of all."""
    return max(people, key=lambda person: (_is_annotated(person), person.get("area", 0)), default=None)


def _box_of(person: _Record | None) -> tuple[float, float, float, float] | None:
    if person is None or "bbox" not in person:
        return None
    x, y, width, height = (float(value) for value in person["bbox"])
    return (x, y, x + width, y + height) if isfinite(x + y + width + height) else None


def _listed(source: CocoSource, image: _Image) -> Listed:
    people = [person for person in image.people if not person.get("iscrowd")]
    # A crowd is annotated as one region of people who are not told apart.
    num_people = len(people) + 2 * (len(image.people) - len(people))
    if num_people == 0:
        raise PosetwinError("no_person", "no person is annotated in it")
    person = _largest(people)
    values = person["keypoints"] if person is not None and _is_annotated(person) else None
    return Listed(
        name=image.name,
        file=image.name,
        caption=clean_text(image.caption.get("caption")) if image.caption else "",
        keypoints=annotated(source.keypoints, from_coco17, values),
        box=_box_of(person),
        num_people=num_people,
    )


def _checked(source: CocoSource, image: _Image) -> Listed:
    try:
        return _listed(source, image)
    except (TypeError, ValueError, AttributeError) as error:
        raise PosetwinError("bad_annotations", f"an annotation has another form than COCO's: {error}") from error


def list_coco(source: CocoSource) -> Iterator[Listed | Fault]:
    """Pictures in the order of their names, each with the largest of its people and the first of its captions.

    Raises PosetwinError: missing_file, bad_annotations (a file of another form).
    """
    try:
        images = _read_images(source)
        if source.captions is not None:
            _add_captions(Path(source.captions), dict(images))
    except TypeError as error:
        raise PosetwinError("bad_annotations", f"{source.annotations} has another form than COCO's: {error}") from error
    for _, image in images:
        yield attempt(image.name, _checked, source, image)
