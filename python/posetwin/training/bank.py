"""What route A shows on a fixed bank of batches: computed once, then remembered."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import torch

from posetwin.training.objective import View


@dataclass(frozen=True)
class RouteA:
    """The state Z̄_A,t, (B, C, h, w), and what A shows there; neither depends on Φ2."""

    latents: torch.Tensor
    view: View

    def to(self, device: torch.device) -> RouteA:
        view = self.view
        image = None if view.image is None else view.image.to(device)
        moved = View(view.noise_pred.to(device), image, view.keypoints.to(device), view.confidence.to(device))
        return RouteA(self.latents.to(device), moved)


@dataclass(frozen=True)
class Bank:
    """Route A by batch and t, in the CPU's memory: on each rank of its own share, and again after a resume.

    steps: after how many the batches come again. keeps_images: whether the objective needs A's images, by far the
    largest part; without them they are dropped even when they are new, so that the log never depends on what is kept.
    """

    steps: int
    keeps_images: bool
    _kept: dict[tuple[range, int], RouteA] = field(default_factory=dict)

    def recall(self, indices: range, t: int, device: torch.device, compute: Callable[[], RouteA]) -> RouteA:
        """Route A at t on the batch of these global indices."""
        if (indices, t) not in self._kept:
            found = compute()
            view = found.view if self.keeps_images else replace(found.view, image=None)
            self._kept[indices, t] = RouteA(found.latents, view).to(torch.device("cpu"))
        return self._kept[indices, t].to(device)
