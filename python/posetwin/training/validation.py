"""Validation while an adapter is trained: the loss on held-out pairs, shared among the ranks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch

from posetwin.contracts import Validation
from posetwin.moments import at
from posetwin.training.order import share_of_rank
from posetwin.training.task import Means, Seen, Task, global_means
from posetwin.training.world import World


@dataclass(frozen=True)
class Validated:
    """objective: what training minimises. terms: unweighted, means over pairs and t."""

    num_pairs: int
    objective: float
    terms: Means

    def metric(self, name: str) -> float:
        """`objective`, or a term by its name."""
        return self.objective if name == "objective" else self.terms[name]


def _parts(indices: range, size: int) -> Iterator[range]:
    yield from (indices[start : start + size] for start in range(0, len(indices), size))


def _seen_at(task: Task, chosen: list[int], mine: range, batch_size: int, t: int, step: int) -> Seen:
    seen = Seen(t, {name: torch.zeros((), device=task.adapter.device) for name in task.logged_terms})
    for part in _parts(mine, batch_size):
        seen = seen.plus(task.held_out([chosen[number] for number in part], t))
        at("validation_batch", step)
    return seen


@torch.no_grad()
def validate(task: Task, settings: Validation, world: World, batch_size: int, step: int) -> Validated:
    """The adapter as it is, on the same pairs, t and noise at every step. Raises PosetwinError: too_few_samples."""
    chosen = task.batches.choose_held_out(settings.num_pairs)
    mine = share_of_rank(range(len(chosen)), world.rank, world.size)
    steps = task.denoiser.steps.spread(settings.num_timesteps)
    seen = [_seen_at(task, chosen, mine, batch_size, t, step) for t in steps]
    rows, _ = global_means(world, seen, len(chosen))
    terms = {name: sum(means[name] for _, means in rows) / len(rows) for name in task.logged_terms}
    return Validated(len(chosen), task.objective_of(rows), terms)
