"""Training of the secondary adapter, from the first step to the last."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch
from diffusers.models.adapter import T2IAdapter

from posetwin.adapters.t2i import features_of
from posetwin.contracts import Train, TrainSpec
from posetwin.errors import PosetwinError
from posetwin.training.batches import Batches
from posetwin.training.boundary import wait_for_decision
from posetwin.training.checkpoint import TrainingState, load_newest, save_checkpoint
from posetwin.training.gradient_gate import check_gradients
from posetwin.training.moments import at
from posetwin.training.objective import TERMS, USED_TERMS, Objective
from posetwin.training.order import global_indices, learning_rate, share_of_rank, step_t
from posetwin.training.routes import states_at
from posetwin.training.world import World

Emit = Callable[[dict[str, Any]], None]
Outcome = Literal["done", "stopped_early", "interrupted"]
GATE_SAMPLES = 2


@dataclass(frozen=True)
class Trainer:
    """Everything a run needs. secondary: Φ2, the only thing that changes. decisions: the journal that TypeScript
    appends to. stop_requested: true once the process was asked to end."""

    spec: TrainSpec
    objective: Objective
    batches: Batches
    secondary: T2IAdapter
    world: World
    checkpoints: Path
    decisions: Path
    emit: Emit
    stop_requested: Callable[[], bool]

    def train(self, started: Callable[[int], None] = lambda step: None) -> tuple[Outcome, int]:
        """Run to `max_train_steps`, to a decision to stop, or to an interruption; every one of them ends in a
        checkpoint. `started` hears from which step it goes on. Returns the outcome and the steps done.

        Raises PosetwinError: diverged (the last good checkpoint is kept), dead_gradient, disk_full.
        """
        train, world = self.spec.train, self.world
        optimizer = make_optimizer(self.secondary, train)
        state = load_newest(self.checkpoints, self.secondary, optimizer, self._skipped)
        done = state.step if state else 0
        started(done)
        if done == 0:
            self.check_gradients()
        adapter = world.wrap(self.secondary)

        # A run that ended right at a boundary is asked about it again: the answer may have come since.
        if self._ends_at_boundary(done):
            return "stopped_early", done
        for step in range(done + 1, train.max_train_steps + 1):
            self._step(step, adapter, optimizer)
            at("after_step", step)
            # A boundary left without an answer is asked about again on resuming, before the first step.
            stopped = not world.any(self.stop_requested()) and self._ends_at_boundary(step)
            interrupted = not stopped and world.any(self.stop_requested())
            last = stopped or interrupted or step == train.max_train_steps
            if last or step % train.checkpointing_steps == 0:
                self._save(step, optimizer)
            if stopped:
                return "stopped_early", step
            if interrupted and step < train.max_train_steps:
                return "interrupted", step
        return "done", train.max_train_steps

    def _step(self, step: int, adapter: torch.nn.Module, optimizer: torch.optim.AdamW) -> None:
        """One optimiser step on the global batch, and its event."""
        began = time.perf_counter()
        train, world = self.spec.train, self.world
        t = step_t(self.spec.seed, step, self.objective.denoiser.steps.trainable)
        mine = share_of_rank(global_indices(step, train.global_batch_size), world.rank, world.size)
        batch = self.batches.gather(mine)

        features_b = features_of(adapter, batch.controls_b, self.spec.adapter.conditioning_scale)
        states = states_at(self.objective.denoiser, batch, [feature.detach() for feature in features_b], t)
        evaluated = self.objective.evaluate(batch, states, features_b, t)
        # Sums over this rank's samples; DDP averages gradients over ranks, hence the factor.
        per_sample = self.objective.minimised(evaluated.terms, t)
        optimizer.zero_grad(set_to_none=True)
        (per_sample.sum() * (world.size / train.global_batch_size)).backward()
        grad_norm = torch.nn.utils.clip_grad_norm_(self.secondary.parameters(), train.max_grad_norm)

        sums = [evaluated.terms[name].detach().sum() for name in TERMS] + [evaluated.confidence.sum()]
        means = world.sum(torch.stack(sums)) / train.global_batch_size
        *values, confidence = means.tolist()
        terms, norm = dict(zip(TERMS, values, strict=True)), float(grad_norm)
        self._refuse_divergence(step, t, terms, norm)
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(step, train)
        optimizer.step()
        self.emit(
            {
                "type": "step",
                "step": step,
                "t": t,
                "terms": {name: _logged(value) for name, value in terms.items()},
                "loss": _logged(self.objective.loss(terms, t)),
                "objective": _logged(self.objective.minimised(terms, t)),
                "grad_norm": norm,
                "learning_rate": learning_rate(step, train),
                "confidence": _logged(confidence),
                "duration_ms": (time.perf_counter() - began) * 1000,
            }
        )

    def check_gradients(self) -> None:
        """The gradient self-test on the first samples, at the middle step (see gradient_gate)."""
        denoiser, scale = self.objective.denoiser, self.spec.adapter.conditioning_scale
        t = denoiser.steps.trainable[len(denoiser.steps.trainable) // 2]
        batch = self.batches.gather(range(min(GATE_SAMPLES, self.spec.train.global_batch_size)))
        with torch.no_grad():
            states = states_at(denoiser, batch, features_of(self.secondary, batch.controls_b, scale), t)

        def compute() -> dict[str, torch.Tensor]:
            features = features_of(self.secondary, batch.controls_b, scale)
            terms = self.objective.evaluate(batch, states, features, t).terms
            return {name: values.mean() for name, values in terms.items()}

        check_gradients(compute, USED_TERMS[self.spec.method.objective], list(self.secondary.parameters()))

    def _refuse_divergence(self, step: int, t: int, terms: dict[str, float], grad_norm: float) -> None:
        faults = [name for name in USED_TERMS[self.spec.method.objective] if not math.isfinite(terms[name])]
        if not math.isfinite(grad_norm):
            faults.append("the gradient")
        if faults:
            raise PosetwinError(
                "diverged",
                f"step {step} at t = {t}: {', '.join(faults)} is not finite",
                "lower train.learning_rate or look at this t of the schedule; the last checkpoint is intact",
            )

    def _ends_at_boundary(self, step: int) -> bool:
        """Rank 0 asks at every multiple of decision_steps; the others hear the answer."""
        if step == 0 or step % self.spec.convergence.decision_steps:
            return False
        answer = None
        if self.world.is_main:
            ask: dict[str, Any] = {"type": "boundary", "step": step}
            answer = wait_for_decision(self.decisions, step, lambda: self.emit(ask), self.stop_requested)
        return self.world.from_main(answer == "stop")

    def _save(self, step: int, optimizer: torch.optim.AdamW) -> None:
        if self.world.is_main:
            state = TrainingState(step=step, seed=self.spec.seed)
            limit = self.spec.train.checkpoints_total_limit
            path = save_checkpoint(self.checkpoints, self.secondary, optimizer, state, limit)
            self.emit({"type": "checkpoint", "step": step, "path": str(path)})

    def _skipped(self, folder: Path, reason: str) -> None:
        self.emit({"type": "checkpoint_skipped", "path": str(folder), "reason": reason})


def _logged(value: float) -> float | None:
    """A term outside the objective may be infinite (Eq. 18 at a nearly clean step): null in the log."""
    return value if math.isfinite(value) else None


def make_optimizer(adapter: T2IAdapter, train: Train) -> torch.optim.AdamW:
    return torch.optim.AdamW(
        adapter.parameters(),
        lr=train.learning_rate,
        betas=(train.adam_beta1, train.adam_beta2),
        weight_decay=train.adam_weight_decay,
        eps=train.adam_epsilon,
        foreach=False,
    )
