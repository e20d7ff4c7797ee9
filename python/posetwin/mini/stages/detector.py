"""Stage `detector`: MiniHourglass, the Ψ of the loss."""

from __future__ import annotations

from pathlib import Path

import torch
from torch.nn.functional import binary_cross_entropy_with_logits

from posetwin.keypoints.mini import MiniHourglass
from posetwin.mini.architecture import make_vae
from posetwin.mini.data import training_set
from posetwin.mini.slices import Recipe, load_averaged, train_slice
from posetwin.mini.views import draw_views

RECIPE = Recipe(name="detector", seed=22, steps=800, lr=2e-3)
BATCH = 32


def run(folder: Path, deadline: float) -> bool:
    data, vae = training_set(folder), make_vae()
    load_averaged("vae", {"vae": vae}, folder)
    torch.manual_seed(RECIPE.seed)
    network = MiniHourglass()

    def loss(generator: torch.Generator, step: int) -> torch.Tensor:
        views = draw_views(data, vae, BATCH, generator)
        with torch.autocast("cpu", torch.bfloat16, enabled=step < 0.9 * RECIPE.steps):
            fractions, logits = network.locate(views.images)
        # Hidden joints are located from their context, with little weight.
        weight = (0.1 + 0.9 * views.present) * (views.present.mean(1, keepdim=True) > 0)
        distance = ((fractions - views.fractions).abs().sum(-1) * weight).sum() / weight.sum()
        return distance + 0.03 * binary_cross_entropy_with_logits(logits, views.present)

    return train_slice(RECIPE, {"network": network}, loss, folder, deadline)
