"""Contact sheets: rows of pictures in one PNG, to be looked at."""

from __future__ import annotations

from pathlib import Path

import torch
from PIL import Image


def save_sheet(rows: list[torch.Tensor], path: Path, *, zoom: int = 2) -> None:
    """rows: (N, 3, H, W) in [-1, 1], the same N and size in each; values beyond the range are clipped."""
    sheet = torch.cat([torch.cat(list(row), dim=2) for row in rows], dim=1)
    pixels = ((sheet.clamp(-1, 1) + 1) * 127.5).round().byte().permute(1, 2, 0).numpy()
    image = Image.fromarray(pixels)
    image.resize((image.width * zoom, image.height * zoom), Image.Resampling.NEAREST).save(path)
