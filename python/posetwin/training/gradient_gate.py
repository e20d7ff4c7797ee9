"""The self-test before the first step: does every loss term that is minimised really reach the adapter?"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import torch

# Steps along the gradient, tried in turn: as a change of the term relative to itself, and of the parameters relative to
# their norm (a term with a large constant part hardly changes). float32 needs them this coarse.
RELATIVE_CHANGES = (0.02, 0.005)
RELATIVE_LENGTHS = (1e-2, 1e-3)
MOST = 0.05
# The finite difference may be off by this share of the gradient's own prediction.
TOLERANCE = 0.25
Terms = Callable[[], dict[str, torch.Tensor]]
Verdict = Literal["passes", "dead", "not_finite", "disagrees"]


@dataclass(frozen=True)
class Tested:
    """One term at one t. gradient: norm with respect to the adapter. finite_difference: the term's slope along it."""

    term: str
    t: int
    gradient: float
    finite_difference: float
    verdict: Verdict


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


def _lengths(value: float, norm: float, parameter_norm: float) -> list[float]:
    by_value = [min(change * max(abs(value), 1e-12) / norm, MOST * parameter_norm) for change in RELATIVE_CHANGES]
    return [*by_value, *(length * parameter_norm for length in RELATIVE_LENGTHS)]


def _test(
    compute: Terms, name: str, value: float, gradient: list[torch.Tensor], parameters: list[torch.nn.Parameter]
) -> tuple[float, float, Verdict]:
    norm = float(torch.stack([component.norm() for component in gradient]).norm())
    if not (math.isfinite(norm) and math.isfinite(value)):
        return norm, math.nan, "not_finite"
    if norm == 0:
        return norm, math.nan, "dead"
    unit, slope = [component / norm for component in gradient], math.nan
    for h in _lengths(value, norm, float(torch.stack([p.detach().norm() for p in parameters]).norm())):
        slope = _slope(compute, name, parameters, unit, h)
        if abs(slope - norm) <= TOLERANCE * norm:
            return norm, slope, "passes"
    return norm, slope, "disagrees"


def check_gradients(
    compute: Terms, used: tuple[str, ...], parameters: list[torch.nn.Parameter], t: int
) -> list[Tested]:
    """Each used term at t: is its gradient finite, not zero, and within 25 % of a finite difference along itself?

    compute: () → scalar terms by name, from the current parameters and always the same batch.
    """
    terms = compute()
    gradients = {name: _gradient(terms[name], parameters) for name in used}
    values = {name: terms[name].item() for name in used}
    return [Tested(n, t, *_test(compute, n, values[n], gradients[n], parameters)) for n in used]


_FAULTS = {
    "dead": "is zero: it would train nothing",
    "not_finite": "is not finite",
    "disagrees": "disagrees with its finite difference",
}


def find_fault(results: Sequence[Tested]) -> str | None:
    """Why training must not start; None where every term passes at one of the tested t at least, and is finite at all.

    What does not pass at some t alone is for the audit to show: a schedule may leave nothing to learn there.
    """
    passed = {result.term for result in results if result.verdict == "passes"}
    for result in results:
        if result.verdict == "not_finite" or result.term not in passed:
            return (
                f"the gradient of {result.term} with respect to the adapter {_FAULTS[result.verdict]} "
                f"(t = {result.t}, norm {result.gradient:.3g}, finite difference {result.finite_difference:.3g})"
            )
    return None
