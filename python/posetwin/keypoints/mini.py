"""Two small keypoint networks for the mini world: one for the loss (Ψ), one of another design to judge results by."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from safetensors.torch import load_file
from torch import nn
from torch.nn.functional import interpolate

from posetwin.errors import PosetwinError
from posetwin.keypoints.detector import Keypoints
from posetwin.shipped import WEIGHTS, checked_folder

MINI_SIZE = 64
KEYPOINTS = 18


def _conv(inputs: int, outputs: int, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(inputs, outputs, 3, stride, 1), nn.GroupNorm(8, outputs), nn.SiLU())


def _precise(x: torch.Tensor) -> torch.Tensor:
    """Half precision as float32, in which a softmax can still tell pixels apart; float32 and float64 as they are."""
    return x.to(torch.promote_types(x.dtype, torch.float32))


def _bin_centres(like: torch.Tensor) -> torch.Tensor:
    """(n,) centres of n equal bins of [0, 1], one for each entry along the last axis of `like`."""
    count = like.shape[-1]
    return (torch.arange(count, device=like.device, dtype=like.dtype) + 0.5) / count


class _MiniDetector(nn.Module):
    """Resizes to 64 px, asks `locate` for keypoints in [0, 1] and logits, and answers in the given image's pixels."""

    def locate(self, images: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """(B, 3, 64, 64) -> (B, 18, 2) in fractions of the frame, (B, 18) confidence logits; float32 or float64."""
        raise NotImplementedError

    def forward(self, images: torch.Tensor) -> Keypoints:
        """See KeypointDetector. Differentiable with respect to `images`, which are cast to the weights' dtype."""
        images = images.to(next(self.parameters()).dtype)
        height, width = images.shape[-2:]
        if (height, width) != (MINI_SIZE, MINI_SIZE):
            images = interpolate(images, (MINI_SIZE, MINI_SIZE), mode="bilinear", align_corners=False, antialias=True)
        fractions, logits = self.locate(images)
        # Numbers, not a tensor: a copy to a GPU would wait for it.
        xy = torch.stack([fractions[..., 0] * width, fractions[..., 1] * height], dim=-1)
        return Keypoints(xy, logits.sigmoid())


class MiniHourglass(_MiniDetector):
    """A small U-shaped network; each keypoint is the mean of a softmax over a 32x32 heat map (soft-argmax)."""

    def __init__(self, channels: tuple[int, int, int] = (32, 64, 96), depth: int = 2) -> None:
        super().__init__()
        self.channels, self.depth = channels, depth
        a, b, c = channels
        self.down_a = nn.Sequential(_conv(3, a, 2), _conv(a, a))
        self.down_b = nn.Sequential(_conv(a, b, 2), _conv(b, b))
        self.down_c = nn.Sequential(_conv(b, c, 2), *(_conv(c, c) for _ in range(depth)))
        self.up_b, self.up_a = _conv(c, b), _conv(b, a)
        self.heat, self.evidence = nn.Conv2d(a, KEYPOINTS, 1), nn.Conv2d(a, KEYPOINTS, 1)

    def _features(self, images: torch.Tensor) -> torch.Tensor:
        a = self.down_a(images)
        b = self.down_b(a)
        up = self.up_b(interpolate(self.down_c(b), scale_factor=2.0)) + b
        return self.up_a(interpolate(up, scale_factor=2.0)) + a

    def maps(self, images: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """(B, 3, 64, 64) -> heat and evidence, (B, 18, 32, 32) logits each."""
        features = self._features(images)
        return self.heat(features), self.evidence(features)

    @staticmethod
    def read(heat: torch.Tensor, evidence: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Maps -> keypoints and confidence logits, as `locate` gives them."""
        share = _precise(heat).flatten(2).softmax(-1).view(heat.shape)
        grid = _bin_centres(share)
        x, y = (share.sum(2) * grid).sum(-1), (share.sum(3) * grid).sum(-1)
        # Confidence is evidence read where the heat map points, so that it means "here", not "somewhere".
        return torch.stack([x, y], -1), (share * _precise(evidence)).sum((2, 3))

    def locate(self, images: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return self.read(*self.maps(images))


class _Residual(nn.Module):
    def __init__(self, inputs: int, outputs: int, stride: int = 1) -> None:
        super().__init__()
        self.body = nn.Sequential(_conv(inputs, outputs, stride), nn.Conv2d(outputs, outputs, 3, 1, 1))
        self.norm = nn.GroupNorm(8, outputs)
        same = inputs == outputs and stride == 1
        self.skip = nn.Identity() if same else nn.Conv2d(inputs, outputs, 1, stride)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return nn.functional.relu(self.norm(self.body(x)) + self.skip(x))


class MiniJudge(_MiniDetector):
    """A stride-8 residual network that classifies each coordinate into bins along its axis (as SimCC does)."""

    def __init__(
        self, channels: tuple[int, int, int] = (32, 64, 128), depth: int = 2, slots: int = 6, bins: int = 128
    ) -> None:
        super().__init__()
        a, b, c = channels
        self.channels, self.depth, self.bins = channels, depth, bins
        self.trunk = nn.Sequential(
            _Residual(3, a, 2), _Residual(a, b, 2), _Residual(b, c, 2), *(_Residual(c, c) for _ in range(depth))
        )
        self.per_keypoint = nn.Conv2d(c, KEYPOINTS * slots, 1)
        cells = slots * (MINI_SIZE // 8) ** 2
        self.axis_x, self.axis_y, self.present = nn.Linear(cells, bins), nn.Linear(cells, bins), nn.Linear(cells, 1)

    def axis_logits(self, images: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """(B, 18, bins) logits along x, the same along y, and (B, 18) confidence logits."""
        cells = self.per_keypoint(self.trunk(images)).unflatten(1, (KEYPOINTS, -1)).flatten(2)
        return self.axis_x(cells), self.axis_y(cells), self.present(cells).squeeze(-1)

    def locate(self, images: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        x, y, present = self.axis_logits(images)
        shares = [_precise(logits).softmax(-1) for logits in (x, y)]
        along = [(share * _bin_centres(share)).sum(-1) for share in shares]
        return torch.stack(along, -1), _precise(present)


def _to_mini_size(image: np.ndarray) -> torch.Tensor:
    """(H, W, 3) uint8 → (1, 3, 64, 64) in [-1, 1], its edge pixels repeated to a square, right and below."""
    height, width = image.shape[:2]
    side = max(height, width)
    square = np.pad(image, ((0, side - height), (0, side - width), (0, 0)), "edge") if height != width else image
    pixels = torch.from_numpy(np.ascontiguousarray(square.transpose(2, 0, 1)))[None].float() / 127.5 - 1
    if side == MINI_SIZE:
        return pixels
    return interpolate(pixels, (MINI_SIZE, MINI_SIZE), mode="bilinear", align_corners=False, antialias=True)


@torch.no_grad()
def detect_keypoints(network: MiniHourglass | MiniJudge, images: Sequence[np.ndarray]) -> np.ndarray:
    """(H, W, 3) uint8 RGB each, of any sizes, at least one → (B, 18, 3) x, y in px of each and confidence."""
    inputs = torch.cat([_to_mini_size(image) for image in images])
    found = network(inputs.to(next(network.parameters()).device))
    sides = np.array([max(image.shape[:2]) for image in images])
    answers = torch.cat([found.xy, found.confidence[..., None]], -1).double().cpu().numpy()
    answers[..., :2] *= (sides / MINI_SIZE)[:, None, None]
    return answers


_CLASSES = {"mini": (MiniHourglass, "detector"), "mini-judge": (MiniJudge, "judge")}


def load_mini_detector(name: Literal["mini", "mini-judge"], root: Path = WEIGHTS) -> MiniHourglass | MiniJudge:
    """The shipped network, frozen, in eval mode, float32 on the CPU: `mini` for the loss, `mini-judge` to judge by.

    root: a folder laid out as the shipped weights are.

    Raises PosetwinError: unknown_value, missing_weights, wrong_weights.
    """
    if name not in _CLASSES:
        raise PosetwinError("unknown_value", f"no mini detector {name!r}", f"one of: {', '.join(_CLASSES)}")
    kind, part = _CLASSES[name]
    folder = checked_folder(part, root)
    config = json.loads((folder / "config.json").read_text())
    network = kind(channels=tuple(config["channels"]), depth=config.get("depth", 2))
    network.load_state_dict({k: v.float() for k, v in load_file(folder / "model.safetensors").items()})
    return network.requires_grad_(False).eval()
