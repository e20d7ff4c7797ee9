"""Three trainings are what they were, step by step, or docs/convergence.md says why not."""

from __future__ import annotations

import re
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path

import pytest
import torch
from diffusers.models.embeddings import get_timestep_embedding
from method_by_hand import SHAPE, ByHand, Numbers, first_steps, noise_of
from reference_curves import (
    CHART,
    EXPERIMENTS,
    LOG,
    SEED,
    STEPS,
    TOLERANCE,
    Curve,
    assemble,
    embed_timesteps_float64,
    moved,
    read_all,
    read_golden,
    timesteps_in_float64,
    train,
    version,
)
from reference_curves_chart import chart
from tiny import TRAIN

from posetwin.sampling.noise import draw_noise

BY_HAND = 1e-9
REMEDY = "npm run curves:update, and say why in the log of docs/convergence.md"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    found = tmp_path_factory.mktemp("curves")
    assemble(found)
    yield found


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_every_number_of_every_step_is_what_it_was(folder: Path, name: str) -> None:
    golden = read_golden(name)
    assert len(golden["objective"]) == STEPS
    found = moved(name, golden, train(folder, name))
    assert not found, "\n".join([*found, f"if that is meant: {REMEDY}"])


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_the_first_steps_are_those_of_the_equations_by_hand(folder: Path, name: str) -> None:
    experiment, golden = EXPERIMENTS[name], read_golden(name)
    method = ByHand(folder / "assemble", experiment.num_steps, SEED)

    def loss(index: int, a: int, b: int, t: int) -> tuple[torch.Tensor, Numbers]:
        if name == "primary":
            return method.primary_noise(index, a, b, t)
        return method.secondary(index, a, b, t, scene=name == "patent-scene")

    settings = {**TRAIN, **experiment.train}
    with timesteps_in_float64():
        steps = first_steps(method.adapter, loss, golden, settings, count=2)
    for k, numbers in enumerate(steps):
        assert numbers.keys() == golden.keys() - {"pictures", "t", "learning_rate"}
        for column, value in numbers.items():
            expected = golden[column][k]
            expected = expected[0] if isinstance(expected, list) else expected
            assert value == pytest.approx(expected, rel=BY_HAND), f"{name}: {column} at step {k + 1}"


def test_timesteps_in_float64_are_embedded_as_diffusers_does_it() -> None:
    timesteps = torch.tensor([0.0, 1.0, 333.25, 999.0])
    for options in ({"flip_sin_to_cos": True, "downscale_freq_shift": 0}, {}):
        embedded = embed_timesteps_float64(timesteps, 64, **options)
        assert embedded.dtype == torch.float64
        # 999 times the rounding of an exponential in float32.
        torch.testing.assert_close(
            embedded.float(), get_timestep_embedding(timesteps, 64, **options), rtol=0, atol=5e-4
        )


def test_the_product_draws_its_noise_from_the_same_generators_in_float32() -> None:
    by_hand = torch.cat([noise_of(SEED, index, torch.float32) for index in range(3)])
    assert torch.equal(draw_noise(SEED, "noise", range(3), SHAPE), by_hand)


def test_the_log_names_these_curves_first_and_says_why() -> None:
    _, _, section = LOG.read_text(encoding="utf-8").partition("\n## Log of the reference curves\n")
    rows = re.findall(r"^\| `([0-9a-f]{12})` \| (.+) \|$", section, re.MULTILINE)
    assert rows, "docs/convergence.md has lost its log"
    newest, why = rows[0]
    assert newest == version(), f"the golden curves are {version()}, the log's first row is {newest}: {REMEDY}"
    assert len(why.strip()) > 20, f"why did the curves move? {REMEDY}"


def test_the_chart_is_drawn_from_these_curves() -> None:
    assert CHART.read_text(encoding="utf-8") == chart(read_all()), REMEDY


def _scaled(curve: Curve, column: str, step: int, by: float) -> Curve:
    other = deepcopy(curve)
    value = other[column][step - 1]
    other[column][step - 1] = [value[0] * by] if isinstance(value, list) else value * by
    return other


def test_a_difference_is_told_with_its_experiment_step_term_and_size() -> None:
    golden = read_golden("patent")
    assert moved("patent", golden, _scaled(golden, "target_pose", 7, 1 + TOLERANCE / 2)) == []
    [line] = moved("patent", golden, _scaled(golden, "target_pose", 7, 1 + 3 * TOLERANCE))
    t = golden["t"][6][0]
    assert line == f"patent: target_pose moves by 3.0e-06 at step 7 (t = {t}), by 3.0e-06 at step 7 (t = {t})"
    [line] = moved("patent", golden, {**golden, "t": [[9]] * STEPS})
    assert line == "patent: step 1 sees another t"
    without = {column: values for column, values in golden.items() if column != "scene"}
    assert moved("patent", golden, without) == ["patent: scene is in one curve alone"]
    # What is not finite differs from everything.
    assert len(moved("patent", golden, _scaled(golden, "grad_norm", 50, float("nan")))) == 1
