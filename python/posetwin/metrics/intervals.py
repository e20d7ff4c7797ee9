"""How sure a comparison is: paired bootstrap intervals (Efron and Tibshirani, 1993, percentile method)."""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np

Statistic = Literal["difference", "reduction"]


class Interval(NamedTuple):
    """An estimate and the ends of its interval."""

    estimate: float
    low: float
    high: float


def _compare(first: np.ndarray, second: np.ndarray, statistic: Statistic) -> np.ndarray:
    """Along the last axis: mean of first - second, or by which share the mean of first is below that of second."""
    a, b = first.mean(axis=-1), second.mean(axis=-1)
    return a - b if statistic == "difference" else 1 - a / b


def paired_bootstrap(
    first: np.ndarray,
    second: np.ndarray,
    *,
    statistic: Statistic = "difference",
    level: float = 0.95,
    resamples: int = 10_000,
    seed: int = 0,
) -> Interval:
    """Interval of a comparison of two methods on the same samples, which are drawn again in pairs.

    first, second: (N,) one value a sample, in the same order. statistic: "difference" of the means, or "reduction",
    1 - mean(first) / mean(second): 0.5 where the first's error is half of the second's. A function of its arguments.
    """
    a, b = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    if a.shape != b.shape or a.ndim != 1 or len(a) == 0:
        raise ValueError(f"paired samples must be two rows of one length, not {a.shape} and {b.shape}")
    rng = np.random.default_rng(seed)
    again = [rng.integers(len(a), size=(min(1000, resamples - start), len(a))) for start in range(0, resamples, 1000)]
    values = np.concatenate([_compare(a[index], b[index], statistic) for index in again])
    low, high = np.quantile(values, [(1 - level) / 2, (1 + level) / 2])
    return Interval(float(_compare(a, b, statistic)), float(low), float(high))
