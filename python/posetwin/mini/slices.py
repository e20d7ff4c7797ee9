"""One training loop for all stages of the mini models, in slices that can be stopped and resumed.

Batches are a function of (stage seed, step), so a resumed run sees the same data as an unbroken one and a checkpoint
needs only weights, their averages and the optimiser's moments.
"""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import nn

LossFunction = Callable[[torch.Generator, int], torch.Tensor]


@dataclass(frozen=True)
class Recipe:
    """How a stage is trained. Learning rate: linear warm-up, then `lr`, then a cosine to 2 % of it over `cooldown`.

    cooldown: the share of the steps over which the rate falls; below 1, a run can be extended before it begins.
    """

    name: str
    seed: int
    steps: int
    lr: float
    ema: float = 0.998
    warmup: int = 100
    cooldown: float = 1.0
    weight_decay: float = 0.01
    save_every: int = 100
    log_every: int = 25


def learning_rate(recipe: Recipe, step: int) -> float:
    passed = (step / recipe.steps - (1 - recipe.cooldown)) / recipe.cooldown
    cosine = 0.5 * (1 + math.cos(math.pi * min(1.0, max(0.0, passed))))
    return recipe.lr * min(1.0, (step + 1) / recipe.warmup) * (0.02 + 0.98 * cosine)


class Trainee:
    """Modules in training with their averaged weights (EMA) and optimiser; saved and loaded as one safetensors file."""

    def __init__(self, recipe: Recipe, modules: dict[str, nn.Module], folder: Path) -> None:
        self.recipe, self.step, self.path = recipe, 0, folder / f"{recipe.name}.safetensors"
        self.parameters = {f"{m}.{k}": p for m, module in modules.items() for k, p in module.named_parameters()}
        self.ema = {name: p.detach().clone() for name, p in self.parameters.items()}
        self.moments = {
            kind: {n: torch.zeros_like(p) for n, p in self.parameters.items()} for kind in ("exp_avg", "exp_avg_sq")
        }
        self.optimizer = torch.optim.AdamW(
            self.parameters.values(), lr=recipe.lr, weight_decay=recipe.weight_decay, betas=(0.9, 0.99), fused=True
        )
        if self.path.exists():
            self._load()

    @property
    def done(self) -> bool:
        return self.step >= self.recipe.steps

    def _load(self) -> None:
        with safe_open(self.path, "pt") as file, torch.no_grad():
            self.step = int((file.metadata() or {})["step"])
            for name, parameter in self.parameters.items():
                parameter.copy_(file.get_tensor(f"weights/{name}"))
                self.ema[name].copy_(file.get_tensor(f"ema/{name}"))
                self.optimizer.state[parameter] = {
                    "step": torch.tensor(float(self.step)),
                    **{kind: file.get_tensor(f"{kind}/{name}") for kind in self.moments},
                }

    def save(self) -> None:
        """Write the checkpoint under a temporary name first, so that a kill never leaves half a file."""
        tensors = {f"weights/{n}": p.detach() for n, p in self.parameters.items()}
        tensors |= {f"ema/{n}": p for n, p in self.ema.items()}
        for kind, empty in self.moments.items():
            tensors |= {f"{kind}/{n}": self.optimizer.state[p].get(kind, empty[n]) for n, p in self.parameters.items()}
        temporary = self.path.with_suffix(".partial")
        save_file({n: t.contiguous() for n, t in tensors.items()}, temporary, metadata={"step": str(self.step)})
        os.replace(temporary, self.path)

    def update(self, loss: torch.Tensor) -> None:
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.parameters.values(), 1.0)
        for group in self.optimizer.param_groups:
            group["lr"] = learning_rate(self.recipe, self.step)
        self.optimizer.step()
        self.step += 1
        # Early on the average follows quickly, so that a short run is not dominated by its initial weights.
        decay = min(self.recipe.ema, (1 + self.step) / (10 + self.step))
        with torch.no_grad():
            for name, parameter in self.parameters.items():
                self.ema[name].lerp_(parameter, 1 - decay)


class Progress:
    """Prints a line with the mean loss, the pace and the time left every `log_every` steps."""

    def __init__(self, recipe: Recipe) -> None:
        self.recipe, self.started, self.steps = recipe, time.monotonic(), 0
        self.recent: list[torch.Tensor] = []

    def note(self, step: int, loss: torch.Tensor) -> None:
        self.steps += 1
        self.recent.append(loss)
        if step % self.recipe.log_every and step < self.recipe.steps:
            return
        pace = (time.monotonic() - self.started) / self.steps
        left, mean = pace * (self.recipe.steps - step) / 60, torch.stack(self.recent).mean().item()
        self.recent.clear()
        where = f"{self.recipe.name} {step}/{self.recipe.steps}"
        print(f"{where} loss {mean:.4f} {pace:.3f} s/step {left:.1f} min left", flush=True)


def train_slice(
    recipe: Recipe, modules: dict[str, nn.Module], loss: LossFunction, folder: Path, deadline: float
) -> bool:
    """Train until the recipe's steps are done or `deadline` (time.monotonic seconds) has passed.

    loss(generator, step) returns a scalar; `generator` is seeded by (recipe.seed, step). Returns whether all is done.
    """
    trainee, progress = Trainee(recipe, modules, folder), Progress(recipe)
    while not trainee.done and time.monotonic() < deadline:
        generator = torch.Generator().manual_seed(recipe.seed * 1_000_003 + trainee.step)
        value = loss(generator, trainee.step)
        trainee.update(value)
        progress.note(trainee.step, value.detach())
        if trainee.step % recipe.save_every == 0:
            trainee.save()
    if progress.steps > 0:
        trainee.save()
    return trainee.done


def load_averaged(name: str, modules: dict[str, nn.Module], folder: Path) -> int:
    """Put a stage's averaged weights into `modules`, frozen; returns the steps they were trained for (0: none yet)."""
    path, step = folder / f"{name}.safetensors", 0
    if path.exists():
        with safe_open(path, "pt") as file, torch.no_grad():
            step = int((file.metadata() or {})["step"])
            for prefix, module in modules.items():
                for key, parameter in module.named_parameters():
                    parameter.copy_(file.get_tensor(f"ema/{prefix}.{key}"))
    for module in modules.values():
        module.requires_grad_(False).eval()
    return step
