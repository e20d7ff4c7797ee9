"""Stage `detector`: MiniHourglass, the Ψ of the loss."""

from __future__ import annotations

from pathlib import Path

import torch
from torch.nn.functional import binary_cross_entropy_with_logits, log_softmax

from posetwin.mini.architecture import make_detector
from posetwin.mini.data import training_set
from posetwin.mini.latents import load_vae
from posetwin.mini.slices import Recipe, train_slice
from posetwin.mini.views import draw_views

RECIPE = Recipe(name="detector", seed=22, steps=4000, lr=2e-3)
BATCH = 32
LABEL_WIDTH = 0.9  # cells of the heat map: standard deviation of the Gaussian labels


def _axis_label(fractions: torch.Tensor, cells: int) -> torch.Tensor:
    """(B, 18) -> (B, 18, cells) Gaussians of sum 1."""
    centres = torch.arange(cells) + 0.5
    label = torch.exp(-0.5 * ((centres - fractions.unsqueeze(-1) * cells) / LABEL_WIDTH) ** 2)
    return label / label.sum(-1, keepdim=True).clamp_min(1e-9)


def _heat_loss(heat: torch.Tensor, fractions: torch.Tensor) -> torch.Tensor:
    """(B, 18) cross-entropy against Gaussian labels: a soft-argmax alone is slow to tell where its mass should be."""
    x, y = (_axis_label(fractions[..., i], heat.shape[-1]) for i in (0, 1))
    label = y.unsqueeze(-1) * x.unsqueeze(-2)
    return -(label.flatten(2) * log_softmax(heat.flatten(2), -1)).sum(-1)


def run(folder: Path, deadline: float) -> bool:
    data, (vae, _) = training_set(folder), load_vae(folder)
    torch.manual_seed(RECIPE.seed)
    network = make_detector()

    def loss(generator: torch.Generator, step: int) -> torch.Tensor:
        views = draw_views(data, vae, BATCH, generator)
        with torch.autocast("cpu", torch.bfloat16, enabled=step < 0.9 * RECIPE.steps):
            heat, evidence = network.maps(views.images)
        fractions, logits = network.read(heat, evidence)
        # Hidden joints are located from their context, with little weight.
        weight = (0.1 + 0.9 * views.present) * (views.present.mean(1, keepdim=True) > 0)
        distance = (fractions - views.fractions).abs().sum(-1) + 0.02 * _heat_loss(heat, views.fractions)
        located = (distance * weight).sum() / weight.sum()
        return located + 0.03 * binary_cross_entropy_with_logits(logits, views.present)

    return train_slice(RECIPE, {"network": network}, loss, folder, deadline)
