"""Eq. 2-4: keypoints in fractions of the frame."""

from __future__ import annotations

from collections.abc import Sequence

import torch


def normalize_keypoints(
    keypoints: torch.Tensor, width: float, height: float, bias: Sequence[float] | torch.Tensor
) -> torch.Tensor:
    """g_b(y_i) = diag(1/b_w, 1/b_h)(y_i - b_c) with b_w = width, b_h = height: (…, N, 2) -> (…, N, 2).

    keypoints: pixels x, y of a frame `width` × `height`. bias: b_c as a fraction of the frame, (2,). The stray factor
    Ψ_δ(Y) printed in Eq. 2 is a slip. Differences do not depend on b_c.
    """
    # Numbers, not tensors: a copy to a GPU would wait for it.
    return torch.stack([keypoints[..., 0] / width - bias[0], keypoints[..., 1] / height - bias[1]], dim=-1)
