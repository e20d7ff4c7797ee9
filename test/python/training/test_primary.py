"""Training of the primary adapter by Eq. 12."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from tiny import Stack, ignore, schedule_spec

from posetwin.adapters.t2i import load_adapter, reset_weights
from posetwin.contracts import TrainResult
from posetwin.data.assembled import read_assembled
from posetwin.data.cache import read_cache
from posetwin.stages import run
from posetwin.training import set_up
from posetwin.training.primary import PrimaryTask
from posetwin.training.routes import Batch
from posetwin.training.world import World

TWO_STEPS = {"max_train_steps": 2, "global_batch_size": 2}


def train(stack: Stack, output: Path, start: str = "adapter", **changes: Any) -> list[dict[str, Any]]:
    events: list[dict[str, Any]] = []
    run(stack.primary_job(output, start, **{"train": TWO_STEPS, **changes}), events.append)
    return events


def weights(folder: Path) -> dict[str, torch.Tensor]:
    return load_file(folder / "diffusion_pytorch_model.safetensors")


@pytest.mark.parametrize("weight", ["w(t)", "simple"])
def test_each_reading_of_primary_weight_trains_two_steps(stack: Stack, tmp_path: Path, weight: str) -> None:
    events = train(stack, tmp_path, method={"primary_weight": weight})
    assert [e["step"] for e in events if e["type"] == "primary_step"] == [1, 2]
    result = TrainResult.model_validate_json((tmp_path / "result.json").read_text())
    assert (result.steps, result.stopped_early) == (2, False)
    before, after = weights(stack.primary), weights(tmp_path / "adapter")
    assert any(not torch.equal(before[name], after[name]) for name in before)


def test_w_of_eq_13_is_the_ratio_of_the_two_readings(stack: Stack, tmp_path: Path) -> None:
    first = [
        next(e for e in train(stack, tmp_path / name, method={"primary_weight": name}) if e["type"] == "primary_step")
        for name in ("w(t)", "simple")
    ]
    t, schedule = first[0]["t"], schedule_spec()
    alpha, alpha_cumprod = schedule["alphas"][t - 1], schedule["alphas_cumprod"][t - 1]
    w = (1 - alpha) / (2 * alpha * (1 - alpha_cumprod))
    assert first[0]["primary_noise"] == pytest.approx(w * first[1]["primary_noise"], rel=1e-5)


def test_the_loss_is_the_mean_square_of_the_noise_that_the_u_net_misses(stack: Stack, tmp_path: Path) -> None:
    job = stack.parsed(stack.primary_job(tmp_path, method={"primary_weight": "simple"}))
    trainer = set_up.make_primary_trainer(job, World(0, 1, torch.device("cpu")), ignore, lambda: False)
    batch = trainer.task.batches.gather(range(2))
    alpha_cumprod = schedule_spec()["alphas_cumprod"][2]
    noised = alpha_cumprod**0.5 * batch.latents_b + (1 - alpha_cumprod) ** 0.5 * batch.noise
    with torch.no_grad():
        noise_pred = trainer.task.denoiser.backbone.unet(
            noised,
            schedule_spec()["timesteps"][2],
            batch.prompt_embeds,
            down_intrablock_additional_residuals=list(trainer.task.adapter(batch.controls_b)),
        ).sample
        found = trainer.task.gate_terms(range(2), 3)()["primary_noise"]
    torch.testing.assert_close(found, (noise_pred - batch.noise).square().mean())


def batch_of(stack: Stack, folder: Path, share: float) -> Batch:
    job = stack.parsed(stack.primary_job(folder, proportion_empty_prompts=share))
    trainer = set_up.make_primary_trainer(job, World(0, 1, torch.device("cpu")), ignore, lambda: False)
    assert isinstance(trainer.task, PrimaryTask)
    return trainer.task.gathered(range(200))


def test_a_picture_goes_with_its_own_text_and_pose(stack: Stack, tmp_path: Path) -> None:
    batch, assembled, cache = batch_of(stack, tmp_path, 0.0), read_assembled(stack.assemble), read_cache(stack.cache)
    for latents, control, embeds in zip(batch.latents_b, batch.controls_b, batch.prompt_embeds, strict=True):
        shown = [i for i, row in enumerate(cache.latents) if torch.equal(row, latents)]
        assert any(torch.equal(cache.embeds_of([assembled.captions[i]])[0], embeds) for i in shown)
        assert any(torch.equal(assembled.controls([i], control.shape[0])[0], control) for i in shown)


def test_the_asked_share_of_the_samples_is_trained_without_text(stack: Stack, tmp_path: Path) -> None:
    whole = batch_of(stack, tmp_path, 0.0)
    for share in (0.3, 1.0):
        batch = batch_of(stack, tmp_path, share)
        empty = (batch.prompt_embeds == batch.negative_prompt_embeds).all(2).all(1)
        # Three standard deviations of 200 draws.
        assert abs(empty.double().mean().item() - share) <= 3 * (share * (1 - share) / 200) ** 0.5
        assert torch.equal(batch.prompt_embeds[~empty], whole.prompt_embeds[~empty])


def test_scratch_starts_with_new_weights_that_the_seed_decides(stack: Stack) -> None:
    adapters = [load_adapter(str(stack.primary)) for _ in range(3)]
    for adapter, seed in zip(adapters, (1, 1, 2), strict=True):
        reset_weights(adapter, seed)
    first, same, other = (dict(adapter.named_parameters()) for adapter in adapters)
    assert all(torch.equal(first[name], same[name]) for name in first)
    assert any(not torch.equal(first[name], other[name]) for name in first)
    start = weights(stack.primary)
    assert any(not torch.equal(first[name], start[name]) for name in first)


def test_an_interrupted_primary_goes_on_to_the_same_bits(stack: Stack, tmp_path: Path) -> None:
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    changes = {"train": {"max_train_steps": 4, "checkpointing_steps": 2}}
    run(stack.primary_job(whole, "scratch", **changes), ignore)
    events: list[dict[str, Any]] = []
    job = stack.primary_job(broken, "scratch", **changes)
    run(job, events.append, stop_requested=lambda: any(e["type"] == "primary_step" for e in events))
    assert not (broken / "result.json").exists()
    run(job, ignore)
    left, right = weights(whole / "adapter"), weights(broken / "adapter")
    assert all(torch.equal(left[name], right[name]) for name in left)
    assert json.loads((broken / "result.json").read_text())["steps"] == 4
