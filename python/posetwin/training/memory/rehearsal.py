"""The parts of a training that may need the most memory, each run once by the code that trains."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import count

import torch

from posetwin.contracts import Train
from posetwin.training.gradient_gate import check_gradients
from posetwin.training.gradient_sides import SAMPLES, gradient_sides
from posetwin.training.memory.ledger import Ledger
from posetwin.training.memory.task import AnyTask, Training, at_first_t, step_of_first_t
from posetwin.training.secondary import SecondaryTask
from posetwin.training.self_test import SAMPLES as TESTED_SAMPLES
from posetwin.training.task import Terms
from posetwin.training.world import World

# AdamW8bit keeps smaller parameters in full.
LEAST_IN_8_BITS = 4096


class _Enough(Exception):
    """Ends what would only repeat itself."""


@dataclass(frozen=True)
class _Rank(World):
    """One of several ranks, who hears nothing from the others."""

    def sum(self, values: torch.Tensor) -> torch.Tensor:
        return values


def _called(compute: Callable[[], Terms], times: int) -> Callable[[], Terms]:
    """`compute`, which may be called so often."""
    calls = count()

    def limited() -> Terms:
        if next(calls) == times:
            raise _Enough
        return compute()

    return limited


def _moment(parameter: torch.nn.Parameter, settings: Train) -> torch.Tensor:
    """AdamW keeps two of these for each parameter."""
    in_8_bits = settings.use_8bit_adam and parameter.numel() >= LEAST_IN_8_BITS
    return torch.empty(parameter.numel(), dtype=torch.uint8 if in_8_bits else parameter.dtype)


@dataclass(frozen=True)
class Rehearsal:
    """The parts in the order of a training. peaks: what they needed so far, in bytes, by name."""

    training: Training
    task: AnyTask
    ledger: Ledger
    peaks: dict[str, int]

    @contextmanager
    def _part(self, name: str) -> Iterator[None]:
        self.ledger.restart()
        yield
        self.peaks[name] = self.ledger.peak

    @property
    def _parameters(self) -> list[torch.nn.Parameter]:
        return list(self.task.adapter.parameters())

    def self_test(self) -> None:
        """The gradient gate: the graph of all terms, their gradients, one of its finite differences, all alike."""
        training, t = self.training, self.task.denoiser.steps.trainable[0]
        samples = min(TESTED_SAMPLES, training.batch_size * training.train.gradient_accumulation_steps)
        with self._part("self_test"):
            compute = self.task.gate_terms(range(samples), t)
            with suppress(_Enough):
                check_gradients(_called(compute, 2), self.task.used_terms, self._parameters, t)

    def optimizer_state(self) -> list[torch.Tensor]:
        """What AdamW and the average of the weights hold from the first step on; it stands while the list does."""
        settings, parameters = self.training.train, self._parameters
        moments = [_moment(parameter, settings) for parameter in parameters for _ in range(2)]
        average = [torch.empty_like(parameter) for parameter in parameters] if settings.ema_decay > 0 else []
        self.ledger.own("optimizer", (*moments, *average))
        return [*moments, *average]

    def step(self) -> None:
        """As the training loop takes it, at the lower of the two t; the optimiser needs less than the way there."""
        training, number = self.training, step_of_first_t(self.task)
        with self._part("step"), self.ledger.watch_autograd():
            # From the second part on there are gradients already.
            for _part in range(min(2, training.train.gradient_accumulation_steps)):
                self.task.accumulate(self.task.adapter, range(training.batch_size), number, 1.0)
            torch.nn.utils.clip_grad_norm_(self._parameters, training.train.max_grad_norm)

    def gradient_sides(self) -> None:
        """What is measured at every boundary, at one t, one sample at a time: as a rank with a single one does."""
        if not isinstance(self.task, SecondaryTask):
            return
        with self._part("gradient_sides"):
            gradient_sides(at_first_t(self.task, self.training), _Rank(0, SAMPLES, torch.device("cpu")))
