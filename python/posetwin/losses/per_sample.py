"""Schedule numbers beside tensors of any precision."""

from __future__ import annotations

import torch

from posetwin.errors import PosetwinError

Scalars = float | torch.Tensor


def float64(values: Scalars) -> torch.Tensor:
    """One number or (B,) numbers as float64 on the CPU: 1 - ᾱ and 1/√ᾱ are taken there, as float32 would lose them."""
    return torch.as_tensor(values, dtype=torch.float64, device="cpu")


def beside(coefficients: torch.Tensor, like: torch.Tensor) -> Scalars:
    """() or (B,) coefficients, shaped and typed so that they multiply `like` (B, …)."""
    # One number needs no copy to the device, for which a GPU would be waited for.
    if coefficients.ndim == 0:
        return coefficients.item()
    return coefficients.reshape(-1, *[1] * (like.ndim - 1)).to(like)


def unit_interval(values: Scalars, what: str) -> torch.Tensor:
    """One number or (B,) numbers as float64. Raises PosetwinError: out_of_range where one is not in [0, 1]."""
    found = float64(values)
    if not bool(((found >= 0) & (found <= 1)).all()):
        raise PosetwinError("out_of_range", f"{what} lies in [0, 1]", "give the schedule's own values")
    return found


def positive_q(q: Scalars) -> Scalars:
    """Q as it is. Raises PosetwinError: out_of_range unless all of it is above 0."""
    if not bool((torch.as_tensor(q) > 0).all()):
        raise PosetwinError("out_of_range", "Q is positive", "method.q: a reading, or a number above 0")
    return q


def require_positive(values: torch.Tensor, what: str) -> torch.Tensor:
    """`values` when all are above 0. Raises PosetwinError: singular_schedule."""
    if not bool((values > 0).all()):
        raise PosetwinError("singular_schedule", f"{what} is 0: the term is infinite", "set schedule.singular to drop")
    return values


def unknown_reading(reading: object, known: tuple[str, ...]) -> PosetwinError:
    """The error for a reading that a term does not have."""
    return PosetwinError("unknown_value", f"there is no reading {reading!r}", f"one of: {', '.join(known)}")
