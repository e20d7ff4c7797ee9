from __future__ import annotations

import itertools
import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chisquare

from posetwin.training.permutation import permuted, round_keys

SMALL = [1, 2, 3, 4, 5, 6, 7, 9, 16, 17, 31, 97, 128, 1000, 1009]


def order(length: int, cycle: int, purpose: str = "order") -> list[int]:
    keys = round_keys(3, purpose, cycle)
    return [permuted(index, length, keys) for index in range(length)]


def is_odd(permutation: list[int]) -> bool:
    return sum(first > second for first, second in itertools.combinations(permutation, 2)) % 2 == 1


@pytest.mark.parametrize("length", SMALL)
def test_every_index_has_a_place_of_its_own(length: int) -> None:
    assert sorted(order(length, 0)) == list(range(length))


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 400), st.integers(0, 2**32 - 1), st.integers(0, 10**6))
def test_it_is_a_bijection_for_any_length_seed_and_cycle(length: int, seed: int, cycle: int) -> None:
    keys = round_keys(seed, "order", cycle)
    assert {permuted(index, length, keys) for index in range(length)} == set(range(length))


@pytest.mark.parametrize("length", [9_000_000, 15_485_863, 2**31 + 1, 1_800_000_000])
def test_places_of_a_long_order_differ_and_spread_over_all_of_it(length: int) -> None:
    keys = round_keys(0, "order", 0)
    indices = [*range(2000), *range(length - 2000, length)]
    places = [permuted(index, length, keys) for index in indices]
    assert len(set(places)) == len(places)
    assert all(0 <= place < length for place in places)
    tenths = np.bincount([10 * place // length for place in places], minlength=10)
    assert chisquare(tenths).pvalue > 1e-4


@pytest.mark.parametrize(("index", "length"), [(-1, 5), (5, 5), (0, 0)])
def test_an_index_outside_the_length_is_refused(index: int, length: int) -> None:
    with pytest.raises(IndexError):
        permuted(index, length, round_keys(0, "order", 0))


def test_seeds_purposes_and_cycles_give_orders_of_their_own() -> None:
    keys = [round_keys(0, "order", 0), round_keys(1, "order", 0), round_keys(0, "t", 0), round_keys(0, "order", 1)]
    orders = {tuple(permuted(index, 50, key) for index in range(50)) for key in keys}
    assert len(orders) == 4


# The p values are of fixed draws: what passes once passes always.
@pytest.mark.parametrize(("length", "cycles"), [(2, 4000), (3, 6000), (4, 12_000), (5, 12_000)])
def test_all_orders_of_a_few_are_equally_likely(length: int, cycles: int) -> None:
    found = Counter(tuple(order(length, cycle, "t")) for cycle in range(cycles))
    assert len(found) == math.factorial(length)
    assert chisquare(list(found.values())).pvalue > 0.01


@pytest.mark.parametrize("length", [7, 9, 25, 50])
def test_every_index_comes_first_and_every_two_come_first_equally_often(length: int) -> None:
    cycles = 20 * length * (length - 1) if length < 10 else 4000
    firsts = np.array([[permuted(i, length, round_keys(5, "t", c)) for i in (0, 1)] for c in range(cycles)])
    assert chisquare(np.bincount(firsts[:, 0], minlength=length)).pvalue > 0.01
    pairs = np.bincount(firsts[:, 0] * length + firsts[:, 1], minlength=length**2).reshape(length, length)
    assert pairs.diagonal().sum() == 0
    assert chisquare(pairs[~np.eye(length, dtype=bool)]).pvalue > 0.01


@pytest.mark.parametrize("length", [7, 8, 9])
def test_half_of_the_orders_are_odd_permutations(length: int) -> None:
    # On a grid of odd sides there would be none (n = 9).
    odd = sum(is_odd(order(length, cycle)) for cycle in range(2000))
    assert chisquare([odd, 2000 - odd]).pvalue > 0.01
