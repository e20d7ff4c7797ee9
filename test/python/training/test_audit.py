"""What the stage `audit` measures, against numbers worked out another way."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest
import torch
from tiny import Stack, T, ignore

from posetwin.contracts import AuditResult
from posetwin.losses import score_difference
from posetwin.stages import run
from posetwin.training import set_up
from posetwin.training.audit import Sums, noised_numbers
from posetwin.training.gradient_sides import SAMPLES, gradient_sides
from posetwin.training.loop import Trainer
from posetwin.training.routes import noised_states
from posetwin.training.secondary import SecondaryTask
from posetwin.training.world import World


@pytest.fixture(scope="module")
def trained(stack: Stack) -> Path:
    output = stack.folder / "audited"
    run(stack.train_job(output, train={"max_train_steps": 2}), ignore)
    return output


@pytest.fixture(scope="module")
def result(stack: Stack, trained: Path) -> AuditResult:
    output = stack.folder / "audit"
    run(stack.audit_job(output, trained), ignore)
    return AuditResult.model_validate_json((output / "result.json").read_text())


def test_a_known_pair_of_errors_gives_its_squares_and_inner_product() -> None:
    noise = torch.zeros(1, 2, 1, 1)
    # x = (3, 4), y = (4, -3): orthogonal, ‖x‖² = ‖y‖² = 25; means over the two elements halve them.
    x, y = torch.tensor([3.0, 4.0]).view(1, 2, 1, 1), torch.tensor([4.0, -3.0]).view(1, 2, 1, 1)
    found = {name: value.item() for name, value in noised_numbers(noise, x, y).items()}
    assert found == {"noise_error_a": 12.5, "noise_error_b": 12.5, "inner_product": 0.0}
    assert noised_numbers(noise, x, -x)["inner_product"].item() == -12.5
    assert noised_numbers(noise + 1, x + 1, y + 1)["noise_error_b"].item() == 12.5


def test_sums_over_batches_of_different_size_are_means_over_samples() -> None:
    sums = Sums()
    for values in ([1.0, 2.0, 3.0], [10.0]):
        sums.add(2, {"x": torch.tensor(values)})
    assert sums.means(4) == [{"t": 2, "x": 4.0}]


def test_every_trainable_t_is_measured_with_finite_numbers(result: AuditResult) -> None:
    assert result.num_pairs == 5
    assert [row.t for row in result.per_t] == list(range(1, T + 1))
    for row in result.per_t:
        assert all(math.isfinite(value) for value in row.model_dump().values())
        assert 0 <= row.detection_rate_a <= 1


def test_the_expanded_square_of_eq_34_is_eq_18_on_noised_states(
    stack: Stack, trained: Path, result: AuditResult
) -> None:
    job = stack.parsed(stack.audit_job(stack.folder / "again", trained))
    from posetwin.adapters.t2i import load_adapter

    secondary = load_adapter(str(trained / "adapter"))
    task = set_up.make_secondary_task(job, torch.device("cpu"), torch.float32, secondary)
    batch, denoiser = task.batches.gather(range(5)), task.objective.denoiser
    row = result.per_t[2]
    with torch.no_grad():
        states, features = noised_states(denoiser, batch, 3), task.features(secondary, batch.controls_b)
        predicted = denoiser.routes(batch, states, 3, features)
        expected = score_difference(*predicted, denoiser.steps.alphas_cumprod(3)).mean().item()
    squares = row.noise_error_a + row.noise_error_b - 2 * row.inner_product
    assert squares / (1 - denoiser.steps.alphas_cumprod(3)) == pytest.approx(expected, rel=1e-4)


def test_the_floor_of_the_detector_is_its_error_on_the_pictures_of_the_set(
    stack: Stack, trained: Path, result: AuditResult
) -> None:
    job = stack.parsed(stack.audit_job(stack.folder / "floor", trained))
    task = set_up.make_secondary_task(job, torch.device("cpu"), torch.float32)
    pictures = sorted({i for place in range(5) for i in task.batches.pictures(place)})
    given, errors = task.batches.assembled.keypoints, []
    for index in pictures:
        with torch.no_grad():
            found = task.objective.detector(task.batches.assembled.images([index])).xy[0].double()
        seen = given[index, :, 2] > 0
        errors.append(float(((found - given[index, :, :2])[seen] / 64).square().sum(-1).mean()))
    assert result.detector.num_images == len(pictures)
    assert result.detector.squared_error == pytest.approx(sum(errors) / len(errors), rel=1e-5)


def trainer_of(stack: Stack, output: Path, emit: Any = ignore, **method: Any) -> Trainer:
    job = stack.parsed(stack.train_job(output, method=method, convergence={"decision_steps": 2}))
    return set_up.make_trainer(job, World(0, 1, torch.device("cpu")), emit, lambda: False)


@pytest.mark.parametrize("objective", ["patent", "score"])
def test_both_sides_of_eq_33_are_the_gradients_that_finite_differences_see(
    stack: Stack, tmp_path: Path, objective: str
) -> None:
    trainer = trainer_of(stack, tmp_path, objective=objective)
    task = trainer.task
    assert isinstance(task, SecondaryTask)
    sides = gradient_sides(task, trainer.world)
    assert [side.t for side in sides] == [1, 3, 4]
    assert all(-1 <= side.cosine <= 1 and side.pose_norm > 0 and side.noise_norm > 0 for side in sides)
    assert all(p.grad is None for p in task.adapter.parameters())

    # The noise side by backward() on the mean over the same samples.
    batch, denoiser = task.batches.gather(range(SAMPLES)), task.objective.denoiser
    states = noised_states(denoiser, batch, 3)
    noise_pred = denoiser.route(batch, states.b, 3, task.features(task.adapter, batch.controls_b))
    steps = denoiser.steps
    w = (1 - steps.alphas(3)) / (2 * steps.alphas(3) * (1 - steps.alphas_cumprod(3)))
    (w * (noise_pred - batch.noise).square().mean()).backward()
    norm = torch.cat([p.grad.flatten() for p in task.adapter.parameters() if p.grad is not None]).norm()
    assert sides[1].noise_norm == pytest.approx(float(norm), rel=1e-4)


def test_both_sides_are_told_before_the_first_step_and_at_every_boundary(stack: Stack, tmp_path: Path) -> None:
    events: list[dict[str, Any]] = []
    decisions = tmp_path / "decisions.jsonl"
    lines = [{"step": step, "decision": "continue", "reason": ""} for step in (2, 4, 6)]
    decisions.write_text("".join(json.dumps(line) + "\n" for line in lines))
    trainer_of(stack, tmp_path, events.append).train()
    told = [(e["step"], e["t"]) for e in events if e["type"] == "gradients"]
    assert told == [(step, t) for step in (0, 2, 4, 6) for t in (1, 3, 4)]
