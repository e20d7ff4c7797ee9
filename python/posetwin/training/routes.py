"""Routes A (frozen primary, A_0) and B (secondary, B_0): from the starting noise to one-step images."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import torch

from posetwin.contracts import Method
from posetwin.models.backbone import Backbone
from posetwin.sampling.denoise import Features, predict_noise
from posetwin.training.steps import Steps


@dataclass(frozen=True)
class Batch:
    """The quintuples of one step on one rank, on the training device.

    latents_a, latents_b, noise: (B, C, h, w). prompt_embeds, negative_prompt_embeds: (B, L, D). features_a: the
    primary's, one (B, c, h, w) a block. controls_b: (B, ch, H, W) in [0, 1]. keypoints_a, keypoints_b: (B, 18, 2)
    normalised (Eq. 2). mask: (B, 18), 1 where present in both. scene_mask: (B, H, W), 1 outside both figures.
    """

    latents_a: torch.Tensor
    latents_b: torch.Tensor
    noise: torch.Tensor
    prompt_embeds: torch.Tensor
    negative_prompt_embeds: torch.Tensor
    features_a: list[torch.Tensor]
    controls_b: torch.Tensor
    keypoints_a: torch.Tensor
    keypoints_b: torch.Tensor
    mask: torch.Tensor
    scene_mask: torch.Tensor


@dataclass(frozen=True)
class Denoiser:
    """The frozen θ with the method's readings."""

    backbone: Backbone
    steps: Steps
    method: Method

    def predict(self, latents: torch.Tensor, t: int, batch: Batch, features: Features, repeat: int = 1) -> torch.Tensor:
        """ε_θ at t; with `repeat` 2 latents and features hold both routes, one after the other."""
        return predict_noise(
            self.backbone.unet,
            latents,
            self.steps.timestep(t),
            batch.prompt_embeds.repeat(repeat, 1, 1),
            features,
            self.method.guidance_scale,
            batch.negative_prompt_embeds.repeat(repeat, 1, 1),
        )

    def decode(self, latents: torch.Tensor, noise_pred: torch.Tensor, t: int) -> torch.Tensor:
        """Eq. 41: the one-step image (B, 3, H, W) around [-1, 1]; never clamped, for the sake of its gradient."""
        return self.backbone.decode_latents(self.steps.predict_original(latents, noise_pred, t))


States = tuple[torch.Tensor, torch.Tensor]


def _run_down(denoiser: Denoiser, batch: Batch, features: Features, repeat: int, t: int) -> torch.Tensor:
    """Eq. 9 from the noise through every visited step above t."""
    visited = [s for s in reversed(denoiser.steps.trainable) if s > t]
    latents = batch.noise.repeat(repeat, 1, 1, 1)
    for current, following in pairwise([*visited, t]):
        noise_pred = denoiser.predict(latents, current, batch, features, repeat)
        latents = denoiser.steps.step_back(latents, noise_pred, current, following)
    return latents


def _trajectory(
    denoiser: Denoiser, batch: Batch, features_b: Features, t: int, state: Literal["own", "a", "b"]
) -> States:
    if state == "own":
        both = [torch.cat(pair) for pair in zip(batch.features_a, features_b, strict=True)]
        latents_a, latents_b = _run_down(denoiser, batch, both, 2, t).chunk(2)
        return latents_a, latents_b
    shared = _run_down(denoiser, batch, batch.features_a if state == "a" else features_b, 1, t)
    return shared, shared


@torch.no_grad()
def states_at(denoiser: Denoiser, batch: Batch, features_b: Features, t: int) -> States:
    """Z̄_A,t and Z̄_B,t by the readings `latents.source` and `latents.state`; no gradient runs through them."""
    source, state = denoiser.method.latents.source, denoiser.method.latents.state
    if source == "trajectory":
        return _trajectory(denoiser, batch, features_b, t, state)
    if source == "pure-noise":
        return batch.noise, batch.noise
    own = [denoiser.steps.add_noise(latents, batch.noise, t) for latents in (batch.latents_a, batch.latents_b)]
    chosen = {"own": (own[0], own[1]), "a": (own[0], own[0]), "b": (own[1], own[1])}
    return chosen[state]
