"""The stage `assemble`: items that TypeScript chose → pictures, keypoints, captions and control maps on disk."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from pydantic import TypeAdapter, ValidationError

from posetwin.contracts import Control, Dataset, FolderItem, Item, MiniItem, PosesItem
from posetwin.control.dots import draw_dots
from posetwin.control.openpose import draw_openpose
from posetwin.data.journal import Record, append_lines, recover_lines, write_png
from posetwin.data.pose_tables import Layout, read_pose_table
from posetwin.errors import PosetwinError
from posetwin.mini.landmarks import draw_pose
from posetwin.mini.world import sample_world

BATCH = 32
# A picture with one of these faults is listed and left out; any other error ends the stage.
FAULTS: dict[type[Item], frozenset[str]] = {
    MiniItem: frozenset(),
    FolderItem: frozenset({"no_person", "no_visible_keypoint", "bad_image", "missing_file"}),
    PosesItem: frozenset({"no_visible_keypoint"}),
}


@dataclass(frozen=True)
class Picture:
    """image: (S, S, 3) uint8 RGB. keypoints: (18, 3) x, y in pixels, visibility."""

    image: np.ndarray
    keypoints: np.ndarray
    caption: str
    pose: str
    attributes: dict[str, str]


def draw_control(keypoints: np.ndarray, size: int, control: Control) -> np.ndarray:
    """The control map of step 2: (size, size, 3) for `openpose`, (size, size) grey for `dots`, uint8."""
    if control.style == "dots":
        return draw_dots(keypoints, size, radius=control.radius)
    return draw_openpose(keypoints, size, line_width=control.line_width)


def _drawn(item: MiniItem, size: int) -> Picture:
    drawn = sample_world(item.seed, pose=item.pose or None, split=item.split, size=size)
    return Picture(drawn.image, drawn.keypoints, drawn.caption, drawn.attributes["pose"], drawn.attributes)


def _photographed(item: FolderItem, size: int) -> Picture:
    from posetwin.data.photos import read_photo

    photo = read_photo(Path(item.path), size, item.detector)
    return Picture(photo.image, photo.keypoints, item.caption, "", {})


@cache
def _table(path: str, layout: Layout) -> np.ndarray:
    return read_pose_table(Path(path), layout)


def _posed(item: PosesItem, size: int) -> Picture:
    drawn = draw_pose(_table(item.path, item.layout)[item.row], item.seed, size)
    return Picture(drawn.image, drawn.keypoints, drawn.caption, "", drawn.attributes)


def _source_of(item: Item) -> str:
    if isinstance(item, MiniItem):
        return "mini"
    return item.path if isinstance(item, FolderItem) else f"{item.path}, row {item.row}"


def make_picture(item: Item, size: int) -> Picture:
    """Draw or read one item. Raises PosetwinError: as sample_world, read_photo, read_pose_table and draw_pose do."""
    if isinstance(item, MiniItem):
        picture = _drawn(item, size)
    else:
        picture = _photographed(item, size) if isinstance(item, FolderItem) else _posed(item, size)
    if not (picture.keypoints[:, 2] > 0).any():
        raise PosetwinError("no_visible_keypoint", f"item {item.id}: no keypoint inside the picture")
    return picture


def _write_sample(folder: Path, item: Item, dataset: Dataset) -> Record:
    picture = make_picture(item, dataset.image_size)
    image, control = f"images/{item.id:06d}.png", f"control/{item.id:06d}.png"
    write_png(folder / image, picture.image)
    write_png(folder / control, draw_control(picture.keypoints, dataset.image_size, dataset.control))
    return {
        "id": item.id,
        "split": item.split,
        "source": _source_of(item),
        "image": image,
        "control": control,
        "caption": picture.caption,
        "pose": picture.pose,
        "keypoints": picture.keypoints.tolist(),
        "attributes": picture.attributes,
    }


def _sample_or_rejected(folder: Path, item: Item, dataset: Dataset) -> tuple[Record | None, Record | None]:
    try:
        return _write_sample(folder, item, dataset), None
    except PosetwinError as error:
        if error.code not in FAULTS[type(item)]:
            raise
        return None, {"id": item.id, "source": _source_of(item), "code": error.code, "reason": error.message}


def read_items(path: Path) -> list[Item]:
    """Raises PosetwinError: contract_violation, with the line."""
    adapter: TypeAdapter[Item] = TypeAdapter(Item)
    items = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        try:
            items.append(adapter.validate_python(json.loads(line)))
        except (ValidationError, json.JSONDecodeError) as error:
            raise PosetwinError("contract_violation", f"{path}:{number} is not an item: {error}") from error
    return items


def _batches(items: list[Item]) -> Iterator[list[Item]]:
    yield from (items[start : start + BATCH] for start in range(0, len(items), BATCH))


def _refuse_too_many(left_out: list[Record], num_items: int, max_rejected: float, journal: Path) -> None:
    if len(left_out) <= max_rejected * num_items:
        return
    reasons = ", ".join(f"{count} {code}" for code, count in Counter(fault["code"] for fault in left_out).most_common())
    raise PosetwinError(
        "too_many_rejected",
        f"{len(left_out)} of {num_items} pictures cannot be used ({reasons}); the first is {left_out[0]['source']}",
        f"see {journal}; where that is what you expect, raise dataset.max_rejected",
    )


def assemble(folder: Path, items: list[Item], dataset: Dataset, progress: Callable[[int, int, str], None]) -> None:
    """Write samples.jsonl, rejected.jsonl, images/ and control/ into `folder`; what is there already is kept.

    The journals are written after the pictures that they name, so a killed run goes on where it was, and the order
    of samples.jsonl is the items' order either way. Raises PosetwinError: too_many_rejected.
    """
    samples, rejected = folder / "samples.jsonl", folder / "rejected.jsonl"
    for name in ("images", "control"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    left_out = recover_lines(rejected)
    known = {record["id"] for record in (*recover_lines(samples), *left_out)}
    done = len(known)
    _refuse_too_many(left_out, len(items), dataset.max_rejected, rejected)
    for batch in _batches([item for item in items if item.id not in known]):
        results = [_sample_or_rejected(folder, item, dataset) for item in batch]
        append_lines(samples, [sample for sample, _ in results if sample is not None])
        faults = [fault for _, fault in results if fault is not None]
        append_lines(rejected, faults)
        left_out += faults
        done += len(batch)
        progress(done, len(items), "images")
        _refuse_too_many(left_out, len(items), dataset.max_rejected, rejected)
