"""Schedule numbers beside tensors of any precision."""

from __future__ import annotations

import torch

from posetwin.errors import PosetwinError

Scalars = float | torch.Tensor


def float64(values: Scalars) -> torch.Tensor:
    """One number or (B,) numbers as float64 on the CPU: 1 - ᾱ and 1/√ᾱ are taken there, as float32 would lose them."""
    return torch.as_tensor(values, dtype=torch.float64, device="cpu")


def beside(coefficients: torch.Tensor, like: torch.Tensor) -> torch.Tensor:
    """() or (B,) coefficients, shaped and typed so that they multiply `like` (B, …)."""
    return coefficients.reshape(-1, *[1] * (like.ndim - 1)).to(like)


def require_positive(values: torch.Tensor, what: str) -> torch.Tensor:
    """`values` when all are above 0. Raises PosetwinError: singular_schedule."""
    if not bool((values > 0).all()):
        raise PosetwinError("singular_schedule", f"{what} is 0: the term is infinite", "set schedule.singular to drop")
    return values


def unknown_reading(reading: object, known: tuple[str, ...]) -> PosetwinError:
    """The error for a reading that a term does not have."""
    return PosetwinError("unknown_value", f"there is no reading {reading!r}", f"one of: {', '.join(known)}")
