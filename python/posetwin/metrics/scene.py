"""How much the scene changes when only the pose should."""

from __future__ import annotations

import numpy as np
import torch

from posetwin.control.silhouette import silhouette

# Added around both silhouettes, as a fraction of the image side: hair, hands and shoes stand out from the limbs.
DILATION = 0.06


def scene_mask(keypoints_a: np.ndarray, keypoints_b: np.ndarray, size: int) -> torch.Tensor:
    """1 outside both dilated silhouettes, 0 inside.

    keypoints_a, keypoints_b: (B, 18, 3) x, y in pixels of a square image of side `size`, visibility.
    Returns (B, size, size) float32.
    """
    figures = [
        silhouette(a, size, DILATION * size) | silhouette(b, size, DILATION * size)
        for a, b in zip(keypoints_a, keypoints_b, strict=True)
    ]
    return torch.from_numpy(~np.stack(figures)).float()


def scene_drift(images_a: torch.Tensor, images_b: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """Mean |Z_A − Z_B| over the pixels of `mask` and the colours.

    images_a, images_b: (B, 3, H, W) in [-1, 1]; mask: (B, H, W), 1 where a pixel counts. Returns (B,); 0 where the
    figures fill the frame.
    """
    difference = (images_a - images_b).abs().mean(dim=1)
    return (difference * mask).sum((1, 2)) / mask.sum((1, 2)).clamp_min(1)
