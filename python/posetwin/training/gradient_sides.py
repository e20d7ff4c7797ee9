"""Both sides of Eq. 33 during training: equal minimisers do not imply equal gradients (audit, point 7)."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch

from posetwin.losses import target_pose
from posetwin.training.order import share_of_rank
from posetwin.training.primary import noise_loss
from posetwin.training.routes import noised_states
from posetwin.training.secondary import SecondaryTask
from posetwin.training.world import World

SAMPLES, STEPS = 4, 3


@dataclass(frozen=True)
class GradientSides:
    """Norms and cosine at one t; cosine NaN where a norm is 0."""

    t: int
    noise_norm: float
    pose_norm: float
    cosine: float


def _flat_gradient(loss: torch.Tensor, parameters: list[torch.nn.Parameter]) -> torch.Tensor:
    found = torch.autograd.grad(loss, parameters, retain_graph=True, allow_unused=True)
    parts = [torch.zeros_like(p) if g is None else g for p, g in zip(parameters, found, strict=True)]
    return torch.cat([part.flatten() for part in parts]).double()


def _sample_gradients(task: SecondaryTask, index: int, t: int) -> torch.Tensor:
    """(2, number of parameters) float64: both sides' gradients of one sample."""
    parameters = list(task.adapter.parameters())
    batch, objective = task.batches.gather(range(index, index + 1)), task.objective
    states = noised_states(objective.denoiser, batch, t)
    view = objective.view(batch, states.b, task.features(task.adapter, batch.controls_b), t)
    noise = noise_loss(objective.denoiser, batch, view.noise_pred, t).sum()
    pose = target_pose(view.keypoints, batch.keypoints_b, batch.mask).sum()
    return torch.stack([_flat_gradient(loss, parameters) for loss in (noise, pose)])


def _rank_gradients(task: SecondaryTask, indices: range, t: int) -> torch.Tensor:
    """The sum of `_sample_gradients` over the rank's samples, one after the other: a step with one sample at once must
    not fit where its measurement does not."""
    parameters = list(task.adapter.parameters())
    sums = torch.zeros(2, sum(p.numel() for p in parameters), dtype=torch.float64, device=parameters[0].device)
    for index in indices:
        sums += _sample_gradients(task, index, t)
    return sums


def gradient_sides(task: SecondaryTask, world: World) -> list[GradientSides]:
    """∇_Φ2 E[w‖ε - ε_θ(Z̄_B,t)‖²] against ∇_Φ2 E‖Ψ∘g_b(Z_B,t) - Ψ∘g_b(B_0)‖², at a few t on the same noised states of
    a fixed batch, shared among the ranks. Leaves no gradient behind."""
    mine, found = share_of_rank(range(SAMPLES), world.rank, world.size), []
    for t in task.objective.denoiser.steps.spread(STEPS):
        noise, pose = world.sum(_rank_gradients(task, mine, t)) / SAMPLES
        product = float(noise.norm() * pose.norm())
        cosine = float(noise @ pose) / product if product > 0 else math.nan
        found.append(GradientSides(t, float(noise.norm()), float(pose.norm()), cosine))
    return found
