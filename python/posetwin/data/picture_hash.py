"""Pictures that are one and the same but for size, compression or a mirror: 64-bit perceptual hashes and their pairs.

The hash is the DCT hash known as pHash: which of the 8 × 8 lowest frequencies of the picture, shrunk to 32 × 32 grey,
are above their median. A mirror changes the sign of every odd horizontal frequency and nothing else; so those are
compared with 0, about which they lie, and the even ones with their own median. Then the hash of the mirrored picture
is the hash with the bits of the odd frequencies inverted, and nothing has to be stored for it.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from itertools import combinations
from math import comb

import cv2
import numpy as np
from numpy.typing import NDArray

SIDE, KEPT, BITS = 32, 8, 64
# Bit 0 is the top left frequency, bit 1 the next to its right.
ODD_BITS = sum(1 << bit for bit in range(BITS) if bit % 2)
# So many pairs are looked at together.
PORTION = 1 << 20
# For the choice of bands: hashes looked at, and what sorting one costs against comparing a pair.
SAMPLE, SORTING = 20_000, 4

Hashes = NDArray[np.uint64]
Positions = NDArray[np.int64]


@lru_cache(maxsize=1)
def _cosines() -> np.ndarray:
    """(8, 32) rows of the DCT-II, unscaled."""
    return np.cos(np.pi / SIDE * np.arange(KEPT)[:, None] * (np.arange(SIDE) + 0.5))


def picture_hash(image: np.ndarray) -> int:
    """(H, W, 3) uint8 RGB → its perceptual hash, in [0, 2^64)."""
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    grey = cv2.resize(grey, (SIDE, SIDE), interpolation=cv2.INTER_AREA).astype(np.float64)
    frequencies = _cosines() @ grey @ _cosines().T
    above = frequencies > 0
    above[:, ::2] = frequencies[:, ::2] > np.median(frequencies[:, ::2])
    return int.from_bytes(np.packbits(above.ravel(), bitorder="little").tobytes(), "little")


def mirrored_hash(of: int) -> int:
    """The hash of the picture whose left and right are exchanged."""
    return of ^ ODD_BITS


def to_signed(of: int) -> int:
    """As the 64-bit column of a table holds it; numpy's `view(np.uint64)` brings it back."""
    return of - (1 << BITS) if of >> (BITS - 1) else of


def _distances(a: Hashes, b: Hashes) -> NDArray[np.uint64]:
    """How many bits differ (numpy below 2 counts no bits itself)."""
    x = a ^ b
    x = x - ((x >> np.uint64(1)) & np.uint64(0x5555555555555555))
    x = (x & np.uint64(0x3333333333333333)) + ((x >> np.uint64(2)) & np.uint64(0x3333333333333333))
    x = (x + (x >> np.uint64(4))) & np.uint64(0x0F0F0F0F0F0F0F0F)
    return (x * np.uint64(0x0101010101010101)) >> np.uint64(56)


def _plan(hashes: Hashes, max_distance: int) -> tuple[int, int]:
    """Into how many bands the bits are cut, and how many of them must agree.

    Pigeonholes: of b bands at most `max_distance` differ, so b − max_distance agree. More bands mean more ways to
    choose those that do, but longer keys, which fewer unrelated hashes share; how many do is counted in a sample.
    """
    count, sample = len(hashes), hashes[:: max(1, len(hashes) // SAMPLE)]

    def cost(bands: int) -> float:
        agreeing = bands - max_distance
        _, of_a_key = np.unique(sample & next(_masks(bands, agreeing)), return_counts=True)
        shared = float((of_a_key * (of_a_key - 1)).sum()) / len(sample) ** 2
        return comb(bands, agreeing) * (SORTING * count + count * count * shared)

    bands = min(range(max_distance + 1, max_distance + 7), key=cost)
    return bands, bands - max_distance


def _masks(bands: int, agreeing: int) -> Iterator[np.uint64]:
    """The bits of every choice of `agreeing` of the bands; bands take every b-th bit, so that none is all low tones."""
    each = [sum(1 << bit for bit in range(band, BITS, bands)) for band in range(bands)]
    yield from (np.uint64(sum(chosen)) for chosen in combinations(each, agreeing))


def _sharing(keys: Hashes) -> Iterator[tuple[Positions, Positions]]:
    """All pairs of positions with equal keys, in portions: among sorted keys they are neighbours at some distance."""
    order = np.argsort(keys)
    ordered = keys[order]
    active, shift = np.flatnonzero(ordered[1:] == ordered[:-1]), 1
    while len(active):
        for start in range(0, len(active), PORTION):
            portion = active[start : start + PORTION]
            yield order[portion], order[portion + shift]
        shift += 1
        active = active[active + shift < len(keys)]
        active = active[ordered[active] == ordered[active + shift]]


def _nearest_of_lower_rank(ranked: Hashes, max_distance: int) -> Positions:
    """For each hash the first position of one within the distance, mirrored or not; its own where that is first."""
    best, count = np.arange(len(ranked)), len(ranked)
    both = np.concatenate([ranked, ranked ^ np.uint64(ODD_BITS)])
    for mask in _masks(*_plan(ranked, max_distance)):
        for a, b in _sharing(both & mask):
            # Two mirrored ones are as far apart as the two themselves.
            near = (_distances(both[a], both[b]) <= max_distance) & ((a < count) | (b < count))
            a, b = a[near] % count, b[near] % count
            np.minimum.at(best, np.maximum(a, b), np.minimum(a, b))
    return best


def _followed(best: Positions) -> Positions:
    """To the one that is its own best, from every position."""
    while not np.array_equal(further := best[best], best):
        best = further
    return best


def find_duplicates(hashes: Hashes, max_distance: int, prefer: NDArray[np.bool_]) -> Positions:
    """For each picture the position of the one that stays in its stead, or −1 where it stays itself.

    A picture stays unless one that comes before it, in the order preferred first and then by position, differs from it
    or from its mirror image in at most `max_distance` bits; it is led to the first such, and on to the one that stays.
    So no two that stay are that near. hashes, prefer: (N,). max_distance: −1 (all stay) to 16.
    Exact: no pair is missed. Memory is a dozen times that of the hashes, whatever they hold.
    """
    if max_distance < 0 or not len(hashes):
        return np.full(len(hashes), -1, np.int64)
    order = np.lexsort((np.arange(len(hashes)), ~prefer))
    # Equal hashes first, so that a picture that is there a thousand times is compared once.
    _, first, group = np.unique(hashes[order], return_index=True, return_inverse=True)
    rank = np.argsort(first, kind="stable")
    best = _followed(_nearest_of_lower_rank(hashes[order][first[rank]], max_distance))
    place = np.empty(len(rank), np.int64)
    place[rank] = np.arange(len(rank))
    stays = order[first[rank[best[place[group]]]]]
    result = np.empty(len(hashes), np.int64)
    result[order] = stays
    result[result == np.arange(len(hashes))] = -1
    return result
