"""The detector that a config names."""

from __future__ import annotations

import torch

from posetwin.contracts import BlazeposeDetector, Detector
from posetwin.keypoints.detector import KeypointDetector


def load_detector(config: Detector, device: torch.device | str = "cpu") -> KeypointDetector:
    """Frozen, in eval mode, differentiable. Raises PosetwinError: missing_weights, wrong_weights."""
    if isinstance(config, BlazeposeDetector):
        from posetwin.keypoints.blazepose import BlazePoseDetector

        return BlazePoseDetector(config.variant).to(device)
    from posetwin.keypoints.mini import load_mini_detector

    return load_mini_detector(config.kind).to(device)
