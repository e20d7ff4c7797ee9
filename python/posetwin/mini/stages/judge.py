"""Stage `judge`: MiniJudge, a keypoint net of another design and seed that never enters a loss of the method."""

from __future__ import annotations

from pathlib import Path

import torch
from torch.nn.functional import binary_cross_entropy_with_logits, log_softmax

from posetwin.mini.architecture import make_judge
from posetwin.mini.data import training_set
from posetwin.mini.latents import load_vae
from posetwin.mini.slices import Recipe, train_slice
from posetwin.mini.views import draw_views

RECIPE = Recipe(name="judge", seed=33, steps=4000, lr=2e-3)
BATCH = 32
LABEL_WIDTH = 1.5  # bins: standard deviation of the Gaussian labels


def _axis_loss(logits: torch.Tensor, fractions: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    """Cross-entropy against a Gaussian label around the true coordinate, as SimCC trains its axes."""
    bins = logits.shape[-1]
    centres = torch.arange(bins) + 0.5
    label = torch.exp(-0.5 * ((centres - fractions.unsqueeze(-1) * bins) / LABEL_WIDTH) ** 2)
    label = label / label.sum(-1, keepdim=True)
    return -((label * log_softmax(logits, -1)).sum(-1) * weight).sum() / weight.sum()


def run(folder: Path, deadline: float) -> bool:
    data, (vae, _) = training_set(folder), load_vae(folder)
    torch.manual_seed(RECIPE.seed)
    network = make_judge()

    def loss(generator: torch.Generator, step: int) -> torch.Tensor:
        views = draw_views(data, vae, BATCH, generator)
        with torch.autocast("cpu", torch.bfloat16, enabled=step < 0.9 * RECIPE.steps):
            x, y, present = (part.float() for part in network.axis_logits(views.images))
        weight = (0.1 + 0.9 * views.present) * (views.present.mean(1, keepdim=True) > 0)
        located = _axis_loss(x, views.fractions[..., 0], weight) + _axis_loss(y, views.fractions[..., 1], weight)
        return located + 0.5 * binary_cross_entropy_with_logits(present, views.present)

    return train_slice(RECIPE, {"network": network}, loss, folder, deadline)
