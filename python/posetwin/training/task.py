"""What the training loop asks of whatever it trains: the secondary adapter (Eq. 40) or the primary one (Eq. 12)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from diffusers.models.adapter import T2IAdapter

from posetwin.training.batches import Batches
from posetwin.training.routes import Denoiser
from posetwin.training.world import World

Terms = dict[str, torch.Tensor]
Means = dict[str, float]


@dataclass(frozen=True)
class Seen:
    """What one rank saw at one t: each logged number, unweighted, as a sum over the rank's samples (0-dim)."""

    t: int
    sums: Terms

    def plus(self, other: Seen) -> Seen:
        """Of both parts of a rank's share, at the same t."""
        return Seen(self.t, {name: value + other.sums[name] for name, value in self.sums.items()})


def global_means(
    world: World, seen: list[Seen], count: int, beside: torch.Tensor | None = None
) -> tuple[list[tuple[int, Means]], float]:
    """(t, means over `count` samples of all ranks), and one number `beside` them as it is on this rank: fetched from
    the device at once, which is the one time that a step waits for it."""
    names = list(seen[0].sums)
    sums = torch.stack([torch.stack([one.sums[name] for name in names]) for one in seen])
    means = world.sum(sums) / count
    number = means.new_zeros(()) if beside is None else beside.to(means)
    *values, last = torch.cat([means.flatten(), number.flatten()]).tolist()
    rows = (values[start : start + len(names)] for start in range(0, len(values), len(names)))
    return [(one.t, dict(zip(names, row, strict=True))) for one, row in zip(seen, rows, strict=True)], last


class Task(Protocol):
    """A loss on one adapter. Indices are global sample indices; everything is a function of (seed, index, step)."""

    @property
    def adapter(self) -> T2IAdapter:
        """What is trained; everything else is frozen."""
        ...

    @property
    def used_terms(self) -> tuple[str, ...]:
        """The terms that are minimised: a step in which one of them is not finite has diverged."""
        ...

    def drawn(self, step: int) -> int:
        """The step whose batch, t and noise `step` has: itself, unless they come from a bank."""
        ...

    @property
    def logged_terms(self) -> tuple[str, ...]:
        """The names of what `held_out` tells."""
        ...

    @property
    def denoiser(self) -> Denoiser:
        """θ under the method's readings."""
        ...

    @property
    def batches(self) -> Batches: ...

    def features(self, adapter: torch.nn.Module, controls: torch.Tensor) -> list[torch.Tensor]:
        """F_Φ(X_0) of control maps (B, channels, H, W) in [0, 1], scaled."""
        ...

    def accumulate(self, adapter: torch.nn.Module, indices: range, step: int, scale: float) -> list[Seen]:
        """Add the gradients of `scale` times the sum over samples of what is minimised, and tell what was seen.

        adapter: `self.adapter`, or what DDP wraps it in."""
        ...

    def held_out(self, positions: list[int], t: int) -> Seen:
        """The sums over these held-out pairs, without gradient."""
        ...

    def objective_of(self, seen: list[tuple[int, Means]]) -> float:
        """What is minimised, from (t, means over samples)."""
        ...

    def gate_terms(self, indices: range, t: int) -> Callable[[], Terms]:
        """() → scalar terms at t from the current parameters, always on the same batch: for the gradient self-test."""
        ...

    def instrument(self, indices: range) -> tuple[Callable[[], Terms], list[torch.nn.Parameter]] | None:
        """The part of the path that no schedule touches, on clean pictures: scalar terms and what they depend on; None
        where there is no such part. It tells a broken detector from a hopeless schedule."""
        ...

    def step_event(self, seen: list[tuple[int, Means]]) -> dict[str, Any]:
        """The event of a step from (t, means over the global batch); the loop adds step, norm, rate and duration."""
        ...
