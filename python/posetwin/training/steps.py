"""The diffusion steps t = T … 1 of the method."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import torch

from posetwin.contracts import ResolvedSchedule
from posetwin.errors import PosetwinError
from posetwin.losses import one_step_image, sampler_step


@dataclass(frozen=True)
class Steps:
    """The resolved schedule with the sampler of Eq. 9; t = 1 is the cleanest step, t = 0 the image itself."""

    schedule: ResolvedSchedule
    sampler: Literal["ddim", "as-printed"]

    @cached_property
    def trainable(self) -> list[int]:
        """The t that training visits, ascending; a sampling run visits the same.

        Raises PosetwinError: singular_schedule.
        """
        chosen = [t for t, kept in enumerate(self.schedule.trainable, start=1) if kept]
        if not chosen:
            raise PosetwinError("singular_schedule", "no step of this schedule can be trained on")
        return chosen

    def timestep(self, t: int) -> float:
        """What the U-Net is given."""
        return self.schedule.timesteps[t - 1]

    def q(self, t: int) -> float:
        """Q of Eq. 37. Raises PosetwinError: singular_schedule where it is infinite."""
        q = self.schedule.q[t - 1]
        if q is None:
            raise PosetwinError("singular_schedule", f"Q is infinite at t = {t}", "schedule.singular: drop")
        return q

    def alphas_cumprod(self, t: int) -> float:
        return 1.0 if t == 0 else self.schedule.alphas_cumprod[t - 1]

    def add_noise(self, latents: torch.Tensor, noise: torch.Tensor, t: int) -> torch.Tensor:
        """Z̄_t of a clean latent."""
        alphas_cumprod = self.alphas_cumprod(t)
        return math.sqrt(alphas_cumprod) * latents + math.sqrt(1 - alphas_cumprod) * noise

    def predict_original(self, latents: torch.Tensor, noise_pred: torch.Tensor, t: int) -> torch.Tensor:
        """The argument of De in Eq. 41."""
        return one_step_image(latents, latents, noise_pred, self.alphas_cumprod(t), "x_t")

    def step_back(self, latents: torch.Tensor, noise_pred: torch.Tensor, t: int, previous: int) -> torch.Tensor:
        """Eq. 9 from t to `previous`, the next step that is visited."""
        return sampler_step(latents, noise_pred, self.alphas_cumprod(t), self.alphas_cumprod(previous), self.sampler)
