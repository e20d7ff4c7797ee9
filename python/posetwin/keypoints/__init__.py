"""Keypoint layouts and differentiable detectors (Ψ of the method)."""
