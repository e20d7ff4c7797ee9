"""Reader of an assembled set: samples, pairs, images, control maps, keypoints."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from pydantic import ValidationError

from posetwin.contracts import Manifest
from posetwin.data.images import read_pixels, to_control, to_model
from posetwin.data.journal import Record, read_lines
from posetwin.data.pairs import AllCombinations, IndexedPair, listed_pairs
from posetwin.errors import PosetwinError

__all__ = ["Assembled", "IndexedPair", "read_assembled", "read_manifest"]


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

    def pairs(self, split: str) -> Sequence[IndexedPair]:
        """The pairs of one split: a list in the order of pairs.jsonl, or for training `all-combinations`, of which no
        list is ever made. Raises PosetwinError: missing_file, corrupt_file, too_few_samples."""
        lazy = self._combinations if split == "train" else None
        pairs = listed_pairs(self.folder, self.samples, split) if lazy is None else lazy
        if len(pairs) == 0:
            raise PosetwinError("too_few_samples", f"{self.folder} holds no {split} pairs", "raise dataset.num_images")
        return pairs

    @cached_property
    def captions(self) -> list[str]:
        """(N,) each picture's own text."""
        return [sample["caption"] for sample in self.samples]

    @cached_property
    def prompts(self) -> list[str]:
        """Every text that a pair of any split can have, once, in order of appearance (under `all-combinations`: in the
        order of the samples, then of pairs.jsonl); without the empty one. Raises PosetwinError as `pairs`."""
        lazy = self._combinations
        listed = (pair["prompt"] for pair in read_lines(self.folder / "pairs.jsonl"))
        return list(dict.fromkeys(prompt for prompt in (*(lazy.prompts if lazy else ()), *listed) if prompt))

    @cached_property
    def _combinations(self) -> AllCombinations | None:
        """None where the training pairs are listed."""
        manifest = read_manifest(self.folder)
        if manifest.train_pairs == "listed":
            return None
        captioned = None if manifest.captioned is None else set(manifest.captioned)
        positions = [
            position
            for position, sample in enumerate(self.samples)
            if sample["split"] == "train" and (captioned is None or sample["id"] in captioned)
        ]
        pairs = AllCombinations(
            [self.samples[position] for position in positions],
            positions,
            "swap" if manifest.captions == "swap" else "both",
        )
        if len(pairs) != (announced := manifest.num_pairs["train"]):
            raise PosetwinError(
                "corrupt_file", f"{self.folder} gives {len(pairs)} training pairs, its manifest says {announced}"
            )
        return pairs

    def images(self, indices: Sequence[int]) -> torch.Tensor:
        """(B, 3, H, W) RGB in [-1, 1]."""
        return to_model(np.stack([self._pixels(index) for index in indices]))

    def controls(self, indices: Sequence[int], channels: int) -> torch.Tensor:
        """(B, channels, H, W) control maps in [0, 1]."""
        paths = [self.folder / self.samples[index]["control"] for index in indices]
        return torch.stack([to_control(read_pixels(path), channels) for path in paths])


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
    samples = read_lines(folder / "samples.jsonl")
    if not samples:
        raise PosetwinError("too_few_samples", f"{folder} holds no samples", "see rejected.jsonl there for the reasons")
    return Assembled(folder, samples)
