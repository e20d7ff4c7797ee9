"""Step 2 of the method, the claims' dots: the grey maps A_0 and B_0."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from posetwin.errors import PosetwinError
from posetwin.losses.per_sample import unknown_reading

READINGS = ("square", "image")
# Grey of the pixels that a keypoint hits, and of all others.
HIT, BLANK = 0, 255
# In units of the keypoints' own precision: what Eq. 2 and its undoing may lose of a fraction. Without it a whole pixel
# could come back as the one before.
ROUNDING = 4


def _map_size(width: int, height: int, reading: str) -> tuple[int, int]:
    """Width and height of the map. Raises PosetwinError: unknown_value, refused_combination."""
    if reading not in READINGS:
        raise unknown_reading(reading, READINGS)
    if reading == "image":
        return width, height
    u = min(width, height)
    if u != max(width, height):
        message = f"a square map would distort a frame of {width} × {height} px"
        hint = "use square images, or the reading `image` (`control_frame: image`)"
        raise PosetwinError("refused_combination", message, hint)
    return u, u


def _pixels(keypoints: torch.Tensor, bias: Sequence[float] | torch.Tensor, size: tuple[int, int]) -> torch.Tensor:
    """Whole x, y of the pixels that are hit: (B, N, 2), float64 on the CPU."""
    fractions = keypoints.detach().to("cpu", torch.float64)
    fractions = fractions + torch.as_tensor(bias, dtype=torch.float64, device="cpu")
    sides = torch.tensor(size, dtype=torch.float64)
    rounding = ROUNDING * torch.finfo(keypoints.dtype).eps
    return ((fractions + rounding) * sides).floor().clamp(torch.zeros_like(sides), sides - 1)


def control_map(
    keypoints: torch.Tensor,
    mask: torch.Tensor,
    width: int,
    height: int,
    bias: Sequence[float] | torch.Tensor,
    radius: int,
    reading: str,
) -> torch.Tensor:
    """0 at floor((y_i + b_c)·u), 255 elsewhere: (B, map height, map width) uint8 on the keypoints' device.

    `square`: u = min(w, h) on both axes, for square frames alone; `image`: w and h themselves. A point beyond the edge
    moves to the nearest pixel (u itself is off the grid). Dots do not tell which joint is which; no gradient.
    keypoints: (B, N, 2) normalised by Eq. 2 with bias b_c, (2,), which is undone. mask: (B, N), above 0 where drawn.
    width, height: w, h of the frame, px. radius: px around a keypoint that are 0 too; 0 is one pixel.
    Raises PosetwinError: refused_combination, unknown_value, bad_keypoints.
    """
    size = _map_size(width, height, reading)
    if keypoints.shape[:2] != mask.shape:
        message = f"keypoints {tuple(keypoints.shape)} do not match mask {tuple(mask.shape)}"
        raise PosetwinError("bad_keypoints", message, "one number for each keypoint")
    columns, rows = torch.arange(size[0]), torch.arange(size[1])[:, None]
    maps = torch.full((len(keypoints), size[1], size[0]), BLANK, dtype=torch.uint8)
    shown = (mask > 0).cpu()[..., None, None]
    for point, drawn in zip(_pixels(keypoints, bias, size).unbind(1), shown.unbind(1), strict=True):
        x, y = point[..., None, None].unbind(1)
        maps.masked_fill_(((columns - x) ** 2 + (rows - y) ** 2 <= radius**2) & drawn, HIT)
    return maps.to(keypoints.device)
