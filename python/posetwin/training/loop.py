"""The training loop, from the first step to the last, for the primary and the secondary adapter alike."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import torch
from torch.nn.parallel import DistributedDataParallel

from posetwin.contracts import Train
from posetwin.moments import at
from posetwin.training.boundary import Boundaries
from posetwin.training.checkpoint import TrainingState, load_newest, save_checkpoint
from posetwin.training.lookout import Lookout
from posetwin.training.order import global_indices, learning_rate, share_of_rank
from posetwin.training.self_test import is_hopeless
from posetwin.training.sinks import Emit
from posetwin.training.smoke import LONG, smoke
from posetwin.training.task import Seen, Task, global_means
from posetwin.training.update import Update
from posetwin.training.world import World

Outcome = Literal["done", "stopped_early", "interrupted", "refused"]


@dataclass(frozen=True)
class Trainer:
    """Everything a run needs. folder: of the stage, for checkpoints and what else is kept. boundaries: None for a
    training that only ends with its steps. stop_requested: true once the process was asked to end."""

    task: Task
    settings: Train
    seed: int
    world: World
    folder: Path
    boundaries: Boundaries | None
    emit: Emit
    stop_requested: Callable[[], bool]

    def train(self, started: Callable[[int], None] = lambda step: None) -> tuple[Outcome, int]:
        """Run to `max_train_steps`, to a decision to stop, or to an interruption; every one of them ends in a
        checkpoint. `started` hears from which step it goes on. Returns the outcome and the steps done: `refused` and 0
        where the schedule leaves no gradient to train with, which is a result and no failure.

        Raises PosetwinError: diverged (the last good checkpoint is kept), dead_gradient, disk_full, missing_package.
        """
        settings, world, update = self.settings, self.world, Update(self.task.adapter, self.settings)
        done = load_newest(self.folder / "checkpoints", self.task.adapter, update, self.seed, world, self._skipped)
        started(done)
        lookout = Lookout(self.task, settings, self.seed, world, self.folder, update, self.emit)
        if done == 0:
            if world.any(is_hopeless(self.task, self._mine(1), self.emit)):
                return "refused", 0
            self._measure(0)
            lookout.look(0)
        adapter = world.wrap(self.task.adapter)
        if settings.max_train_steps - done >= LONG:
            self.emit(smoke(lambda: self._accumulate(adapter, done + 1, 1.0), settings, world))
            update.zero_grad()
        at("training_ready", done)

        # A run that ended right at a boundary is asked about it again: the answer may have come since.
        if self._ends_at_boundary(done):
            lookout.finish()
            return "stopped_early", done
        for step in range(done + 1, settings.max_train_steps + 1):
            self._step(step, adapter, update)
            at("after_step", step)
            self._measure(step)
            lookout.look(step)
            # A boundary left without an answer is asked about again on resuming, before the first step.
            stopped = not world.any(self.stop_requested()) and self._ends_at_boundary(step)
            interrupted = not stopped and world.any(self.stop_requested())
            last = stopped or interrupted or step == settings.max_train_steps
            if last or step % settings.checkpointing_steps == 0:
                self._save(step, update)
            if stopped:
                lookout.finish()
                return "stopped_early", step
            if interrupted and step < settings.max_train_steps:
                return "interrupted", step
        lookout.finish()
        return "done", settings.max_train_steps

    def _step(self, step: int, adapter: torch.nn.Module, update: Update) -> None:
        """One optimiser step on the global batch, and its event."""
        at("before_forward", step)
        began, rate = time.perf_counter(), learning_rate(step, self.settings)
        update.zero_grad()
        seen = self._accumulate(adapter, step, update.loss_scale)
        at("after_backward", step)
        means, grad_norm = global_means(self.world, seen, self.settings.global_batch_size, update.clip())
        update.refuse_divergence(step, self.task.used_terms, means, grad_norm)
        at("gradients_clipped", step)
        scale = update.loss_scale
        update.step(rate)
        at("optimizer_stepped", step)
        duration_ms = (time.perf_counter() - began) * 1000
        if update.loss_scale != scale:
            skipped = not math.isfinite(grad_norm)
            self.emit({"type": "loss_scale", "step": step, "loss_scale": update.loss_scale, "skipped": skipped})
        event = {**self.task.step_event(means), "grad_norm": grad_norm, "learning_rate": rate}
        self.emit({**event, "step": step, "duration_ms": duration_ms})

    def _mine(self, step: int) -> range:
        """This rank's share of a step's global sample indices."""
        indices = global_indices(self.task.drawn(step), self.settings.global_batch_size)
        return share_of_rank(indices, self.world.rank, self.world.size)

    def _accumulate(self, adapter: torch.nn.Module, step: int, loss_scale: float) -> list[Seen]:
        """Gradients of the rank's share, part by part; ranks exchange them once, in the last part."""
        # Sums over this rank's samples; DDP averages gradients over ranks, hence the factor.
        factor = loss_scale * self.world.size / self.settings.global_batch_size
        parts, mine, found = self.settings.gradient_accumulation_steps, self._mine(step), list[Seen]()
        for part in range(parts):
            last = part == parts - 1
            with adapter.no_sync() if isinstance(adapter, DistributedDataParallel) and not last else nullcontext():
                seen = self.task.accumulate(adapter, share_of_rank(mine, part, parts), step, factor)
            found = [one.plus(other) for one, other in zip(found, seen, strict=True)] if found else seen
        return found

    def _measure(self, step: int) -> None:
        if self.boundaries is not None and self.boundaries.is_at(step):
            self.boundaries.measure(step)
            at("boundary_measured", step)

    def _ends_at_boundary(self, step: int) -> bool:
        """Rank 0 asks at every boundary; the others hear the answer."""
        if self.boundaries is None or step == 0 or not self.boundaries.is_at(step):
            return False
        stops = self.world.is_main and self.boundaries.ask(step, self.emit, self.stop_requested) == "stop"
        return self.world.from_main(stops)

    def _save(self, step: int, update: Update) -> None:
        if self.world.is_main:
            state, limit = TrainingState(step, self.seed), self.settings.checkpoints_total_limit
            path = save_checkpoint(self.folder / "checkpoints", self.task.adapter, update, state, limit)
            self.emit({"type": "checkpoint", "step": step, "path": str(path)})

    def _skipped(self, folder: Path, reason: str) -> None:
        self.emit({"type": "checkpoint_skipped", "path": str(folder), "reason": reason})
