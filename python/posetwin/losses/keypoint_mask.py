"""The one mask of all keypoint terms: from the given annotations, never from what a detector sees."""

from __future__ import annotations

import torch

from posetwin.errors import PosetwinError


def keypoint_mask(visibility_a: torch.Tensor, visibility_b: torch.Tensor) -> torch.Tensor:
    """1 where a keypoint is present in both given annotations, else 0.

    visibility_a, visibility_b: (B, N), above 0 where present. Returns (B, N) float of the first one's device.
    A mask by confidence on generated images would pay the model for hiding joints.
    Raises PosetwinError: no_visible_keypoint.
    """
    mask = ((visibility_a > 0) & (visibility_b > 0)).to(torch.get_default_dtype())
    check_mask(mask)
    return mask


def check_mask(mask: torch.Tensor) -> None:
    """Raises PosetwinError no_visible_keypoint where a sample of (B, N) has none: its mean would be 0/0."""
    empty = (mask.sum(dim=1) == 0).nonzero().flatten()
    if empty.numel() > 0:
        raise PosetwinError(
            "no_visible_keypoint",
            f"sample {int(empty[0])} of the batch has no keypoint that is present in both A and B",
            "leave such pairs out of the set",
        )


def mean_over_visible(values: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """(B, N) values, (B, N) mask -> (B,). The patent sums over keypoints; a mean does not depend on how many show."""
    # Reading a mask on a GPU would wait for all that is queued there; it was checked on the CPU, where it was made.
    if mask.device.type == "cpu":
        check_mask(mask)
    weights = mask.to(values.dtype)
    return (values * weights).sum(dim=1) / weights.sum(dim=1)


def squared_distance(first: torch.Tensor, second: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """Mean over visible keypoints of ‖first_i - second_i‖²: (B, N, 2), (B, N, 2), (B, N) -> (B,)."""
    if first.shape != second.shape or first.shape[:2] != mask.shape:
        shapes = f"{tuple(first.shape)}, {tuple(second.shape)} and mask {tuple(mask.shape)}"
        raise PosetwinError("bad_keypoints", f"keypoints do not match: {shapes}", "detector and set share one layout")
    return mean_over_visible((first - second).square().sum(dim=-1), mask)
