"""The diffusion steps t = T … 1 of the method."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import torch

from posetwin.contracts import Method, ResolvedSchedule
from posetwin.errors import PosetwinError
from posetwin.losses import one_step_image, sampler_step


@dataclass(frozen=True)
class Steps:
    """The resolved schedule under the method's readings; t = 1 is the cleanest step, t = 0 the image itself."""

    schedule: ResolvedSchedule
    method: Method

    @cached_property
    def trainable(self) -> list[int]:
        """The t that training visits, ascending; a sampling run visits the same.

        Raises PosetwinError: singular_schedule.
        """
        chosen = [t for t, kept in enumerate(self.schedule.trainable, start=1) if kept]
        if not chosen:
            raise PosetwinError("singular_schedule", "no step of this schedule can be trained on")
        return chosen

    def spread(self, count: int) -> list[int]:
        """At most `count` of the trainable t, from the first to the last, evenly spread, ascending."""
        last, count = len(self.trainable) - 1, min(count, len(self.trainable))
        places = {round(i * last / max(1, count - 1)) for i in range(count)}
        return [self.trainable[place] for place in sorted(places)]

    def previous(self, t: int) -> int:
        """The next trainable step below t, 0 below the first."""
        return max((s for s in self.trainable if s < t), default=0)

    def timestep(self, t: int) -> float:
        """What the U-Net is given."""
        return self.schedule.timesteps[t - 1]

    def q(self, t: int) -> float:
        """Q of Eq. 37. Raises PosetwinError: singular_schedule where it is infinite."""
        q = self.schedule.q[t - 1]
        if q is None:
            raise PosetwinError("singular_schedule", f"Q is infinite at t = {t}", "schedule.singular: drop")
        return q

    def alphas(self, t: int) -> float:
        return self.schedule.alphas[t - 1]

    def alphas_cumprod(self, t: int) -> float:
        return 1.0 if t == 0 else self.schedule.alphas_cumprod[t - 1]

    def add_noise(self, latents: torch.Tensor, noise: torch.Tensor, t: int) -> torch.Tensor:
        """Z̄_t of a clean latent."""
        alphas_cumprod = self.alphas_cumprod(t)
        return math.sqrt(alphas_cumprod) * latents + math.sqrt(1 - alphas_cumprod) * noise

    def step_back(self, latents: torch.Tensor, noise_pred: torch.Tensor, t: int, previous: int) -> torch.Tensor:
        """Eq. 9 from t to `previous`, the next step that is visited."""
        now, before = self.alphas_cumprod(t), self.alphas_cumprod(previous)
        return sampler_step(latents, noise_pred, now, before, self.method.sampler)

    def latents_of_image(
        self, latents: torch.Tensor, noise: torch.Tensor, noise_pred: torch.Tensor, t: int
    ) -> torch.Tensor:
        """What De is given for the image at t: the argument of Eq. 41, or under `image_at_t: state` Z̄_{t-1} of
        [0047], since Z̄_t itself does not depend on ε_θ at t. All (B, C, h, w)."""
        if self.method.image_at_t == "state":
            return self.step_back(latents, noise_pred, t, self.previous(t))
        return one_step_image(latents, noise, noise_pred, self.alphas_cumprod(t), self.method.one_step)
