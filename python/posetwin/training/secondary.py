"""Training of the secondary adapter: Eq. 40, at one t a step, or summed over a trajectory as in Eq. 43."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import torch
from diffusers.models.adapter import T2IAdapter

from posetwin.adapters.t2i import features_of
from posetwin.losses import target_pose
from posetwin.moments import at
from posetwin.training.bank import Bank, RouteA
from posetwin.training.batches import Batches
from posetwin.training.objective import TERMS, Evaluated, Objective
from posetwin.training.order import drawn_step, step_t
from posetwin.training.routes import Batch, Denoiser, first_states, next_states, own_state_at, states_at
from posetwin.training.task import Means, Seen, Terms

Features = list[torch.Tensor]


def features_in(
    autocast: torch.dtype | None, adapter: torch.nn.Module, controls: torch.Tensor, scale: float
) -> Features:
    """F_Φ(X_0) of an adapter that computes in `autocast`: scaled, in the precision of the control maps."""
    with torch.autocast(controls.device.type, autocast, enabled=autocast is not None):
        features = features_of(adapter, controls, scale)
    return [feature.to(controls.dtype) for feature in features]


def logged(value: float) -> float | None:
    """A term outside the objective may be infinite (Eq. 18 at a nearly clean step): null in the log."""
    return value if math.isfinite(value) else None


@dataclass(frozen=True)
class SecondaryTask:
    """adapter: Φ2, the only thing that changes. See `Task`."""

    adapter: T2IAdapter
    objective: Objective
    batches: Batches
    conditioning_scale: float
    seed: int
    # The precision of the adapter's forward pass; its weights and gradients keep their own.
    autocast: torch.dtype | None = None
    # Where the batches of a step come from a bank; see `drawn_step`.
    bank: Bank | None = None

    @property
    def used_terms(self) -> tuple[str, ...]:
        return self.objective.used_terms

    @property
    def trainable(self) -> list[int]:
        return self.denoiser.steps.trainable

    def drawn(self, step: int) -> int:
        """See `Task`."""
        return drawn_step(self.seed, step, self.bank.steps if self.bank else 0, len(self.trainable))

    @property
    def logged_terms(self) -> tuple[str, ...]:
        return TERMS

    @property
    def denoiser(self) -> Denoiser:
        return self.objective.denoiser

    def features(self, adapter: torch.nn.Module, controls: torch.Tensor) -> Features:
        """See `Task`."""
        return features_in(self.autocast, adapter, controls, self.conditioning_scale)

    def _visits(self, batch: Batch, features_b: Features, indices: range, step: int) -> Iterator[tuple[int, Evaluated]]:
        """Each visited t with what both routes show there. The states carry no gradient."""
        if self.objective.method.update == "per-trajectory":
            yield from self.walk(batch, features_b)
            return
        t = step_t(self.seed, self.drawn(step), self.trainable)
        if self.bank is None:
            states = states_at(self.denoiser, batch, features_b, t)
            yield t, self.objective.evaluate(batch, states, features_b, t)
            return
        a = self.bank.recall(indices, t, batch.noise.device, lambda: self._route_a(batch, t))
        yield t, self.objective.compare(batch, a.view, self._state_b(batch, a, features_b, t), features_b, t)

    def _route_a(self, batch: Batch, t: int) -> RouteA:
        latents = own_state_at(self.denoiser, batch, "a", batch.features_a, t)
        return RouteA(latents, self.objective.view_a(batch, latents, t))

    def _state_b(self, batch: Batch, a: RouteA, features_b: Features, t: int) -> torch.Tensor:
        if self.objective.method.latents.state == "a":
            return a.latents
        return own_state_at(self.denoiser, batch, "b", features_b, t)

    def walk(self, batch: Batch, features_b: Features) -> Iterator[tuple[int, Evaluated]]:
        """Every trainable t from T down; the ε_θ that is scored at t also leads to the next state."""
        denoiser = self.denoiser
        visited = [*reversed(self.trainable), 0]
        states = first_states(denoiser, batch, visited[0])
        for t, following in pairwise(visited):
            evaluated = self.objective.evaluate(batch, states, features_b, t)
            yield t, evaluated
            if following:
                with torch.no_grad():
                    states = next_states(denoiser, batch, states, evaluated.noise_preds, t, following)

    def _weight(self, visits: int) -> float:
        """Of one visit in what is minimised, so that a step estimates Eq. 36 (`mean`) or Eq. 43 (`sum`)."""
        whole = len(self.trainable) if self.objective.method.total == "sum" else 1
        return whole / visits

    @property
    def _visits_per_step(self) -> int:
        return 1 if self.objective.method.update == "per-step" else len(self.trainable)

    def accumulate(self, adapter: torch.nn.Module, indices: range, step: int, scale: float) -> list[Seen]:
        """See `Task`."""
        batch = self.batches.gather(indices)
        features = self.features(adapter, batch.controls_b)
        # Gradients gather at the features, so that the adapter is run and differentiated once for all visits.
        leaves = [feature.detach().requires_grad_() for feature in features]
        weight, seen = scale * self._weight(self._visits_per_step), []
        for t, evaluated in self._visits(batch, leaves, indices, step):
            at("after_forward", step)
            (self.objective.minimised(evaluated.terms, t).sum() * weight).backward()
            seen.append(_seen(t, evaluated))
        torch.autograd.backward(features, [leaf.grad for leaf in leaves])
        return seen

    @torch.no_grad()
    def held_out(self, positions: list[int], t: int) -> Seen:
        """See `Task`."""
        batch = self.batches.gather_held_out(positions)
        features = self.features(self.adapter, batch.controls_b)
        evaluated = self.objective.evaluate(batch, states_at(self.denoiser, batch, features, t), features, t)
        return Seen(t, {name: evaluated.terms[name].sum() for name in TERMS})

    def objective_of(self, seen: list[tuple[int, Means]]) -> float:
        """See `Task`."""
        return sum(self.objective.minimised(means, t) for t, means in seen) * self._weight(len(seen))

    def gate_terms(self, indices: range, t: int) -> Callable[[], Terms]:
        """See `Task`."""
        batch = self.batches.gather(indices)
        with torch.no_grad():
            states = states_at(self.denoiser, batch, self.features(self.adapter, batch.controls_b), t)

        def compute() -> Terms:
            terms = self.objective.evaluate(batch, states, self.features(self.adapter, batch.controls_b), t).terms
            return {name: values.mean() for name, values in terms.items()}

        return compute

    def instrument(self, indices: range) -> tuple[Callable[[], Terms], list[torch.nn.Parameter]] | None:
        """See `Task`: the decoder and the detector on the training pictures' own latents."""
        if "target_pose" not in self.used_terms:
            return None
        batch, objective = self.batches.gather(indices), self.objective
        latents = torch.nn.Parameter(batch.latents_b)

        def compute() -> Terms:
            keypoints, _ = objective.look(objective.denoiser.backbone.decode_latents(latents))
            return {"target_pose": target_pose(keypoints, batch.keypoints_b, batch.mask).mean()}

        return compute, [latents]

    def step_event(self, seen: list[tuple[int, Means]]) -> dict[str, Any]:
        """See `Task`: a `step` event."""
        visits = [self._visit(t, means) for t, means in seen]
        return {"type": "step", "visits": visits, "objective": logged(self.objective_of(seen))}

    def _visit(self, t: int, means: Means) -> dict[str, Any]:
        return {
            "t": t,
            "terms": {name: logged(means[name]) for name in TERMS},
            "loss": logged(self.objective.loss(means, t)),
            "confidence": logged(means["confidence"]),
        }


def _seen(t: int, evaluated: Evaluated) -> Seen:
    sums = {name: evaluated.terms[name].detach().sum() for name in TERMS}
    return Seen(t, {**sums, "confidence": evaluated.b.confidence.mean(dim=1).sum().to(sums["target_pose"])})
