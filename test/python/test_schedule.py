"""The schedule in torch against 60-digit arithmetic and against diffusers."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest
import torch
from diffusers import DDIMScheduler

from posetwin.errors import PosetwinError
from posetwin.schedule import build_schedule, snr_matched_timesteps, space_timesteps

GOLDEN = json.loads((Path(__file__).parents[1] / "golden" / "schedules.json").read_text())
BETAS = {"scaled_linear": (0.00085, 0.012), "linear": (0.0001, 0.02), "squaredcos_cap_v2": (0.0001, 0.02)}
PROGRESSIONS = {
    "patent-alphas-ascending": ("alphas", "ascending"),
    "patent-alphas-descending": ("alphas", "descending"),
    "patent-betas-ascending": ("betas", "ascending"),
    "patent-alphas-cumprod-descending": ("alphas_cumprod", "descending"),
}


def pretrained(kind: str, spacing: str, num_steps: int) -> dict[str, Any]:
    start, end = BETAS[kind]
    return {
        "kind": kind,
        "spacing": spacing,
        "num_steps": num_steps,
        "num_train_timesteps": 1000,
        "beta_start": start,
        "beta_end": end,
        "singular": "error",
        "eps": 1e-6,
    }


def arithmetic(of: str, order: str, num_steps: int, singular: str = "drop") -> dict[str, Any]:
    rest = {"start": 0.00002, "end": 1.0, "num_steps": num_steps, "singular": singular, "eps": 1e-6}
    return {"kind": "arithmetic", "of": of, "order": order, **rest}


def config_of(name: str, num_steps: int) -> dict[str, Any]:
    if name in PROGRESSIONS:
        return arithmetic(*PROGRESSIONS[name], num_steps)
    kind, spacing = name.rsplit("-", 1)
    return pretrained(kind, spacing, num_steps)


def assert_close(actual: torch.Tensor, expected: list[str | None]) -> None:
    for value, text in zip(actual.tolist(), expected, strict=True):
        if text is None:
            assert not math.isfinite(value)
        else:
            assert abs(value - float(text)) <= 1e-12 * abs(float(text))


@pytest.mark.parametrize(("steps", "name"), [(steps, name) for steps in GOLDEN for name in GOLDEN[steps]])
def test_agrees_with_60_digit_arithmetic_to_1e_12(steps: str, name: str) -> None:
    expected = GOLDEN[steps][name]
    table = build_schedule(config_of(name, int(steps)))
    assert_close(table.alphas, expected["alphas"])
    assert_close(table.alphas_cumprod, expected["alphas_cumprod"])
    assert_close(table.log_alphas_cumprod.exp(), expected["alphas_cumprod"])
    assert_close(table.w, expected["w"])
    assert [t for t, quantity, _ in table.singular if quantity == "q"] == expected["singular_odds_t"]
    assert [t for t, quantity, _ in table.singular if quantity == "w"] == expected["singular_w_t"]
    assert table.dropped == expected["singular_t"]
    assert table.train_timesteps == expected.get("train_timesteps")


@pytest.mark.parametrize("kind", BETAS)
@pytest.mark.parametrize("spacing", ["trailing", "leading", "linspace"])
def test_agrees_with_the_float32_of_diffusers_to_2e_5(kind: str, spacing: str) -> None:
    for num_steps in (1, 3, 7, 12, 16, 48, 50, 99, 333, 999):
        start, end = BETAS[kind]
        scheduler = DDIMScheduler(
            1000, start, end, kind, timestep_spacing=spacing, steps_offset=1, set_alpha_to_one=True, clip_sample=False
        )
        scheduler.set_timesteps(num_steps)
        table = build_schedule(pretrained(kind, spacing, num_steps))
        timesteps = scheduler.timesteps[:num_steps].flip(0)
        assert table.train_timesteps == timesteps.tolist()
        torch.testing.assert_close(
            table.alphas_cumprod, scheduler.alphas_cumprod[timesteps].double(), rtol=2e-5, atol=1e-12
        )


def test_names_the_singular_step() -> None:
    with pytest.raises(PosetwinError, match="q is infinite at t = 50") as caught:
        build_schedule(arithmetic("alphas", "ascending", 50, "error"))
    assert caught.value.code == "singular_schedule"


def test_clamp_lets_eps_set_q() -> None:
    table = build_schedule(arithmetic("alphas", "ascending", 50, "clamp"))
    assert table.clamped == [50]
    assert 2 * float(table.odds.mean()) == pytest.approx(2 / (50 * 1e-6) + 6.9585898484558192 * 49 / 50, rel=1e-6)


def test_refuses_progressions_that_are_no_diffusion() -> None:
    for of, order in (("betas", "descending"), ("alphas_cumprod", "ascending")):
        with pytest.raises(PosetwinError) as caught:
            build_schedule(arithmetic(of, order, 50))
        assert caught.value.code == "refused_combination"


def test_one_step_of_a_progression_is_its_start() -> None:
    assert build_schedule(arithmetic("alphas", "ascending", 1)).alphas.tolist() == [0.00002]


def test_keeps_the_logarithm_where_alphas_cumprod_underflows() -> None:
    table = build_schedule(arithmetic("alphas", "ascending", 10_000))
    assert ("alphas_cumprod", "underflow") in {(quantity, kind) for _, quantity, kind in table.singular}
    assert float(table.log_alphas_cumprod[-1]) == pytest.approx(-9994.5, abs=20)


def test_snr_matching_is_exact_on_the_training_schedule_and_counts_what_it_clamps() -> None:
    train = build_schedule(pretrained("scaled_linear", "linspace", 1000))
    for spacing in ("trailing", "leading", "linspace"):
        table = build_schedule(pretrained("scaled_linear", spacing, 50))
        timesteps, clamped = snr_matched_timesteps(table, train)
        assert timesteps.tolist() == space_timesteps(spacing, 50, 1000)
        assert clamped == 0
    assert snr_matched_timesteps(build_schedule(arithmetic("alphas", "ascending", 50)), train)[1] == 50
    assert snr_matched_timesteps(build_schedule(arithmetic("betas", "ascending", 50)), train)[1] == 30
