from __future__ import annotations

import numpy as np
import pytest

from posetwin.metrics.intervals import paired_bootstrap


def test_the_estimate_is_the_difference_of_the_means() -> None:
    found = paired_bootstrap(np.array([1.0, 2.0, 6.0]), np.array([0.0, 1.0, 2.0]))
    assert found.estimate == pytest.approx(2)
    assert found.low <= found.estimate <= found.high


def test_a_reduction_is_the_share_by_which_the_first_is_lower() -> None:
    found = paired_bootstrap(np.array([1.0, 2.0]), np.array([2.0, 4.0]), statistic="reduction")
    # The ratio is the same in every pair, so that drawing pairs again never changes it.
    assert found == pytest.approx((0.5, 0.5, 0.5))


def test_the_interval_is_near_the_normal_one_for_many_samples() -> None:
    rng = np.random.default_rng(0)
    shared = rng.normal(0, 5, 2000)
    first, second = shared + rng.normal(1, 1, 2000), shared
    found = paired_bootstrap(first, second)
    error = 1.96 * (first - second).std() / np.sqrt(2000)
    assert (found.high - found.low) / 2 == pytest.approx(error, rel=0.08)


def test_it_covers_the_truth_about_as_often_as_it_says() -> None:
    rng = np.random.default_rng(1)
    hits = 0
    for trial in range(200):
        first, second = rng.normal(0.5, 1, 60), rng.normal(0, 1, 60)
        found = paired_bootstrap(first, second, resamples=500, seed=trial, level=0.9)
        hits += found.low <= 0.5 <= found.high
    assert 160 <= hits <= 196


def test_the_same_seed_gives_the_same_interval() -> None:
    values = np.arange(10.0), np.arange(10.0)[::-1].copy()
    assert paired_bootstrap(*values, seed=3) == paired_bootstrap(*values, seed=3)


def test_rows_of_different_lengths_are_refused() -> None:
    with pytest.raises(ValueError, match="paired"):
        paired_bootstrap(np.ones(3), np.ones(4))
