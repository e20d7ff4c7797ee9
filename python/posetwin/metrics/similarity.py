"""How much of a scene's structure two pictures share: SSIM where a mask is set (Wang et al., 2004)."""

from __future__ import annotations

import torch
from torch.nn.functional import conv2d

WINDOW, SIGMA = 11, 1.5
K1, K2 = 0.01, 0.03
DATA_RANGE = 2.0  # pictures in [-1, 1]


def _window(like: torch.Tensor) -> torch.Tensor:
    """(1, 1, WINDOW, WINDOW) Gaussian of sum 1."""
    steps = torch.arange(WINDOW, dtype=like.dtype, device=like.device) - WINDOW // 2
    line = torch.exp(-0.5 * (steps / SIGMA) ** 2)
    return (line[:, None] * line / line.sum() ** 2)[None, None]


def scene_similarity(images_a: torch.Tensor, images_b: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """Mean SSIM over the pixels of `mask` and the colours; local means and variances see pixels of `mask` alone.

    images_a, images_b: (B, 3, H, W) in [-1, 1]; mask: (B, H, W), 1 where a pixel counts. Returns (B,) in [-1, 1], 1 for
    equal scenes and where the figures fill the frame.
    """
    batch, colours, height, width = images_a.shape
    weight = mask.to(images_a.dtype)[:, None].expand(-1, colours, -1, -1).reshape(-1, 1, height, width)
    a, b = (images.reshape(-1, 1, height, width) for images in (images_a, images_b))
    window = _window(a)
    seen = conv2d(weight, window, padding=WINDOW // 2).clamp_min(1e-6)

    def local(values: torch.Tensor) -> torch.Tensor:
        return conv2d(values * weight, window, padding=WINDOW // 2) / seen

    mean_a, mean_b = local(a), local(b)
    var_a, var_b = local(a * a) - mean_a**2, local(b * b) - mean_b**2
    covariance = local(a * b) - mean_a * mean_b
    c1, c2 = (K1 * DATA_RANGE) ** 2, (K2 * DATA_RANGE) ** 2
    ssim = (2 * mean_a * mean_b + c1) * (2 * covariance + c2) / ((mean_a**2 + mean_b**2 + c1) * (var_a + var_b + c2))
    total = weight.reshape(batch, -1).sum(1)
    shared = (ssim * weight).reshape(batch, -1).sum(1) / total.clamp_min(1)
    return torch.where(total > 0, shared, torch.ones_like(shared))
