"""The self-test before the first step: does every loss term that is minimised really reach Φ2?"""

from __future__ import annotations

from collections.abc import Callable

import torch

from posetwin.errors import PosetwinError

# Steps along the gradient, as a change of the term relative to itself; float32 needs them this coarse.
RELATIVE_CHANGES = (0.02, 0.005)
# The finite difference may be off by this share of the gradient's own prediction.
TOLERANCE = 0.25
Terms = Callable[[], dict[str, torch.Tensor]]


def _gradient(term: torch.Tensor, parameters: list[torch.nn.Parameter]) -> list[torch.Tensor]:
    if not term.requires_grad:
        return [torch.zeros_like(parameter) for parameter in parameters]
    found = torch.autograd.grad(term, parameters, retain_graph=True, allow_unused=True)
    return [torch.zeros_like(p) if g is None else g for p, g in zip(parameters, found, strict=True)]


@torch.no_grad()
def _moved(parameters: list[torch.nn.Parameter], direction: list[torch.Tensor], length: float) -> None:
    for parameter, component in zip(parameters, direction, strict=True):
        parameter.add_(component, alpha=length)


@torch.no_grad()
def _slope(
    compute: Terms, name: str, parameters: list[torch.nn.Parameter], unit: list[torch.Tensor], h: float
) -> float:
    """The central difference of a term along a unit direction; the parameters are put back bit for bit."""
    before = [parameter.clone() for parameter in parameters]
    values = []
    for sign in (1.0, -1.0):
        _moved(parameters, unit, sign * h)
        values.append(float(compute()[name]))
        for parameter, value in zip(parameters, before, strict=True):
            parameter.copy_(value)
    return (values[0] - values[1]) / (2 * h)


def _check(
    compute: Terms, name: str, value: float, gradient: list[torch.Tensor], parameters: list[torch.nn.Parameter]
) -> None:
    norm = float(torch.stack([component.norm() for component in gradient]).norm())
    if not (norm > 0 and norm < float("inf")):
        raise PosetwinError(
            "dead_gradient",
            f"the gradient of {name} with respect to the secondary adapter has norm {norm}: it would train nothing",
            "check the detector and the adapter: no step of their computation may leave torch or round",
        )
    unit = [component / norm for component in gradient]
    slopes = []
    for change in RELATIVE_CHANGES:
        slopes.append(_slope(compute, name, parameters, unit, change * max(abs(value), 1e-12) / norm))
        if abs(slopes[-1] - norm) <= TOLERANCE * norm:
            return
    raise PosetwinError(
        "dead_gradient",
        f"the gradient of {name} (norm {norm:.3g}) disagrees with its finite differences ({slopes})",
        "check the detector: its gradient must be that of what it computes",
    )


def check_gradients(compute: Terms, used: tuple[str, ...], parameters: list[torch.nn.Parameter]) -> None:
    """Each used term's gradient is finite, not zero, and within 25 % of a finite difference along its own direction.

    compute: () → scalar terms by name, from the current parameters and always the same batch.
    Raises PosetwinError: dead_gradient.
    """
    terms = compute()
    gradients = {name: _gradient(terms[name], parameters) for name in used}
    values = {name: terms[name].item() for name in used}
    for name in used:
        _check(compute, name, values[name], gradients[name], parameters)
