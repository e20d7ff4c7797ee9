"""The terms of Eq. 36 and its companions for one batch, and what is minimised."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

import torch

from posetwin.contracts import Method
from posetwin.keypoints.detector import KeypointDetector
from posetwin.losses import (
    delta_l,
    lower_bound_distance,
    normalize_keypoints,
    pose_residual,
    scene,
    score_difference,
    target_pose,
)
from posetwin.sampling.denoise import Features
from posetwin.training.routes import Batch, Denoiser, States

# The terms that each objective gives a gradient; the others are computed for the log alone.
USED_TERMS = {
    "patent": ("target_pose", "pose_residual"),
    "score": ("score_difference",),
    "score+pose": ("target_pose", "pose_residual", "score_difference"),
    "patent+scene": ("target_pose", "pose_residual", "scene"),
}
TERMS: tuple[str, ...] = (
    "target_pose",
    "pose_residual",
    "score_difference",
    "scene",
    "delta_l",
    "lower_bound_distance",
)

# A term's value per sample, or its mean as a plain number.
Value = TypeVar("Value", torch.Tensor, float)


@dataclass(frozen=True)
class Evaluated:
    """terms: per sample, (B,) each, by the names of TERMS. confidence: (B,), the detector's mean on Z_B,t."""

    terms: dict[str, torch.Tensor]
    confidence: torch.Tensor


@dataclass(frozen=True)
class Views:
    """What one route shows at t: ε_θ, the one-step image Z_·,t and the normalised keypoints found in it."""

    noise_pred: torch.Tensor
    image: torch.Tensor
    keypoints: torch.Tensor
    confidence: torch.Tensor


@dataclass(frozen=True)
class Objective:
    """Frozen models and readings; only the features of route B carry a gradient."""

    denoiser: Denoiser
    detector: KeypointDetector

    @property
    def method(self) -> Method:
        return self.denoiser.method

    def _view(self, batch: Batch, latents: torch.Tensor, features: Features, t: int) -> Views:
        noise_pred = self.denoiser.predict(latents, t, batch, features)
        # Eq. 18 alone needs no picture: the decoder and detector then serve the log only.
        with torch.set_grad_enabled(torch.is_grad_enabled() and self.method.objective != "score"):
            image = self.denoiser.decode(latents, noise_pred, t)
            # Detectors compute in float32, whatever the models do.
            found = self.detector(image.float())
        height, width = image.shape[-2:]
        keypoints = normalize_keypoints(found.xy.to(image.dtype), width, height, self.method.normalization_bias)
        return Views(noise_pred, image, keypoints, found.confidence)

    def evaluate(self, batch: Batch, states: States, features_b: Features, t: int) -> Evaluated:
        """All terms at step t from the states of `states_at`. features_b: F_Φ2(B_0), scaled, with its gradient."""
        with torch.no_grad():
            a = self._view(batch, states[0], batch.features_a, t)
        b = self._view(batch, states[1], features_b, t)
        return Evaluated(self._terms(batch, a, b, t), b.confidence.detach().mean(dim=1))

    def _terms(self, batch: Batch, a: Views, b: Views, t: int) -> dict[str, torch.Tensor]:
        alphas_cumprod = self.denoiser.steps.alphas_cumprod(t)
        given_a, given_b, mask = batch.keypoints_a, batch.keypoints_b, batch.mask
        return {
            "target_pose": target_pose(b.keypoints, given_b, mask),
            "pose_residual": pose_residual(
                b.keypoints, a.keypoints, mask, given_a, given_b, reading=self.method.pose_residual
            ),
            "score_difference": score_difference(a.noise_pred, b.noise_pred, alphas_cumprod),
            "scene": scene(a.image, b.image, batch.scene_mask, alphas_cumprod),
            "delta_l": delta_l(given_a, given_b, mask),
            "lower_bound_distance": lower_bound_distance(a.keypoints, given_b, mask),
        }

    def minimised(self, terms: dict[str, Value], t: int) -> Value:
        """L_t / (Q + 1), plus the chosen extra term; Eq. 18 alone under `score`."""
        method = self.method
        if method.objective == "score":
            return terms["score_difference"]
        pose = self.loss(terms, t) / (self.denoiser.steps.q(t) + 1)
        if method.objective == "score+pose":
            return pose + method.score_weight * terms["score_difference"]
        return pose + method.scene_weight * terms["scene"] if method.objective == "patent+scene" else pose

    def loss(self, terms: dict[str, Value], t: int) -> Value:
        """L_t of Eq. 40."""
        return self.denoiser.steps.q(t) * terms["target_pose"] + terms["pose_residual"]
