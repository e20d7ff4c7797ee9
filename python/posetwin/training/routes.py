"""Routes A (frozen primary, A_0) and B (secondary, B_0): from the starting noise to the state at t."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal, NamedTuple

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
    a_0 and b_0, normalised (Eq. 2). mask: (B, 18), 1 where present in both. scene_mask: (B, H, W), 1 outside both.
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


class Both(NamedTuple):
    """One tensor of each route, (B, C, h, w): the states Z̄_A,t and Z̄_B,t, or ε_θ of both."""

    a: torch.Tensor
    b: torch.Tensor


@dataclass(frozen=True)
class Denoiser:
    """The frozen θ with the method's readings."""

    backbone: Backbone
    steps: Steps

    @property
    def method(self) -> Method:
        return self.steps.method

    def predict(
        self,
        latents: torch.Tensor,
        t: int,
        prompt_embeds: torch.Tensor,
        negative_prompt_embeds: torch.Tensor,
        features: Features,
    ) -> torch.Tensor:
        """ε_θ at t: (B, C, h, w)."""
        return predict_noise(
            self.backbone.unet,
            latents,
            self.steps.timestep(t),
            prompt_embeds,
            features,
            self.method.guidance_scale,
            negative_prompt_embeds,
        )

    def route(self, batch: Batch, latents: torch.Tensor, t: int, features: Features) -> torch.Tensor:
        """ε_θ of one route."""
        return self.predict(latents, t, batch.prompt_embeds, batch.negative_prompt_embeds, features)

    def routes(self, batch: Batch, states: Both, t: int, features_b: Features) -> Both:
        """ε_θ of both routes in one call of the U-Net."""
        both = [torch.cat(pair) for pair in zip(batch.features_a, features_b, strict=True)]
        embeds = (batch.prompt_embeds.repeat(2, 1, 1), batch.negative_prompt_embeds.repeat(2, 1, 1))
        return Both(*self.predict(torch.cat(states), t, *embeds, both).chunk(2))

    def decode(self, latents: torch.Tensor, noise: torch.Tensor, noise_pred: torch.Tensor, t: int) -> torch.Tensor:
        """Z_·,t: (B, 3, H, W) around [-1, 1]; never clamped, for the sake of its gradient."""
        return self.backbone.decode_latents(self.steps.latents_of_image(latents, noise, noise_pred, t))


def noised_states(denoiser: Denoiser, batch: Batch, t: int) -> Both:
    """The two training images noised at t."""
    return Both(*(denoiser.steps.add_noise(z, batch.noise, t) for z in (batch.latents_a, batch.latents_b)))


def _shared(states: Both, whose: str) -> Both:
    """The reading `latents.state`: each route its own, or both use A's or B's."""
    return states if whose == "own" else Both(*([getattr(states, whose)] * 2))


def first_states(denoiser: Denoiser, batch: Batch, t: int) -> Both:
    """Z̄_A,t and Z̄_B,t where nothing has been sampled before t, by the readings `latents.source` and `latents.state`."""
    if denoiser.method.latents.source == "noised":
        return _shared(noised_states(denoiser, batch, t), denoiser.method.latents.state)
    return Both(batch.noise, batch.noise)


def next_states(denoiser: Denoiser, batch: Batch, states: Both, noise_preds: Both, t: int, following: int) -> Both:
    """The states at `following`, the trainable step below t, from those at t and ε_θ there."""
    latents = denoiser.method.latents
    if latents.source != "trajectory":
        return first_states(denoiser, batch, following)
    stepped = (denoiser.steps.step_back(z, e, t, following) for z, e in zip(states, noise_preds, strict=True))
    return _shared(Both(*stepped), latents.state)


def _predict_to_walk(denoiser: Denoiser, batch: Batch, states: Both, features_b: Features, t: int) -> Both:
    """ε_θ of the routes that the next state needs: where both use one state, of that route alone."""
    whose = denoiser.method.latents.state
    if whose == "own":
        return denoiser.routes(batch, states, t, features_b)
    features = batch.features_a if whose == "a" else features_b
    return Both(*([denoiser.route(batch, states.a, t, features)] * 2))


def _visited(denoiser: Denoiser, t: int) -> list[int]:
    """The trainable steps from T down to t."""
    return [*(s for s in reversed(denoiser.steps.trainable) if s > t), t]


@torch.no_grad()
def states_at(denoiser: Denoiser, batch: Batch, features_b: Sequence[torch.Tensor], t: int) -> Both:
    """Z̄_A,t and Z̄_B,t; under `trajectory` the run from the noise visits every trainable step above t (Eq. 9)."""
    if denoiser.method.latents.source != "trajectory":
        return first_states(denoiser, batch, t)
    visited = _visited(denoiser, t)
    states = first_states(denoiser, batch, visited[0])
    for current, following in pairwise(visited):
        noise_preds = _predict_to_walk(denoiser, batch, states, features_b, current)
        states = next_states(denoiser, batch, states, noise_preds, current, following)
    return states


@torch.no_grad()
def own_state_at(
    denoiser: Denoiser, batch: Batch, route: Literal["a", "b"], features: Features, t: int
) -> torch.Tensor:
    """One of `states_at`, equal to it up to rounding, without the other route's part of the work: for the readings in
    which the route walks by itself."""
    if denoiser.method.latents.source != "trajectory":
        return getattr(first_states(denoiser, batch, t), route)
    state = batch.noise
    for current, following in pairwise(_visited(denoiser, t)):
        noise_pred = denoiser.route(batch, state, current, features)
        state = denoiser.steps.step_back(state, noise_pred, current, following)
    return state
