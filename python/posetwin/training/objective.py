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
from posetwin.training.routes import Batch, Both, Denoiser

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
class View:
    """What one route shows at t: ε_θ, the image Z_·,t and the normalised keypoints found in it.

    noise_pred: (B, C, h, w). image: (B, 3, H, W), None where it was not kept. keypoints: (B, 18, 2).
    confidence: (B, 18) in [0, 1].
    """

    noise_pred: torch.Tensor
    image: torch.Tensor | None
    keypoints: torch.Tensor
    confidence: torch.Tensor


@dataclass(frozen=True)
class Evaluated:
    """Both routes at t. terms: per sample, (B,) each, by the names of TERMS, unweighted."""

    a: View
    b: View
    terms: dict[str, torch.Tensor]

    @property
    def noise_preds(self) -> Both:
        """ε_θ of both routes, without gradient."""
        return Both(self.a.noise_pred, self.b.noise_pred.detach())


@dataclass(frozen=True)
class Objective:
    """Frozen models and readings; only the features of route B carry a gradient."""

    denoiser: Denoiser
    detector: KeypointDetector

    @property
    def method(self) -> Method:
        return self.denoiser.method

    @property
    def used_terms(self) -> tuple[str, ...]:
        return USED_TERMS[self.method.objective]

    def view(
        self, batch: Batch, latents: torch.Tensor, features: Features, t: int, image_gradient: bool = True
    ) -> View:
        """One route at t, from its state. image_gradient: whether a gradient runs through decoder and detector."""
        noise_pred = self.denoiser.route(batch, latents, t, features)
        with torch.set_grad_enabled(torch.is_grad_enabled() and image_gradient):
            image = self.denoiser.decode(latents, batch.noise, noise_pred, t)
            keypoints, confidence = self.look(image)
        return View(noise_pred, image, keypoints, confidence)

    def look(self, image: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Ψ∘g_b of images (B, 3, H, W): (B, 18, 2), and the detector's confidence (B, 18), without gradient."""
        found, (height, width) = self.detector(image), image.shape[-2:]
        keypoints = normalize_keypoints(found.xy.to(image.dtype), width, height, self.method.normalization_bias)
        return keypoints, found.confidence.detach()

    def evaluate(self, batch: Batch, states: Both, features_b: Features, t: int) -> Evaluated:
        """All terms at step t. features_b: F_Φ2(B_0), scaled, with its gradient."""
        return self.compare(batch, self.view_a(batch, states.a, t), states.b, features_b, t)

    @torch.no_grad()
    def view_a(self, batch: Batch, latents: torch.Tensor, t: int) -> View:
        """Route A at t, from its state."""
        return self.view(batch, latents, batch.features_a, t)

    def compare(self, batch: Batch, a: View, latents_b: torch.Tensor, features_b: Features, t: int) -> Evaluated:
        """All terms at step t from what route A shows and the state of route B. A term that needs A's image is NaN
        where that was not kept."""
        # Eq. 18 alone needs no picture: the decoder and detector then serve the log only.
        b = self.view(batch, latents_b, features_b, t, image_gradient=self.method.objective != "score")
        return Evaluated(a, b, self._terms(batch, a, b, t))

    def _terms(self, batch: Batch, a: View, b: View, t: int) -> dict[str, torch.Tensor]:
        alphas_cumprod = self.denoiser.steps.alphas_cumprod(t)
        given_a, given_b, mask = batch.keypoints_a, batch.keypoints_b, batch.mask
        reading = self.method.pose_residual
        return {
            "target_pose": target_pose(b.keypoints, given_b, mask),
            "pose_residual": pose_residual(b.keypoints, a.keypoints, mask, given_a, given_b, reading),
            "score_difference": score_difference(a.noise_pred, b.noise_pred, alphas_cumprod),
            "scene": _scene(a, b, batch, alphas_cumprod),
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


def _scene(a: View, b: View, batch: Batch, alphas_cumprod: float) -> torch.Tensor:
    if a.image is None or b.image is None:
        return torch.full((len(batch.noise),), torch.nan).to(b.keypoints)
    return scene(a.image, b.image, batch.scene_mask, alphas_cumprod)
