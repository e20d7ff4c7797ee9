"""The parts of a training that may need the most memory, each run once by the code that trains."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import count

import torch

from posetwin.training.gradient_gate import check_gradients
from posetwin.training.gradient_sides import SAMPLES, gradient_sides
from posetwin.training.loop import GATE_SAMPLES, make_optimizer
from posetwin.training.memory.ledger import Ledger
from posetwin.training.memory.task import AnyTask, Training, at_first_t, denoiser_of, step_of_first_t
from posetwin.training.secondary import SecondaryTask
from posetwin.training.task import Terms
from posetwin.training.world import World


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
        training, t = self.training, denoiser_of(self.task).steps.trainable[0]
        samples = min(GATE_SAMPLES, training.batch_size * training.train.gradient_accumulation_steps)
        with self._part("self_test"):
            compute = self.task.gate_terms(range(samples), t)
            with suppress(_Enough):
                check_gradients(_called(compute, 2), self.task.used_terms, self._parameters, t)

    def optimizer_after_a_step(self) -> torch.optim.Optimizer:
        """With the state that a step along gradients of zero leaves."""
        optimizer = make_optimizer(self.task.adapter, self.training.train)
        for parameter in self._parameters:
            parameter.grad = torch.zeros_like(parameter)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        for state in optimizer.state.values():
            self.ledger.own("optimizer", (value for value in state.values() if isinstance(value, torch.Tensor)))
        return optimizer

    def step(self, optimizer: torch.optim.Optimizer) -> None:
        """As the training loop takes it, at the lower of the two t."""
        training, number = self.training, step_of_first_t(self.task)
        with self._part("step"), self.ledger.watch_autograd():
            # From the second part on there are gradients already.
            for _part in range(min(2, training.train.gradient_accumulation_steps)):
                self.task.accumulate(self.task.adapter, range(training.batch_size), number, 1.0)
            torch.nn.utils.clip_grad_norm_(self._parameters, training.train.max_grad_norm)
            optimizer.step()

    def gradient_sides(self) -> None:
        """What is measured at every boundary, at one t, one sample at a time: as a rank with a single one does."""
        if not isinstance(self.task, SecondaryTask):
            return
        with self._part("gradient_sides"):
            gradient_sides(at_first_t(self.task, self.training), _Rank(0, SAMPLES, torch.device("cpu")))
