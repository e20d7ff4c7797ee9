"""Reader of an assembled set: samples, pairs, images, control maps, keypoints."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from io import BytesIO
from pathlib import Path
from typing import overload

import numpy as np
import pyarrow as pa
import torch
from PIL import Image, UnidentifiedImageError
from pydantic import ValidationError

from posetwin.contracts import Manifest
from posetwin.data.images import to_control, to_model
from posetwin.data.pairs import AllCombinations, IndexedPair, ListedPairs, read_pairs
from posetwin.data.samples import open_samples
from posetwin.data.shards import read_stored
from posetwin.errors import PosetwinError

__all__ = ["Assembled", "IndexedPair", "read_assembled", "read_manifest"]

SPLITS = ("train", "held_out")


class Texts(Sequence[str]):
    """A column of text as a sequence; no string is made before it is asked for."""

    def __init__(self, column: pa.ChunkedArray) -> None:
        self._column = column

    def __len__(self) -> int:
        return len(self._column)

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> list[str]: ...
    def __getitem__(self, index: int | slice) -> str | list[str]:
        if isinstance(index, slice):
            return self._column.take(pa.array(range(len(self))[index])).to_pylist()
        return self._column[index].as_py()

    def __iter__(self) -> Iterator[str]:
        for chunk in self._column.chunks:
            yield from chunk.to_pylist()


@dataclass(frozen=True)
class Assembled:
    """An assembled set; every index is a row of samples.parquet."""

    folder: Path
    table: pa.Table

    def __len__(self) -> int:
        return len(self.table)

    @cached_property
    def ids(self) -> np.ndarray:
        """(N,) int64, ascending."""
        return self.table["id"].to_numpy()

    @cached_property
    def captions(self) -> Texts:
        """(N,) each picture's own text."""
        return Texts(self.table["caption"])

    @cached_property
    def poses(self) -> Texts:
        """(N,) name of the pose, empty where it has none."""
        return Texts(self.table["pose"])

    def attributes(self, index: int) -> dict[str, str]:
        return json.loads(self.table["attributes"][index].as_py())

    @cached_property
    def keypoints(self) -> torch.Tensor:
        """(N, 18, 3) float64: x, y in pixels, visibility."""
        parts = [chunk.flatten().to_numpy() for chunk in self.table["keypoints"].chunks]
        return torch.from_numpy(np.concatenate(parts)).reshape(-1, 18, 3)

    @cached_property
    def image_size(self) -> int:
        """Side of the square images, px."""
        return int(self._pixels(0, "image").shape[0])

    def _pixels(self, index: int, what: str) -> np.ndarray:
        """what: `image` or `control`."""
        place = [self.table[name][index].as_py() for name in ("shard", f"{what}_offset", f"{what}_length")]
        try:
            return np.asarray(Image.open(BytesIO(read_stored(self.folder, *place))))
        except (UnidentifiedImageError, OSError) as error:
            raise PosetwinError("corrupt_file", f"{what} {self.ids[index]} in {place[0]} is no picture") from error

    def pairs(self, split: str) -> Sequence[IndexedPair]:
        """The quintuples of one split, none of them listed. Raises PosetwinError: missing_file, corrupt_file,
        too_few_samples."""
        lazy = self._combinations if split == "train" else None
        pairs = self._listed(split) if lazy is None else lazy
        if len(pairs) == 0:
            raise PosetwinError("too_few_samples", f"{self.folder} holds no {split} pairs", "raise dataset.num_images")
        return pairs

    def _listed(self, split: str) -> ListedPairs:
        return read_pairs(self.folder, self.ids, self.table["caption"], split, self._manifest.captions)

    @cached_property
    def _manifest(self) -> Manifest:
        return read_manifest(self.folder)

    @cached_property
    def prompts(self) -> list[str]:
        """Every text that a pair of any split can have, once, in order of appearance; without the empty one.
        Raises PosetwinError as `pairs`."""
        train = self._combinations or self._listed("train")
        texts = (*train.prompts, *self._listed("held_out").prompts)
        return list(dict.fromkeys(text for text in texts if text))

    @cached_property
    def _combinations(self) -> AllCombinations | None:
        """None where the training couples are listed."""
        manifest = self._manifest
        if manifest.train_pairs == "listed":
            return None
        chosen = np.asarray(self.table["split"]) == "train"
        if manifest.captioned is not None:
            chosen &= np.isin(self.ids, manifest.captioned)
        positions = np.flatnonzero(chosen)
        visible = self.table["visible"].to_numpy()
        pairs = AllCombinations(visible, self.table["caption"], positions, manifest.captions)
        if len(pairs) != (announced := manifest.num_pairs["train"]):
            raise PosetwinError(
                "corrupt_file", f"{self.folder} gives {len(pairs)} training pairs, its manifest says {announced}"
            )
        return pairs

    def images(self, indices: Sequence[int]) -> torch.Tensor:
        """(B, 3, H, W) RGB in [-1, 1]."""
        return to_model(np.stack([self._pixels(index, "image") for index in indices]))

    def controls(self, indices: Sequence[int], channels: int) -> torch.Tensor:
        """(B, channels, H, W) control maps in [0, 1]."""
        return torch.stack([to_control(self._pixels(index, "control"), channels) for index in indices])


def read_manifest(folder: Path) -> Manifest:
    """Raises PosetwinError: missing_file, corrupt_file."""
    path = folder / "manifest.json"
    if not path.is_file():
        raise PosetwinError("missing_file", f"{path} does not exist", "run the stage that writes it again")
    try:
        return Manifest.model_validate_json(path.read_bytes())
    except ValidationError as error:
        raise PosetwinError("corrupt_file", f"{path} is no manifest: {error}") from error


def read_assembled(folder: Path) -> Assembled:
    """Raises PosetwinError: missing_file, corrupt_file, too_few_samples."""
    table = open_samples(folder).read()
    if len(table) == 0:
        raise PosetwinError("too_few_samples", f"{folder} holds no samples", "see rejected.jsonl there for the reasons")
    return Assembled(folder, table)
