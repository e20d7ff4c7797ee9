"""Noise as a function of (seed, purpose, index) alone: no generator's state, so any order and any number of ranks."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence

import torch


def derived_seed(seed: int, purpose: str, index: int) -> int:
    """A 63-bit seed; sha256 keeps neighbouring indices independent."""
    digest = hashlib.sha256(f"{seed}/{purpose}/{index}".encode()).digest()
    return int.from_bytes(digest[:8], "little") >> 1


def derived_generator(seed: int, purpose: str, index: int) -> torch.Generator:
    return torch.Generator().manual_seed(derived_seed(seed, purpose, index))


def draw_noise(seed: int, purpose: str, indices: Iterable[int], shape: Sequence[int]) -> torch.Tensor:
    """(B, *shape) float32 standard normal on the CPU, one independent draw per index: the same on every device."""
    draws = [torch.randn(tuple(shape), generator=derived_generator(seed, purpose, index)) for index in indices]
    return torch.stack(draws)
