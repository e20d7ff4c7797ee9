"""Reader of an assembled set: samples, pairs, images, control maps, keypoints."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import torch

from posetwin.data.images import read_pixels, to_control, to_model
from posetwin.data.journal import Record, read_lines
from posetwin.errors import PosetwinError


@dataclass(frozen=True)
class IndexedPair:
    """A quintuple (A, B, y, Z_A, Z_B): `a` and `b` are positions in samples.jsonl, not ids."""

    a: int
    b: int
    prompt: str


@dataclass(frozen=True)
class Assembled:
    """An assembled set; every index is a position in samples.jsonl."""

    folder: Path
    samples: list[Record]

    @cached_property
    def keypoints(self) -> torch.Tensor:
        """(N, 18, 3) float64: x, y in pixels, visibility."""
        return torch.tensor([sample["keypoints"] for sample in self.samples], dtype=torch.float64)

    @cached_property
    def image_size(self) -> int:
        """Side of the square images, px."""
        return int(self._pixels(0).shape[0])

    def _pixels(self, index: int) -> np.ndarray:
        return read_pixels(self.folder / self.samples[index]["image"])

    def pairs(self, split: str) -> list[IndexedPair]:
        """The pairs of one split in the order of pairs.jsonl. Raises PosetwinError: corrupt_file, too_few_samples."""
        position = {sample["id"]: index for index, sample in enumerate(self.samples)}
        chosen = [pair for pair in read_lines(self.folder / "pairs.jsonl") if pair["split"] == split]
        if not chosen:
            raise PosetwinError("too_few_samples", f"{self.folder} holds no {split} pairs", "raise dataset.num_images")
        try:
            return [IndexedPair(position[pair["a"]], position[pair["b"]], pair["prompt"]) for pair in chosen]
        except KeyError as error:
            raise PosetwinError("corrupt_file", f"pairs.jsonl names a sample that does not exist: {error}") from error

    def images(self, indices: Sequence[int]) -> torch.Tensor:
        """(B, 3, H, W) RGB in [-1, 1]."""
        return to_model(np.stack([self._pixels(index) for index in indices]))

    def controls(self, indices: Sequence[int], channels: int) -> torch.Tensor:
        """(B, channels, H, W) control maps in [0, 1]."""
        paths = [self.folder / self.samples[index]["control"] for index in indices]
        return torch.stack([to_control(read_pixels(path), channels) for path in paths])


def read_assembled(folder: Path) -> Assembled:
    """Raises PosetwinError: missing_file, corrupt_file, too_few_samples."""
    samples = read_lines(folder / "samples.jsonl")
    if not samples:
        raise PosetwinError("too_few_samples", f"{folder} holds no samples", "see rejected.jsonl there for the reasons")
    return Assembled(folder, samples)
