"""The detector that a config names."""

from __future__ import annotations

import torch

from posetwin.contracts import BlazeposeDetector, Detector
from posetwin.keypoints.detector import KeypointDetector


def load_detector(
    config: Detector, device: torch.device | str = "cpu", dtype: torch.dtype = torch.float32
) -> KeypointDetector:
    """Frozen, in eval mode, differentiable; images of any float dtype are cast to its own by itself.

    dtype: of weights, keypoints and gradients; half precision, which cannot tell pixels apart, is raised to float32.
    Raises PosetwinError: missing_weights, wrong_weights.
    """
    dtype = torch.promote_types(dtype, torch.float32)
    if isinstance(config, BlazeposeDetector):
        from posetwin.keypoints.blazepose import BlazePoseDetector

        return BlazePoseDetector(config.variant).to(device, dtype)
    from posetwin.keypoints.mini import load_mini_detector

    return load_mini_detector(config.kind).to(device, dtype)
