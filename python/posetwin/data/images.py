"""Pictures between their two forms: uint8 on disk, tensors in a model's range."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from PIL import Image, UnidentifiedImageError

from posetwin.errors import PosetwinError


def read_pixels(path: Path, mode: str = "RGB") -> np.ndarray:
    """(H, W, 3) or, with mode ``L``, (H, W) uint8. Raises PosetwinError: missing_file, bad_image."""
    try:
        with Image.open(path) as image:
            return np.asarray(image.convert(mode))
    except FileNotFoundError as error:
        raise PosetwinError("missing_file", f"{path} does not exist") from error
    except (UnidentifiedImageError, OSError) as error:
        raise PosetwinError("bad_image", f"{path} cannot be read as a picture: {error}") from error


def to_model(pixels: np.ndarray) -> torch.Tensor:
    """(…, H, W, 3) uint8 → (…, 3, H, W) float32 in [-1, 1]."""
    return torch.from_numpy(np.ascontiguousarray(np.moveaxis(pixels, -1, -3))).float() / 127.5 - 1


def to_control(pixels: np.ndarray, channels: int) -> torch.Tensor:
    """A control map, (H, W) grey or (H, W, 3) RGB uint8 → (channels, H, W) float32 in [0, 1]."""
    if channels not in (1, 3):
        raise PosetwinError("wrong_weights", f"an adapter that reads {channels} channels is not supported", "1 or 3")
    image = np.asarray(Image.fromarray(pixels).convert("L" if channels == 1 else "RGB"))
    image = image[..., None] if image.ndim == 2 else image
    return torch.from_numpy(np.moveaxis(image, -1, 0).copy()).float() / 255


def to_pixels(images: torch.Tensor) -> np.ndarray:
    """(…, 3, H, W) around [-1, 1] → (…, H, W, 3) uint8; what is out of range is cut, so never in a gradient's way."""
    cut = ((images.detach().float().clamp(-1, 1) + 1) * 127.5).round().to(torch.uint8)
    return np.moveaxis(cut.cpu().numpy(), -3, -1)
