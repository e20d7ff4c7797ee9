"""Copies of a picture have near hashes, others far ones; and no near pair is ever missed."""

from __future__ import annotations

from io import BytesIO

import numpy as np
import pytest
import scipy.fft
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from real_data import data_folder
from skimage import data

from posetwin.data.picture_hash import find_duplicates, mirrored_hash, picture_hash, to_signed
from posetwin.mini.world import sample_world


def _bits_apart(a: int, b: int) -> int:
    return (a ^ b).bit_count()


def _photos() -> list[np.ndarray]:
    skier = np.array(Image.open(data_folder() / "skier.jpg").convert("RGB"))
    return [skier, data.astronaut(), data.chelsea(), data.coffee()]


def _figures(count: int) -> list[np.ndarray]:
    return [sample_world(seed).image for seed in range(count)]


def _recompressed(image: np.ndarray, quality: int) -> np.ndarray:
    buffer = BytesIO()
    Image.fromarray(image).save(buffer, "jpeg", quality=quality)
    return np.array(Image.open(buffer))


def test_the_hash_says_which_low_frequencies_are_high() -> None:
    """A 32 × 32 grey picture, against scipy's DCT: even columns above their median, odd ones above 0."""
    grey = np.random.default_rng(0).integers(0, 256, (32, 32)).astype(np.uint8)
    frequencies = scipy.fft.dctn(grey.astype(float), type=2)[:8, :8]
    middle = np.median(frequencies[:, 0::2])
    expected = sum(
        1 << (8 * row + column)
        for row in range(8)
        for column in range(8)
        if frequencies[row, column] > (0 if column % 2 else middle)
    )
    assert picture_hash(grey[..., None].repeat(3, -1)) == expected


def test_a_copy_of_other_size_or_compression_is_near() -> None:
    for image in _photos():
        height, width = image.shape[:2]
        half = np.array(Image.fromarray(image).resize((width // 2, height // 2), Image.Resampling.LANCZOS))
        for copy in (half, _recompressed(image, 30), (image * 0.8).astype(np.uint8)):
            assert _bits_apart(picture_hash(image), picture_hash(copy)) <= 3


def test_different_pictures_are_far_apart() -> None:
    hashes = [picture_hash(image) for image in _photos()]
    assert min(_bits_apart(a, b) for i, a in enumerate(hashes) for b in hashes[:i]) > 16


def test_the_hash_of_the_mirrored_picture_follows_from_the_hash() -> None:
    for image in [*_photos(), *_figures(20)]:
        assert _bits_apart(mirrored_hash(picture_hash(image)), picture_hash(image[:, ::-1].copy())) <= 1


def test_twice_mirrored_is_the_hash_again() -> None:
    assert mirrored_hash(mirrored_hash(0x0123456789ABCDEF)) == 0x0123456789ABCDEF


def test_a_table_of_signed_numbers_holds_every_hash() -> None:
    for value in (0, 1, 2**63 - 1, 2**63, 2**64 - 1):
        assert int(np.array([to_signed(value)], np.int64).view(np.uint64)[0]) == value


def test_any_picture_has_a_hash() -> None:
    for shape in ((1, 1), (1, 500), (700, 2), (31, 33)):
        assert 0 <= picture_hash(np.full((*shape, 3), 90, np.uint8)) < 2**64


def _found(hashes: list[int], max_distance: int, prefer: list[bool] | None = None) -> list[int]:
    preferred = np.array([False] * len(hashes) if prefer is None else prefer, bool)
    return find_duplicates(np.array(hashes, np.uint64), max_distance, preferred).tolist()


def test_of_a_group_the_first_stays() -> None:
    assert _found([5, 2**40, 5, 4, 7], 1) == [-1, -1, 0, 0, 0]


def test_of_a_group_a_preferred_one_stays() -> None:
    assert _found([5, 5, 2**40, 4], 1, [False, True, False, False]) == [1, -1, -1, 1]


def test_a_mirrored_copy_is_a_duplicate() -> None:
    assert _found([12345, mirrored_hash(12345) ^ 2], 1) == [-1, 0]


def test_a_distance_of_minus_one_keeps_all_and_of_zero_all_but_equals() -> None:
    assert _found([1, 1, 3], -1) == [-1, -1, -1]
    assert _found([1, 1, 3], 0) == [-1, 0, -1]
    assert _found([], 3) == []


def _by_force(hashes: list[int], max_distance: int, prefer: list[bool]) -> list[int]:
    """As the docstring says it, pair by pair."""
    order = sorted(range(len(hashes)), key=lambda i: (not prefer[i], i))

    def near(i: int, j: int) -> bool:
        apart = min(_bits_apart(hashes[i], other) for other in (hashes[j], mirrored_hash(hashes[j])))
        return apart <= max_distance

    stays: dict[int, int] = {}
    for rank, i in enumerate(order):
        first = next((j for j in order[:rank] if near(i, j)), i)
        stays[i] = i if first == i else stays[first]
    return [-1 if stays[i] == i else stays[i] for i in range(len(hashes))]


@st.composite
def _related(draw: st.DrawFn) -> list[int]:
    """Some hashes, and others that differ from them in a few bits, mirrored or not."""
    hashes = draw(st.lists(st.integers(0, 2**64 - 1), min_size=1, max_size=5))
    for _ in range(draw(st.integers(0, 20))):
        one = draw(st.sampled_from(hashes))
        one = mirrored_hash(one) if draw(st.booleans()) else one
        for bit in draw(st.lists(st.integers(0, 63), max_size=8)):
            one ^= 1 << bit
        hashes.append(one)
    return hashes


@settings(max_examples=300, deadline=None)
@given(_related(), st.integers(0, 8))
def test_no_pair_within_the_distance_is_missed(hashes: list[int], max_distance: int) -> None:
    prefer = [bit > 0.7 for bit in np.random.default_rng(len(hashes)).random(len(hashes))]
    assert _found(hashes, max_distance, prefer) == _by_force(hashes, max_distance, prefer)


@pytest.mark.parametrize("max_distance", [3, 16])
def test_many_hashes_give_what_pair_by_pair_gives(max_distance: int) -> None:
    random = np.random.default_rng(0)
    some = random.integers(0, 2**64, 300, dtype=np.uint64)
    flips = np.uint64(1) << random.integers(0, 64, (300, 2), dtype=np.uint64)
    hashes = np.concatenate([some, some ^ flips[:, 0] ^ flips[:, 1]])
    prefer = random.random(600) < 0.2
    expected = _by_force(hashes.tolist(), max_distance, prefer.tolist())
    assert find_duplicates(hashes, max_distance, prefer).tolist() == expected


def test_two_that_stay_are_never_near() -> None:
    random = np.random.default_rng(1)
    # Few bits in use: chains of neighbours everywhere.
    hashes = random.integers(0, 2**12, 500, dtype=np.uint64) << np.uint64(20)
    found = find_duplicates(hashes, 2, np.zeros(500, bool))
    kept = [int(one) for one in hashes[found == -1]]
    near = [
        _bits_apart(a, b) <= 2 or _bits_apart(a, mirrored_hash(b)) <= 2 for i, a in enumerate(kept) for b in kept[:i]
    ]
    assert not any(near) and (found[found[found >= 0]] == -1).all()
