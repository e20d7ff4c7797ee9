"""The schedule of Eq. 9-13 and 37 in float64, the same readings and names as orchestrator/schedule.

Tensors are float64 of length T, indexed t - 1; t = 1 is the cleanest step.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from posetwin.errors import PosetwinError

MIN_NORMAL = 2.0**-1022  # the smallest normal float64
_SOUND = (("alphas", "ascending"), ("alphas", "descending"), ("betas", "ascending"), ("alphas_cumprod", "descending"))


@dataclass(frozen=True)
class _Steps:
    """α_t, 1 - α_t, ᾱ_t, ln ᾱ_t. 1 - α is carried because α near 1 loses it; ln ᾱ because ᾱ underflows."""

    alphas: torch.Tensor
    betas: torch.Tensor
    alphas_cumprod: torch.Tensor
    log_alphas_cumprod: torch.Tensor


@dataclass(frozen=True)
class ScheduleTable:
    """A schedule; infinite where a quantity is infinite, NaN where it is 0/0, also under ``singular: drop``."""

    num_steps: int
    kind: str
    alphas: torch.Tensor
    alphas_cumprod: torch.Tensor
    log_alphas_cumprod: torch.Tensor
    w: torch.Tensor  # w(t) of Eq. 13
    odds: torch.Tensor  # α_t / (1 - α_t), the summand of Q
    singular: list[tuple[int, str, str]]  # t, quantity, infinite | undefined | underflow
    dropped: list[int]
    clamped: list[int]
    train_timesteps: list[int] | None  # 0-based


def _f64(values: Sequence[float]) -> torch.Tensor:
    return torch.tensor(list(values), dtype=torch.float64)


def _cumulate(alphas: torch.Tensor, betas: torch.Tensor, log_alphas: torch.Tensor) -> _Steps:
    return _Steps(alphas, betas, alphas.cumprod(0), log_alphas.cumsum(0))


def _linspace(start: float, end: float, count: int) -> list[float]:
    """`count` numbers, both ends exact; `start` alone when there is one."""
    if count == 1:
        return [start]
    step = (end - start) / (count - 1)
    return [start + index * step for index in range(count - 1)] + [end]


def train_betas(kind: str, num_train_timesteps: int, beta_start: float, beta_end: float) -> torch.Tensor:
    """β of a training schedule under its diffusers name, (num_train_timesteps,) float64."""
    if kind == "linear":
        return _f64(_linspace(beta_start, beta_end, num_train_timesteps))
    if kind == "scaled_linear":
        return _f64(_linspace(math.sqrt(beta_start), math.sqrt(beta_end), num_train_timesteps)) ** 2
    # cos² as differences of angles from its zero: 1 - ratio would lose the digits of a small β.
    times = torch.arange(num_train_timesteps + 1, dtype=torch.float64) / num_train_timesteps
    angles = (1 - times) / 1.008 * (math.pi / 2)
    difference = math.sin(math.pi / 2 / (1.008 * num_train_timesteps))
    betas = difference * torch.sin(angles[:-1] + angles[1:]) / torch.sin(angles[:-1]) ** 2
    return betas.clamp(max=0.999)


def space_timesteps(spacing: str, num_steps: int, num_train_timesteps: int) -> list[int]:
    """The 0-based timesteps that diffusers' DDIM visits, cleanest first. Raises PosetwinError: out_of_range."""
    if not 1 <= num_steps <= num_train_timesteps:
        raise PosetwinError("out_of_range", f"{num_steps} steps cannot be chosen from {num_train_timesteps}")
    if spacing == "leading":
        ratio = num_train_timesteps // num_steps
        offset = min(1, num_train_timesteps - 1 - ratio * (num_steps - 1))
        return [index * ratio + offset for index in range(num_steps)]
    if spacing == "trailing":
        # numpy's arange(N, 0, -N/T) in its own floating-point order, which decides how halves round.
        delta = (num_train_timesteps - num_train_timesteps / num_steps) - num_train_timesteps
        return [round(num_train_timesteps + index * delta) - 1 for index in reversed(range(num_steps))]
    return [round(value) for value in _linspace(0.0, num_train_timesteps - 1.0, num_steps)]


def _respaced(config: Mapping[str, Any]) -> tuple[_Steps, list[int]]:
    count = int(config["num_train_timesteps"])
    betas = train_betas(config["kind"], count, float(config["beta_start"]), float(config["beta_end"]))
    if not bool(((betas > 0) & (betas < 1)).all()):
        raise PosetwinError("out_of_range", "a beta of the training schedule is not between 0 and 1")
    timesteps = space_timesteps(config["spacing"], int(config["num_steps"]), count)
    logs = torch.log1p(-betas).cumsum(0)[timesteps]
    log_alphas = torch.diff(logs, prepend=logs.new_zeros(1))
    return _Steps(log_alphas.exp(), -torch.expm1(log_alphas), logs.exp(), logs), timesteps


def _from_values(of: str, values: Sequence[float]) -> _Steps:
    given = _f64(values)
    if given.numel() == 0 or not bool(((given >= 0) & (given <= 1)).all()):
        raise PosetwinError("out_of_range", f"{of} needs one or more values between 0 and 1")
    if of == "alphas":
        return _cumulate(given, 1 - given, given.log())
    if of == "betas":
        return _cumulate(1 - given, given, torch.log1p(-given))
    before = torch.cat([given.new_ones(1), given[:-1]])
    if bool((given > before).any()) or bool((before == 0).any()):
        raise PosetwinError("out_of_range", "alphas_cumprod may not rise, nor be 0 before the last step")
    return _Steps(given / before, (before - given) / before, given, given.log())


def _progression(config: Mapping[str, Any]) -> _Steps:
    of, order = config["of"], config["order"]
    if (of, order) not in _SOUND or config["start"] > config["end"]:
        raise PosetwinError("refused_combination", f"{of} cannot run {order} from start to end: it is no diffusion")
    values = _linspace(float(config["start"]), float(config["end"]), int(config["num_steps"]))
    return _from_values(of, values if order == "ascending" else values[::-1])


def _singular(steps: _Steps) -> list[tuple[int, str, str]]:
    logs, clean = steps.log_alphas_cumprod, steps.log_alphas_cumprod == 0
    checks = [
        (steps.betas == 0, "q", "infinite"),
        ((steps.alphas == 0) & ~clean, "w", "infinite"),
        (clean, "w", "undefined"),
        (clean, "score_weight", "infinite"),
        (logs == -math.inf, "one_step_gain", "infinite"),
        ((logs > -math.inf) & (steps.alphas_cumprod < MIN_NORMAL), "alphas_cumprod", "underflow"),
    ]
    found = [(int(t) + 1, name, kind) for mask, name, kind in checks for t in mask.nonzero().flatten()]
    return sorted(found, key=lambda step: step[0])


def _clamp(steps: _Steps, eps: float) -> _Steps:
    """Holds singular α_t `eps` away from 0 and 1; an underflowing ᾱ_t becomes the smallest normal number."""

    def pick(values: torch.Tensor, at_zero: float, at_one: float) -> torch.Tensor:
        held = torch.where(steps.alphas == 0, at_zero, values)
        return torch.where(steps.betas == 0, at_one, held)

    logs = pick(steps.alphas.log(), math.log(eps), math.log1p(-eps))
    held = _cumulate(pick(steps.alphas, eps, 1 - eps), pick(steps.betas, 1 - eps, eps), logs)
    return _Steps(held.alphas, held.betas, held.alphas_cumprod.clamp(min=MIN_NORMAL), held.log_alphas_cumprod)


def build_schedule(config: Mapping[str, Any]) -> ScheduleTable:
    """The schedule of a ``schedule`` section with every key present (kind, num_steps, spacing, …, singular, eps).

    Raises PosetwinError: singular_schedule under ``singular: error``, refused_combination, out_of_range.
    """
    train_timesteps: list[int] | None = None
    if config["kind"] == "arithmetic":
        steps = _progression(config)
    elif config["kind"] == "list":
        steps = _from_values(config["of"], config["values"])
    else:
        steps, train_timesteps = _respaced(config)
    singular = _singular(steps)
    touched = sorted({t for t, _, _ in singular})
    if singular and config["singular"] == "error":
        named = ", ".join(f"{quantity} is {kind} at t = {t}" for t, quantity, kind in singular[:4])
        raise PosetwinError(
            "singular_schedule", f"the {config['kind']} schedule is singular: {named}", "set schedule.singular to drop"
        )
    clamping = bool(singular) and config["singular"] == "clamp"
    if clamping:
        steps = _clamp(steps, float(config["eps"]))
    return ScheduleTable(
        num_steps=steps.alphas.numel(),
        kind=config["kind"],
        alphas=steps.alphas,
        alphas_cumprod=steps.alphas_cumprod,
        log_alphas_cumprod=steps.log_alphas_cumprod,
        w=steps.betas / (2 * steps.alphas * -torch.expm1(steps.log_alphas_cumprod)),
        odds=steps.alphas / steps.betas,
        singular=singular,
        dropped=touched if config["singular"] == "drop" else [],
        clamped=touched if clamping else [],
        train_timesteps=train_timesteps,
    )


def _log_sigma(log_alphas_cumprod: torch.Tensor) -> torch.Tensor:
    return ((-torch.expm1(log_alphas_cumprod)).log() - log_alphas_cumprod) / 2


def snr_matched_timesteps(table: ScheduleTable, train_table: ScheduleTable) -> tuple[torch.Tensor, int]:
    """Fractional trained timesteps with the same ᾱ, linear in ln σ, and how many lie outside and are held at an end.

    train_table: the U-Net's own schedule with all its timesteps, so that index n is timestep n.
    """
    trained, targets = _log_sigma(train_table.log_alphas_cumprod), _log_sigma(table.log_alphas_cumprod)
    held = targets.clamp(float(trained[0]), float(trained[-1]))
    below = torch.searchsorted(trained, held, right=True).clamp(1, max(trained.numel() - 1, 1)) - 1
    above = (below + 1).clamp(max=trained.numel() - 1)
    width = trained[above] - trained[below]
    fraction = torch.where(width > 0, (held - trained[below]) / width, torch.zeros_like(held))
    return below + fraction, int((held != targets).sum())
