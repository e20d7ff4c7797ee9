"""Quintuples by position: those listed in pairs.jsonl, and all combinations, which are counted and never listed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, overload

import numpy as np
from numpy.typing import NDArray

from posetwin.data.journal import Record, read_lines
from posetwin.errors import PosetwinError

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class IndexedPair:
    """A quintuple (A, B, y, Z_A, Z_B): `a` and `b` are positions in samples.jsonl, not ids."""

    a: int
    b: int
    prompt: str


def listed_pairs(folder: Path, samples: list[Record], split: str) -> list[IndexedPair]:
    """The pairs of one split in the order of pairs.jsonl. Raises PosetwinError: missing_file, corrupt_file."""
    position = {sample["id"]: index for index, sample in enumerate(samples)}
    chosen = [pair for pair in read_lines(folder / "pairs.jsonl") if pair["split"] == split]
    try:
        return [IndexedPair(position[pair["a"]], position[pair["b"]], pair["prompt"]) for pair in chosen]
    except KeyError as error:
        raise PosetwinError("corrupt_file", f"pairs.jsonl names a sample that does not exist: {error}") from error


def choose_pairs(pairs: Sequence[IndexedPair], count: int) -> list[int]:
    """`count` positions spread evenly over the list: neighbours there are one pair's swaps and captions."""
    wanted = min(count, len(pairs))
    return [i * len(pairs) // wanted for i in range(wanted)]


def _num_partners(patterns: Ints) -> Ints:
    """(N,) how many of the others share a bit with each. People show few patterns, so N² steps are not needed."""
    unique, which, counts = np.unique(patterns, return_inverse=True, return_counts=True)
    sharing = np.array([counts[(unique & pattern) != 0].sum() for pattern in unique], dtype=np.int64)
    return sharing[which] - (patterns != 0)


def _num_alike(patterns: Ints, captions: Ints) -> Ints:
    """(N,) the same, counting only those of the same caption."""
    alike = np.zeros_like(patterns)
    order = np.argsort(captions, kind="stable")
    for group in np.split(order, np.flatnonzero(np.diff(captions[order])) + 1):
        if len(group) > 1:
            alike[group] = _num_partners(patterns[group])
    return alike


def _pattern(sample: Record) -> int:
    """Which keypoints are seen, one bit each."""
    return sum(1 << index for index, (_, _, seen) in enumerate(sample["keypoints"]) if seen > 0)


class AllCombinations(Sequence[IndexedPair]):
    """Every ordered pair of samples that show a common keypoint, as a sequence that computes its items.

    samples: records with `caption` and `keypoints`, (x, y, above 0 where seen). positions: theirs in samples.jsonl.
    texts: `both` gives y_B and y_A for each (A, B), one of them where they are the same; `swap` gives y_A.
    Item i takes time and memory proportional to the number of samples, the whole sequence no memory of its own.
    """

    def __init__(self, samples: Sequence[Record], positions: Sequence[int], texts: Literal["both", "swap"]) -> None:
        self._captions = [sample["caption"] for sample in samples]
        self._positions = positions
        self._patterns: Ints = np.array([_pattern(sample) for sample in samples], dtype=np.int64)
        codes = {caption: code for code, caption in enumerate(dict.fromkeys(self._captions))}
        self._codes: Ints = np.array([codes[caption] for caption in self._captions], dtype=np.int64)
        self._num_partners = _num_partners(self._patterns)
        per_sample = self._num_partners
        if texts == "both":
            per_sample = 2 * per_sample - _num_alike(self._patterns, self._codes)
        self._texts = texts
        self._ends: Ints = np.cumsum(per_sample)

    @property
    def prompts(self) -> list[str]:
        """Every text of a pair, in the order of the samples."""
        paired = zip(self._captions, self._num_partners, strict=True)
        return list(dict.fromkeys(caption for caption, partners in paired if partners > 0))

    def __len__(self) -> int:
        return int(self._ends[-1]) if len(self._ends) > 0 else 0

    @overload
    def __getitem__(self, index: int) -> IndexedPair: ...
    @overload
    def __getitem__(self, index: slice) -> list[IndexedPair]: ...
    def __getitem__(self, index: int | slice) -> IndexedPair | list[IndexedPair]:
        if isinstance(index, slice):
            return [self._item(place) for place in range(len(self))[index]]
        return self._item(range(len(self))[index])

    def _item(self, place: int) -> IndexedPair:
        """The items of one A stand together: first its partners under y_B, then those of another caption under y_A."""
        a = int(np.searchsorted(self._ends, place, side="right"))
        rest = place - (int(self._ends[a - 1]) if a > 0 else 0)
        partners = self._partners(a)
        if self._texts == "swap":
            return self._pair(a, int(partners[rest]), a)
        if rest < len(partners):
            return self._pair(a, int(partners[rest]), int(partners[rest]))
        others = partners[self._codes[partners] != self._codes[a]]
        return self._pair(a, int(others[rest - len(partners)]), a)

    def _partners(self, a: int) -> Ints:
        shares = (self._patterns & self._patterns[a]) != 0
        shares[a] = False
        return np.flatnonzero(shares)

    def _pair(self, a: int, b: int, text_of: int) -> IndexedPair:
        return IndexedPair(self._positions[a], self._positions[b], self._captions[text_of])
