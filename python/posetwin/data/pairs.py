"""Quintuples by position: those of the couples in pairs.parquet, and all combinations. None of them is ever listed."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, overload

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from posetwin.errors import PosetwinError

Ints = NDArray[np.integer[Any]]
# `captioned-only` differs from `both` by who is paired, not by the texts.
Reading = Literal["both", "swap", "captioned-only"]

NUM_KEYPOINTS = 18
# From so many patterns on the table over all 2^18 is quicker.
MANY_PATTERNS = 2000


@dataclass(frozen=True)
class IndexedPair:
    """A quintuple (A, B, y, Z_A, Z_B): `a` and `b` are positions in samples.parquet, not ids."""

    a: int
    b: int
    prompt: str


class Captions:
    """Texts by position. codes: (N,) int32, a number for each different text. texts: (N,) a list or pyarrow column."""

    def __init__(self, texts: Any) -> None:
        self._texts = texts
        column: Any = texts if isinstance(texts, (pa.Array, pa.ChunkedArray)) else pa.array(texts, pa.string())
        # A column that is encoded already may have a dictionary for each chunk; encoding gives all of them one.
        if pa.types.is_dictionary(column.type) and isinstance(column, pa.ChunkedArray):
            column = column.unify_dictionaries()
        encoded = column.dictionary_encode()
        chunks = encoded.chunks if isinstance(encoded, pa.ChunkedArray) else [encoded]
        codes = [chunk.indices.to_numpy(zero_copy_only=False) for chunk in chunks]
        self.codes: Ints = np.concatenate([np.empty(0, np.int32), *codes]).astype(np.int32, copy=False)

    def __getitem__(self, position: int) -> str:
        text = self._texts[position]
        return text if isinstance(text, str) else text.as_py()

    def different(self, positions: Ints) -> list[str]:
        """The texts at these positions, each once, in order of appearance."""
        _, first = np.unique(self.codes[positions], return_index=True)
        return [self[int(position)] for position in positions[np.sort(first)]]


class _Pairs(Sequence[IndexedPair]):
    """A sequence that computes its items."""

    @abstractmethod
    def _item(self, place: int) -> IndexedPair: ...

    @overload
    def __getitem__(self, index: int) -> IndexedPair: ...
    @overload
    def __getitem__(self, index: slice) -> list[IndexedPair]: ...
    def __getitem__(self, index: int | slice) -> IndexedPair | list[IndexedPair]:
        if isinstance(index, slice):
            return [self._item(place) for place in range(len(self))[index]]
        return self._item(range(len(self))[index])


class ListedPairs(_Pairs):
    """The quintuples of couples (first[i], second[i]), in the order of orchestrator/dataset/quintuples.ts.

    first, second: (n,) positions in samples.parquet. captions: (N,) texts of all samples, a list or a pyarrow column.
    `both` and `captioned-only`: (a, b, y_b) of all couples, (b, a, y_a) of all, and then, of the couples with two
    captions, (a, b, y_a) and (b, a, y_b). `swap`: (a, b, y_a) of all, (b, a, y_b) of all. So the first n are n couples,
    and the whole is closed under swap (Eq. 8, 39).
    """

    def __init__(self, first: Ints, second: Ints, captions: Any, reading: Reading) -> None:
        self._first, self._second = first, second
        self._captions = Captions(captions)
        self._swap = reading == "swap"
        codes = self._captions.codes
        unlike = np.flatnonzero(codes[first] != codes[second]) if not self._swap else np.empty(0)
        self._unlike: Ints = unlike.astype(np.int32)

    @property
    def prompts(self) -> list[str]:
        """Every text of a pair, in order of appearance."""
        ends = (self._first, self._second) if self._swap else (self._second, self._first)
        return self._captions.different(np.concatenate(ends))

    def __len__(self) -> int:
        return 2 * len(self._first) + 2 * len(self._unlike)

    def _item(self, place: int) -> IndexedPair:
        own = place < 2 * len(self._first)
        span = len(self._first) if own else len(self._unlike)
        back, couple = divmod(place if own else place - 2 * len(self._first), span)
        at = couple if own else int(self._unlike[couple])
        a, b = int(self._first[at]), int(self._second[at])
        if back:
            a, b = b, a
        return IndexedPair(a, b, self._captions[b if own and not self._swap else a])


def _read_couples(path: Path, split: str) -> tuple[Ints, Ints]:
    """The ids of one split. Raises PosetwinError: missing_file, corrupt_file."""
    if not path.is_file():
        raise PosetwinError("missing_file", f"{path} does not exist", "run the stage that writes it again")
    try:
        batches = list(_batches(path, split))
    except (pa.ArrowException, OSError, KeyError) as error:
        raise PosetwinError("corrupt_file", f"{path} holds no couples: {error}") from error
    first, second = (np.concatenate([np.empty(0, np.int32), *column]) for column in zip(*batches, strict=True))
    return first, second


def _batches(path: Path, split: str) -> Iterator[tuple[Ints, Ints]]:
    yield np.empty(0, np.int32), np.empty(0, np.int32)
    with pq.ParquetFile(path) as file:
        for batch in file.iter_batches(columns=["a", "b", "split"]):
            own = batch.filter(pc.field("split") == split)
            yield own.column("a").to_numpy(), own.column("b").to_numpy()


def _positions_of(wanted: Ints, ids: Ints) -> Ints:
    """Raises PosetwinError: corrupt_file, where an id is not among `ids`, which rise."""
    positions = np.searchsorted(ids, wanted)
    known = positions < len(ids)
    known[known] = ids[positions[known]] == wanted[known]
    if not known.all():
        strange = wanted[~known][0]
        raise PosetwinError("corrupt_file", f"pairs.parquet names a sample that does not exist: {strange}")
    return positions.astype(np.int32)


def read_pairs(folder: Path, ids: Ints, captions: Any, split: str, reading: Reading) -> ListedPairs:
    """The quintuples of one split, made from pairs.parquet.

    ids: (N,) of samples.parquet, rising. captions: (N,) a list or pyarrow column. reading: `captions` of the manifest.
    Raises PosetwinError: missing_file, corrupt_file (no couples, or of samples that do not exist).
    """
    first, second = _read_couples(folder / "pairs.parquet", split)
    return ListedPairs(_positions_of(first, ids), _positions_of(second, ids), captions, reading)


def choose_pairs(pairs: Sequence[IndexedPair], count: int) -> list[int]:
    """`count` positions spread evenly over the list: neighbours there are one pair's swaps and captions."""
    wanted = min(count, len(pairs))
    return [i * len(pairs) // wanted for i in range(wanted)]


def _sharing_of_many(unique: Ints, counts: Ints) -> Ints:
    """Who shares nothing with a pattern shows nothing beyond the keypoints that it lacks: sums over subsets."""
    within = np.zeros(2**NUM_KEYPOINTS, np.int64)
    within[unique] = counts
    for k in range(NUM_KEYPOINTS):
        without, having = within.reshape(-1, 2, 2**k).transpose(1, 0, 2)
        having += without
    return counts.sum() - within[(2**NUM_KEYPOINTS - 1) ^ unique]


def _num_partners(patterns: Ints) -> Ints:
    """(N,) how many of the others share a bit with each. People show few patterns, so N² steps are not needed."""
    unique, which, counts = np.unique(patterns, return_inverse=True, return_counts=True)
    if len(unique) > MANY_PATTERNS:
        sharing = _sharing_of_many(unique, counts)
    else:
        sharing = np.array([counts[(unique & pattern) != 0].sum() for pattern in unique], dtype=np.int64)
    return sharing[which] - (patterns != 0)


def _num_alike(patterns: Ints, captions: Ints) -> Ints:
    """(N,) the same, counting only those of the same caption."""
    alike = np.zeros(len(patterns), np.int64)
    order = np.argsort(captions, kind="stable")
    for group in np.split(order, np.flatnonzero(np.diff(captions[order])) + 1):
        if len(group) > 1:
            alike[group] = _num_partners(patterns[group])
    return alike


class AllCombinations(_Pairs):
    """Every ordered pair of samples that show a common keypoint.

    visible: (N,) of all samples; bit k: keypoint k is seen. captions: (N,) theirs, a list or a pyarrow column.
    positions: (M,) of those that are combined. reading: `both` and `captioned-only` give y_B and y_A for each (A, B),
    one of them where they are the same; `swap` gives y_A. Item i takes time and memory proportional to M, the whole
    sequence no memory of its own.
    """

    def __init__(self, visible: Ints, captions: Any, positions: Ints, reading: Reading) -> None:
        self._captions = Captions(captions)
        self._positions = positions
        self._patterns: Ints = visible[positions]
        self._codes: Ints = self._captions.codes[positions]
        self._num_partners = _num_partners(self._patterns)
        self._swap = reading == "swap"
        per_sample = self._num_partners
        if not self._swap:
            per_sample = 2 * per_sample - _num_alike(self._patterns, self._codes)
        self._ends: Ints = np.cumsum(per_sample)

    @property
    def prompts(self) -> list[str]:
        """Every text of a pair, in the order of the samples."""
        return self._captions.different(self._positions[self._num_partners > 0])

    def __len__(self) -> int:
        return int(self._ends[-1]) if len(self._ends) > 0 else 0

    def _item(self, place: int) -> IndexedPair:
        """The items of one A stand together: first its partners under y_B, then those of another caption under y_A."""
        a = int(np.searchsorted(self._ends, place, side="right"))
        rest = place - (int(self._ends[a - 1]) if a > 0 else 0)
        partners = self._partners(a)
        if self._swap:
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
        first, second, text = (int(self._positions[one]) for one in (a, b, text_of))
        return IndexedPair(first, second, self._captions[text])
