"""Posetwin's own training loop for the bench: as it is, or without one of the things that it saves."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any
from unittest.mock import patch

import torch

from posetwin.adapters.t2i import features_of, load_adapter
from posetwin.models.backbone import load_backbone
from posetwin.training import frozen, loop
from posetwin.training.bank import Bank, RouteA
from posetwin.training.batches import Batches
from posetwin.training.objective import Evaluated, Objective, View
from posetwin.training.order import position_in_epoch, step_t
from posetwin.training.routes import Batch, Both, states_at
from posetwin.training.secondary import SecondaryTask
from posetwin.training.set_up import make_trainer
from posetwin.training.world import World


def recompute_frozen_work(job: Any) -> None:
    """Latents, prompt embeddings and the primary's features anew in every step, where the step needs them."""
    gather, backbone = Batches.gather, load_backbone(job.spec.backbone.path)
    primary, scale = load_adapter(job.inputs.primary), job.spec.adapter.conditioning_scale

    @torch.no_grad()
    def anew(self: Batches, global_indices: range) -> Batch:
        batch, images = gather(self, global_indices), self.assembled.images
        pairs = [self.pairs[position_in_epoch(self.seed, index, len(self.pairs))] for index in global_indices]
        a, b = [pair.a for pair in pairs], [pair.b for pair in pairs]
        if job.spec.method.latents.source == "noised":
            latents = [backbone.encode_images(images(side)) for side in (a, b)]
            batch = replace(batch, latents_a=latents[0], latents_b=latents[1])
        features = features_of(primary, self.assembled.controls(a, self.channels), scale)
        return replace(batch, prompt_embeds=backbone.encode_prompt([p.prompt for p in pairs]), features_a=features)

    Batches.gather = anew


def forget_route_a(job: Any) -> None:
    """Route A is computed in every step; still apart from route B and without a gradient."""

    def anew(self: Bank, indices: range, t: int, device: torch.device, compute: Callable[[], RouteA]) -> RouteA:
        found = compute()
        return replace(found, view=replace(found.view, image=None))

    Bank.recall = anew


def run_routes_together(job: Any) -> None:
    """Both routes as one batch, with a gradient for both."""

    def evaluate(objective: Objective, batch: Batch, states: Both, features_b: Any, t: int) -> Evaluated:
        denoiser = objective.denoiser
        noise_preds = denoiser.routes(batch, states, t, features_b)
        image = denoiser.decode(torch.cat(states), batch.noise.repeat(2, 1, 1, 1), torch.cat(noise_preds), t)
        shown = (x.chunk(2) for x in (image, *objective.look(image)))
        a, b = (View(*parts) for parts in zip(noise_preds, *shown, strict=True))
        return Evaluated(a, b, objective._terms(batch, a, b, t))

    def visits(self: SecondaryTask, batch: Batch, features_b: Any, _: range, step: int) -> Iterator[Any]:
        t = step_t(self.seed, self.drawn(step), self.trainable)
        states = states_at(self.objective.denoiser, batch, features_b, t)
        yield t, evaluate(self.objective, batch, states, features_b, t)

    SecondaryTask._visits = visits


def keep_inputs(job: Any) -> None:
    """Frozen convolutions keep their inputs for the way back, as PyTorch has it."""
    frozen.spare_inputs = lambda module: None


# What a training can be told to do without.
SAVINGS: dict[str, Callable[[Any], None]] = {
    "cache": recompute_frozen_work,
    "bank": forget_route_a,
    "apart": run_routes_together,
    "spared_inputs": keep_inputs,
}


def train(job: Any, without: str | None, loaded: Callable[[], None], seen: Callable[[float], None]) -> None:
    """`loaded` is called before the first step, `seen` with what was minimised after each."""
    if without is not None:
        SAVINGS[without](job)

    def emit(event: dict[str, Any]) -> None:
        if event["type"] == "step":
            seen(event["objective"])

    trainer = make_trainer(job, World(0, 1, torch.device("cpu")), emit, lambda: False)
    # Steps and nothing else: no self-test, no boundary.
    with patch.object(loop, "is_hopeless", return_value=False):
        replace(trainer, boundaries=None).train(lambda step: loaded())
