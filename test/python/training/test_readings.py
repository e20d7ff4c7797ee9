"""Every named reading of the method trains two steps, alone and together with others."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any, get_args

import pytest
import torch
from safetensors.torch import load_file
from tiny import METHOD, Stack, T, schedule_spec

from posetwin.contracts import Method, MethodLatents
from posetwin.stages import run
from posetwin.training import set_up
from posetwin.training.loop import Trainer
from posetwin.training.routes import Both, first_states, states_at
from posetwin.training.secondary import SecondaryTask
from posetwin.training.world import World

READINGS: dict[str, tuple[Any, ...]] = {
    "objective": ("patent", "score", "score+pose", "patent+scene"),
    "latents": tuple(
        {"source": source, "state": state}
        for source, state in itertools.product(("trajectory", "noised", "pure-noise"), ("own", "a", "b"))
    ),
    "image_at_t": ("one_step", "state"),
    "one_step": ("x_t", "as-printed"),
    "update": ("per-step", "per-trajectory"),
    "total": ("mean", "sum"),
    "pose_residual": ("plain", "absolute", "squared"),
    "target": ("given", "detected"),
    "primary_weight": ("w(t)", "simple"),
    "sampler": ("ddim", "as-printed"),
    "guidance_scale": (1.0, 3.0),
    "normalization_bias": ([0.0, 0.0], [0.5, -0.5]),
}
ALONE = [(name, value) for name, values in READINGS.items() for value in values if value != METHOD[name]]


def train_two_steps(stack: Stack, output: Path, **method: Any) -> list[dict[str, Any]]:
    events: list[dict[str, Any]] = []
    job = stack.train_job(output, method=method, train={"max_train_steps": 2, "global_batch_size": 2})
    run(job, events.append)
    return events


def assert_trained(stack: Stack, output: Path, events: list[dict[str, Any]]) -> None:
    assert [e["step"] for e in events if e["type"] == "step"] == [1, 2]
    assert all(e["grad_norm"] > 0 for e in events if e["type"] == "step")
    before = load_file(stack.primary / "diffusion_pytorch_model.safetensors")
    after = load_file(output / "adapter" / "diffusion_pytorch_model.safetensors")
    assert any(not torch.equal(before[name], after[name]) for name in before)


def task_of(stack: Stack, output: Path, **method: Any) -> SecondaryTask:
    trainer = trainer_of(stack, output, **method)
    assert isinstance(trainer.task, SecondaryTask)
    return trainer.task


def trainer_of(stack: Stack, output: Path, **method: Any) -> Trainer:
    job = stack.parsed(stack.train_job(output, method=method))
    return set_up.make_trainer(job, World(0, 1, torch.device("cpu")), lambda event: None, lambda: False)


def test_names_every_reading_of_the_contract() -> None:
    for name, values in READINGS.items():
        allowed = get_args(Method.model_fields[name].annotation)
        if name == "latents":
            fields = MethodLatents.model_fields
            allowed = list(itertools.product(*(get_args(fields[key].annotation) for key in ("source", "state"))))
            assert {tuple(value.values()) for value in values} == set(allowed)
        elif name not in ("guidance_scale", "normalization_bias"):
            assert set(values) == set(allowed)
    assert set(READINGS) | {"q", "scene_weight", "score_weight", "unet_timestep"} == set(Method.model_fields)


@pytest.mark.parametrize(("name", "value"), ALONE, ids=lambda value: str(value))
def test_a_reading_alone_trains_two_steps(stack: Stack, tmp_path: Path, name: str, value: Any) -> None:
    assert_trained(stack, tmp_path, train_two_steps(stack, tmp_path, **{name: value}))


TOGETHER = [
    {name: values[(index + place) % len(values)] for place, (name, values) in enumerate(READINGS.items())}
    for index in range(9)
]


@pytest.mark.parametrize("method", TOGETHER, ids=range(len(TOGETHER)))
def test_readings_together_train_two_steps(stack: Stack, tmp_path: Path, method: dict[str, Any]) -> None:
    assert_trained(stack, tmp_path, train_two_steps(stack, tmp_path, **method))


def test_per_trajectory_visits_every_t_from_the_noisiest_down(stack: Stack, tmp_path: Path) -> None:
    events = train_two_steps(stack, tmp_path, update="per-trajectory")
    for event in (e for e in events if e["type"] == "step"):
        assert [visit["t"] for visit in event["visits"]] == [4, 3, 2, 1]
        q = schedule_spec()["q"][0]
        mean = sum(visit["loss"] / (q + 1) for visit in event["visits"]) / T
        assert event["objective"] == pytest.approx(mean, rel=1e-9)


@pytest.mark.parametrize("state", ["own", "a", "b"])
def test_a_trajectory_walked_at_once_meets_the_states_of_each_t(stack: Stack, tmp_path: Path, state: str) -> None:
    task = task_of(stack, tmp_path, latents={"source": "trajectory", "state": state})
    batch = task.batches.gather(range(2))
    denoiser = task.objective.denoiser
    with torch.no_grad():
        features = task.features(task.adapter, batch.controls_b)
        for t, seen in task.walk(batch, features):
            again = task.objective.evaluate(batch, states_at(denoiser, batch, features, t), features, t)
            torch.testing.assert_close(seen.terms, again.terms, rtol=1e-4, atol=1e-6)


def test_the_gradient_of_a_trajectory_is_the_mean_of_those_of_its_t(stack: Stack, tmp_path: Path) -> None:
    parameters = {}
    for update, steps in (("per-trajectory", 1), ("per-step", T)):
        task = task_of(stack, tmp_path, update=update, latents={"source": "noised", "state": "own"})
        for step in range(1, steps + 1):
            # The same samples at each t of a cycle.
            task.accumulate(task.adapter, range(2), step, 1 / steps)
        parameters[update] = [p.grad for p in task.adapter.parameters()]
    torch.testing.assert_close(parameters["per-trajectory"], parameters["per-step"], rtol=1e-4, atol=1e-7)


def test_total_sum_scales_what_is_minimised_by_the_number_of_t(stack: Stack, tmp_path: Path) -> None:
    for update in ("per-step", "per-trajectory"):
        mean, total = (
            train_two_steps(stack, tmp_path / f"{update}-{reading}", update=update, total=reading)[:-1]
            for reading in ("mean", "sum")
        )
        first = [next(e for e in events if e["type"] == "step") for events in (mean, total)]
        assert first[1]["objective"] == pytest.approx(T * first[0]["objective"], rel=1e-6)
        assert first[1]["visits"] == first[0]["visits"]


def test_target_detected_puts_what_the_detector_finds_in_the_place_of_b_0(stack: Stack, tmp_path: Path) -> None:
    given, detected = (task_of(stack, tmp_path, target=reading) for reading in ("given", "detected"))
    batch, other = given.batches.gather(range(2)), detected.batches.gather(range(2))
    _, b = given.batches.pictures(0)
    with torch.no_grad():
        found = given.objective.detector(given.batches.assembled.images([b])).xy / 64
    torch.testing.assert_close(other.keypoints_b[:1], found)
    assert torch.equal(batch.mask, other.mask)
    assert not torch.allclose(batch.keypoints_b, other.keypoints_b)


def test_image_at_t_state_decodes_the_state_after_the_step(stack: Stack, tmp_path: Path) -> None:
    steps = task_of(stack, tmp_path, image_at_t="state").objective.denoiser.steps
    latents, noise, noise_pred = torch.randn(3, 1, 4, 2, 2)
    found = steps.latents_of_image(latents, noise, noise_pred, 3)
    torch.testing.assert_close(found, steps.step_back(latents, noise_pred, 3, 2))
    # Before the cleanest step lies the image itself, for either reading.
    one_step = task_of(stack, tmp_path).objective.denoiser.steps
    torch.testing.assert_close(
        steps.latents_of_image(latents, noise, noise_pred, 1),
        one_step.latents_of_image(latents, noise, noise_pred, 1),
    )


def test_one_step_as_printed_has_the_noise_in_the_place_of_x_t(stack: Stack, tmp_path: Path) -> None:
    printed = task_of(stack, tmp_path, one_step="as-printed").objective.denoiser.steps
    sound = task_of(stack, tmp_path).objective.denoiser.steps
    latents, noise, noise_pred = torch.randn(3, 1, 4, 2, 2)
    found = printed.latents_of_image(latents, noise, noise_pred, 2)
    torch.testing.assert_close(found, sound.latents_of_image(noise, noise, noise_pred, 2))


def test_one_state_serves_both_routes_where_the_reading_says_so(stack: Stack, tmp_path: Path) -> None:
    for state, expected in (("a", "latents_a"), ("b", "latents_b")):
        task = task_of(stack, tmp_path, latents={"source": "noised", "state": state})
        batch, denoiser = task.batches.gather(range(2)), task.objective.denoiser
        noised = denoiser.steps.add_noise(getattr(batch, expected), batch.noise, 2)
        torch.testing.assert_close(first_states(denoiser, batch, 2), Both(noised, noised))
