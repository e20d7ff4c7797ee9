"""Training of the primary adapter: Eq. 12, at one t a step."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Literal

import torch
from diffusers.models.adapter import T2IAdapter

from posetwin.losses import primary_noise
from posetwin.moments import at
from posetwin.sampling.noise import derived_seed
from posetwin.training.batches import Batches
from posetwin.training.order import cubic_t, step_t
from posetwin.training.routes import Batch, Denoiser
from posetwin.training.secondary import features_in, logged
from posetwin.training.task import Means, Seen, Terms

TERM = "primary_noise"


@dataclass(frozen=True)
class PrimaryTask:
    """adapter: Φ1, the only thing that changes. batches: with own captions. proportion_empty_prompts: in [0, 1], the
    share of the samples that are trained without their text. See `Task`."""

    adapter: T2IAdapter
    denoiser: Denoiser
    batches: Batches
    conditioning_scale: float
    seed: int
    proportion_empty_prompts: float
    timestep_sampling: Literal["uniform", "cubic"]
    autocast: torch.dtype | None = None

    @property
    def used_terms(self) -> tuple[str, ...]:
        return (TERM,)

    @property
    def logged_terms(self) -> tuple[str, ...]:
        return (TERM,)

    def features(self, adapter: torch.nn.Module, controls: torch.Tensor) -> list[torch.Tensor]:
        """See `Task`."""
        return features_in(self.autocast, adapter, controls, self.conditioning_scale)

    def drawn(self, step: int) -> int:
        """See `Task`."""
        return step

    def _loss(self, adapter: torch.nn.Module, batch: Batch, t: int) -> torch.Tensor:
        """Eq. 12 with the picture, the pose and the text of B: (B,). Swap closure makes every picture a B."""
        features = self.features(adapter, batch.controls_b)
        noised = self.denoiser.steps.add_noise(batch.latents_b, batch.noise, t)
        return noise_loss(self.denoiser, batch, self.denoiser.route(batch, noised, t, features), t)

    def gathered(self, indices: range) -> Batch:
        """The batch of these global sample indices, some of them without their text, by (seed, index)."""
        batch = self.batches.gather(indices)
        below = self.proportion_empty_prompts * 2**63
        chosen = [derived_seed(self.seed, "text", index) < below for index in indices]
        empty = torch.tensor(chosen, device=batch.prompt_embeds.device)[:, None, None]
        return replace(batch, prompt_embeds=torch.where(empty, batch.negative_prompt_embeds, batch.prompt_embeds))

    def accumulate(self, adapter: torch.nn.Module, indices: range, step: int, scale: float) -> list[Seen]:
        """See `Task`."""
        draw = cubic_t if self.timestep_sampling == "cubic" else step_t
        t = draw(self.seed, step, self.denoiser.steps.trainable)
        loss = self._loss(adapter, self.gathered(indices), t).sum()
        at("after_forward", step)
        (loss * scale).backward()
        return [Seen(t, {TERM: loss.detach()})]

    @torch.no_grad()
    def held_out(self, positions: list[int], t: int) -> Seen:
        """See `Task`."""
        return Seen(t, {TERM: self._loss(self.adapter, self.batches.gather_held_out(positions), t).sum()})

    def objective_of(self, seen: list[tuple[int, Means]]) -> float:
        """See `Task`."""
        return sum(means[TERM] for _, means in seen) / len(seen)

    def gate_terms(self, indices: range, t: int) -> Callable[[], Terms]:
        """See `Task`."""
        batch = self.gathered(indices)
        return lambda: {TERM: self._loss(self.adapter, batch, t).mean()}

    def instrument(self, indices: range) -> None:
        """See `Task`: Eq. 12 has neither decoder nor detector."""

    def step_event(self, seen: list[tuple[int, Means]]) -> dict[str, Any]:
        """See `Task`: a `primary_step` event."""
        [(t, means)] = seen
        return {"type": "primary_step", "t": t, TERM: logged(means[TERM])}


def noise_loss(denoiser: Denoiser, batch: Batch, noise_pred: torch.Tensor, t: int) -> torch.Tensor:
    """Eq. 12 under `primary_weight` for any route: (B,)."""
    steps = denoiser.steps
    return primary_noise(batch.noise, noise_pred, steps.alphas(t), steps.alphas_cumprod(t), steps.method.primary_weight)
