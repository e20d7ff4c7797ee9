"""The training loop, from the first step to the last, for the primary and the secondary adapter alike."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch
from diffusers.models.adapter import T2IAdapter
from torch.nn.parallel import DistributedDataParallel

from posetwin.contracts import Train
from posetwin.errors import PosetwinError
from posetwin.training.boundary import wait_for_decision
from posetwin.training.checkpoint import TrainingState, load_newest, save_checkpoint
from posetwin.training.gradient_gate import Tested, check_gradients, find_fault
from posetwin.training.moments import at
from posetwin.training.order import global_indices, learning_rate, share_of_rank
from posetwin.training.task import Means, Seen, Task
from posetwin.training.world import World
from posetwin.watchdog import beat

Emit = Callable[[dict[str, Any]], None]
Outcome = Literal["done", "stopped_early", "interrupted", "refused"]
GATE_SAMPLES, GATE_STEPS = 2, 3


@dataclass(frozen=True)
class Boundaries:
    """Where TypeScript is asked whether training goes on: at every multiple of `steps`, by the journal `decisions`.
    measure: what is measured and told there, and before the first step, given the steps done."""

    steps: int
    decisions: Path
    measure: Callable[[int], None]


@dataclass(frozen=True)
class Trainer:
    """Everything a run needs. gate_t: the t of the gradient self-test. boundaries: None for a training that only ends
    with its steps. stop_requested: true once the process was asked to end."""

    task: Task
    settings: Train
    seed: int
    world: World
    checkpoints: Path
    gate_t: list[int]
    boundaries: Boundaries | None
    emit: Emit
    stop_requested: Callable[[], bool]

    def train(self, started: Callable[[int], None] = lambda step: None) -> tuple[Outcome, int]:
        """Run to `max_train_steps`, to a decision to stop, or to an interruption; every one of them ends in a
        checkpoint. `started` hears from which step it goes on. Returns the outcome and the steps done: `refused` and 0
        where the schedule leaves no gradient to train with, which is a result and no failure.

        Raises PosetwinError: diverged (the last good checkpoint is kept), dead_gradient, disk_full.
        """
        settings, world = self.settings, self.world
        optimizer = make_optimizer(self.task.adapter, settings)
        state = load_newest(self.checkpoints, self.task.adapter, optimizer, self.seed, self._skipped)
        done = state.step if state else 0
        started(done)
        if done == 0:
            if self.world.any(self.is_hopeless()):
                return "refused", 0
            self._measure(0)
        adapter = world.wrap(self.task.adapter)
        at("training_ready", done)

        # A run that ended right at a boundary is asked about it again: the answer may have come since.
        if self._ends_at_boundary(done):
            return "stopped_early", done
        for step in range(done + 1, settings.max_train_steps + 1):
            self._step(step, adapter, optimizer)
            at("after_step", step)
            self._measure(step)
            # A boundary left without an answer is asked about again on resuming, before the first step.
            stopped = not world.any(self.stop_requested()) and self._ends_at_boundary(step)
            interrupted = not stopped and world.any(self.stop_requested())
            last = stopped or interrupted or step == settings.max_train_steps
            if last or step % settings.checkpointing_steps == 0:
                self._save(step, optimizer)
            if stopped:
                return "stopped_early", step
            if interrupted and step < settings.max_train_steps:
                return "interrupted", step
        return "done", settings.max_train_steps

    def _step(self, step: int, adapter: torch.nn.Module, optimizer: torch.optim.AdamW) -> None:
        """One optimiser step on the global batch, and its event."""
        at("before_forward", step)
        began, settings, world = time.perf_counter(), self.settings, self.world
        mine = share_of_rank(global_indices(step, settings.global_batch_size), world.rank, world.size)
        optimizer.zero_grad(set_to_none=True)
        # Sums over this rank's samples; DDP averages gradients over ranks, hence the factor.
        seen = self._accumulate(adapter, mine, step, world.size / settings.global_batch_size)
        at("after_backward", step)
        grad_norm = float(torch.nn.utils.clip_grad_norm_(self.task.adapter.parameters(), settings.max_grad_norm))
        means = self._global_means(seen)
        self._refuse_divergence(step, means, grad_norm)
        rate = learning_rate(step, settings)
        for group in optimizer.param_groups:
            group["lr"] = rate
        at("gradients_clipped", step)
        optimizer.step()
        at("optimizer_stepped", step)
        duration_ms = (time.perf_counter() - began) * 1000
        event = {**self.task.step_event(means), "grad_norm": grad_norm, "learning_rate": rate}
        self.emit({**event, "step": step, "duration_ms": duration_ms})

    def _accumulate(self, adapter: torch.nn.Module, mine: range, step: int, scale: float) -> list[Seen]:
        """Gradients of the rank's share, part by part; ranks exchange them once, in the last part."""
        parts = self.settings.gradient_accumulation_steps
        found: list[Seen] = []
        for part in range(parts):
            last = part == parts - 1
            with adapter.no_sync() if isinstance(adapter, DistributedDataParallel) and not last else nullcontext():
                seen = self.task.accumulate(adapter, share_of_rank(mine, part, parts), step, scale)
            found = [one.plus(other) for one, other in zip(found, seen, strict=True)] if found else seen
        return found

    def _global_means(self, seen: list[Seen]) -> list[tuple[int, Means]]:
        """The sums of all ranks over the global batch, fetched from the device at once."""
        names = list(seen[0].sums)
        sums = torch.stack([torch.stack([one.sums[name] for name in names]) for one in seen])
        rows = (self.world.sum(sums) / self.settings.global_batch_size).tolist()
        return [(one.t, dict(zip(names, row, strict=True))) for one, row in zip(seen, rows, strict=True)]

    def is_hopeless(self) -> bool:
        """The gradient self-test on this rank's first samples, at a few t (see gradient_gate): true where the schedule
        leaves nothing to train with. Raises PosetwinError: dead_gradient where the detector or the loss is at fault."""
        mine = share_of_rank(range(self.settings.global_batch_size), self.world.rank, self.world.size)
        parameters, results = list(self.task.adapter.parameters()), list[Tested]()
        for t in self.gate_t:
            beat("self_test", t)
            compute = self.task.gate_terms(mine[:GATE_SAMPLES], t)
            results += check_gradients(compute, self.task.used_terms, parameters, t)
        for result in results:
            self.emit({"type": "gradient_gate", **vars(result)})
        fault = find_fault(results)
        if fault is None:
            return False
        self._refuse_broken_instrument(mine[:GATE_SAMPLES], fault)
        message = f"{fault}; decoder and detector work on clean pictures, so it is the schedule that leaves no gradient"
        self.emit({"type": "warning", "code": "dead_gradient", "message": message})
        return True

    def _refuse_broken_instrument(self, indices: range, fault: str) -> None:
        instrument = self.task.instrument(indices)
        if instrument is not None:
            compute, depends_on = instrument
            if find_fault(check_gradients(compute, tuple(compute()), depends_on, 0)) is None:
                return
        hint = "no step from the adapter to the loss may leave torch or round: check the detector"
        raise PosetwinError("dead_gradient", fault, hint)

    def _refuse_divergence(self, step: int, means: list[tuple[int, Means]], grad_norm: float) -> None:
        faults = [f"{name} at t = {t}" for t, m in means for name in self.task.used_terms if not math.isfinite(m[name])]
        if not math.isfinite(grad_norm):
            faults.append(f"the gradient at t = {', '.join(str(t) for t, _ in means)}")
        if faults:
            raise PosetwinError(
                "diverged",
                f"step {step}: {'; '.join(faults)} is not finite",
                "lower train.learning_rate or look at this t of the schedule; the last checkpoint is intact",
            )

    def _is_boundary(self, step: int) -> bool:
        return self.boundaries is not None and step % self.boundaries.steps == 0

    def _measure(self, step: int) -> None:
        if self.boundaries is not None and self._is_boundary(step):
            self.boundaries.measure(step)
            at("boundary_measured", step)

    def _ends_at_boundary(self, step: int) -> bool:
        """Rank 0 asks at every boundary; the others hear the answer."""
        if self.boundaries is None or step == 0 or not self._is_boundary(step):
            return False
        answer = None
        if self.world.is_main:
            ask: dict[str, Any] = {"type": "boundary", "step": step}
            answer = wait_for_decision(self.boundaries.decisions, step, lambda: self.emit(ask), self.stop_requested)
        return self.world.from_main(answer == "stop")

    def _save(self, step: int, optimizer: torch.optim.AdamW) -> None:
        if self.world.is_main:
            state = TrainingState(step=step, seed=self.seed)
            limit = self.settings.checkpoints_total_limit
            path = save_checkpoint(self.checkpoints, self.task.adapter, optimizer, state, limit)
            self.emit({"type": "checkpoint", "step": step, "path": str(path)})

    def _skipped(self, folder: Path, reason: str) -> None:
        self.emit({"type": "checkpoint_skipped", "path": str(folder), "reason": reason})


def make_optimizer(adapter: T2IAdapter, train: Train) -> torch.optim.AdamW:
    return torch.optim.AdamW(
        adapter.parameters(),
        lr=train.learning_rate,
        betas=(train.adam_beta1, train.adam_beta2),
        weight_decay=train.adam_weight_decay,
        eps=train.adam_epsilon,
        foreach=False,
    )
