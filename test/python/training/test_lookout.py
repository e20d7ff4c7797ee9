"""Between the steps: held-out validation, the best adapter, pictures, and the smoke before a long training."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from killed import assert_bit_equal, collected, weights
from PIL import Image
from tiny import Stack, ignore

from posetwin.adapters.t2i import load_adapter
from posetwin.stages import run
from posetwin.training import loop, set_up, smoke
from posetwin.training.best import Best
from posetwin.training.validation import Validated, validate
from posetwin.training.world import World

METHOD = {"objective": "patent+scene", "latents": {"source": "noised", "state": "own"}}
VALIDATION = {"steps": 2, "num_pairs": 3, "num_timesteps": 2}
ALONE = World(0, 1, torch.device("cpu"))
Event = dict[str, Any]


def of_type(events: list[Event], name: str) -> list[Event]:
    return [event for event in events if event["type"] == name]


def test_a_validation_is_told_at_its_steps_with_every_term(stack: Stack, tmp_path: Path) -> None:
    train = {"max_train_steps": 4, "checkpointing_steps": 4, "validation": VALIDATION}
    told = of_type(collected(stack.train_job(tmp_path, method=METHOD, train=train)), "validation")
    assert [(event["step"], event["num_pairs"]) for event in told] == [(0, 3), (2, 3), (4, 3)]
    assert set(told[0]["terms"]) >= {"target_pose", "pose_residual", "scene", "delta_l"}
    # What does not depend on the adapter is the same at every step: same pairs, t and noise.
    assert len({event["terms"]["delta_l"] for event in told}) == 1
    assert len({event["objective"] for event in told}) == 3


def test_validation_leaves_the_training_as_it_is(stack: Stack, tmp_path: Path) -> None:
    train = {"max_train_steps": 3, "checkpointing_steps": 3}
    samples = {"steps": 1, "num_images": 1, "num_inference_steps": 1, "guidance_scale": 3.0}
    run(stack.train_job(tmp_path / "without", train=train), ignore)
    run(stack.train_job(tmp_path / "with", train={**train, "validation": VALIDATION, "samples": samples}), ignore)
    assert_bit_equal(tmp_path / "without", tmp_path / "with")


@pytest.mark.parametrize("ranks", [2, 3, 5])
def test_any_number_of_ranks_sees_the_same(
    stack: Stack, tmp_path: Path, ranks: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = stack.parsed(stack.train_job(tmp_path, method=METHOD, train={"validation": VALIDATION}))
    trainer = set_up.make_trainer(job, ALONE, ignore, lambda: False, torch.float64)
    settings = job.spec.train.validation
    alone = validate(trainer.task, settings, ALONE, 2, 0)
    shares: list[torch.Tensor] = []
    monkeypatch.setattr(World, "sum", lambda self, values: shares.append(values) or values)
    for rank in range(ranks):
        validate(trainer.task, settings, World(rank, ranks, torch.device("cpu")), 2, 0)
    total = torch.stack(shares).sum(dim=0) / alone.num_pairs
    names = list(trainer.task.logged_terms)
    means = dict(zip(names, total.mean(dim=0).tolist(), strict=True))
    assert means == pytest.approx(alone.terms, rel=1e-12)


def test_a_primary_is_validated_too(stack: Stack, tmp_path: Path) -> None:
    train = {"max_train_steps": 2, "checkpointing_steps": 2, "validation": VALIDATION}
    told = of_type(collected(stack.primary_job(tmp_path, train=train)), "validation")
    assert [(event["step"], list(event["terms"])) for event in told] == [(0, ["primary_noise"]), (2, ["primary_noise"])]
    assert told[0]["objective"] == told[0]["terms"]["primary_noise"]


def scripted(monkeypatch: pytest.MonkeyPatch, values: dict[int, float]) -> None:
    """Validations of these steps with these objectives."""

    def found(task: Any, settings: Any, world: Any, batch_size: int, step: int) -> Validated:
        return Validated(1, values[step], {})

    monkeypatch.setattr("posetwin.training.lookout.validate", found)


@pytest.mark.parametrize(
    ("values", "best"),
    [
        ([3.0, 2.0, 1.0, 2.0], 2),
        ([3.0, 1.0, 1.0, 2.0], 1),
        ([1.0, 2.0, 3.0, 4.0], 0),
        ([float("nan"), 2.0, float("nan"), 3.0], 1),
    ],
)
def test_the_best_adapter_outlives_the_checkpoints_and_is_saved_on_request(
    values: list[float], best: int, stack: Stack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    train = {"max_train_steps": 3, "checkpointing_steps": 1, "checkpoints_total_limit": 1}
    job = stack.train_job(
        tmp_path, train={**train, "validation": {**VALIDATION, "steps": 1}, "load_best_model_at_end": True}
    )
    scripted(monkeypatch, dict(enumerate(values)))
    events = collected(job)
    assert Best(tmp_path / "best").step == best
    assert [e["step"] for e in of_type(events, "validation") if e["best"]][-1] == best
    assert json.loads((tmp_path / "result.json").read_text())["best_step"] == best
    kept = load_adapter(str(tmp_path / "best")).state_dict()
    saved = weights(tmp_path)
    assert all(torch.equal(kept[name], saved[name]) for name in saved)


def test_the_last_adapter_is_saved_unless_the_best_is_asked_for(
    stack: Stack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    train = {"max_train_steps": 2, "checkpointing_steps": 2}
    run(stack.train_job(tmp_path / "plain", train=train), ignore)
    scripted(monkeypatch, {0: 1.0, 2: 2.0})
    run(stack.train_job(tmp_path / "looked-at", train={**train, "validation": VALIDATION}), ignore)
    assert_bit_equal(tmp_path / "plain", tmp_path / "looked-at")


def test_pictures_are_painted_and_shown(stack: Stack, tmp_path: Path) -> None:
    samples = {"steps": 2, "num_images": 2, "num_inference_steps": 2, "guidance_scale": 3.0}
    events = collected(stack.train_job(tmp_path, train={"max_train_steps": 2, "samples": samples}))
    told = of_type(events, "samples")
    assert [event["step"] for event in told] == [0, 2]
    pictures = [np.asarray(Image.open(path)) for path in sorted(Path(told[1]["path"]).iterdir())]
    assert [picture.shape for picture in pictures] == [(64, 64, 3)] * 2
    assert not np.array_equal(*pictures)
    board = b"".join(path.read_bytes() for path in (tmp_path / "tensorboard").iterdir())
    assert b"samples" in board


def test_a_long_training_makes_two_passes_of_each_shape_first_and_changes_nothing(
    stack: Stack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    train = {"max_train_steps": 2, "gradient_accumulation_steps": 3, "checkpointing_steps": 2}
    run(stack.train_job(tmp_path / "short", train=train), ignore)
    monkeypatch.setattr(loop, "LONG", 2)
    events = collected(stack.train_job(tmp_path / "long", train=train))
    [told] = of_type(events, "smoke")
    assert told["num_samples"] == [1, 2]
    assert told["duration_ms"] > 0
    assert_bit_equal(tmp_path / "short", tmp_path / "long")


def test_what_does_not_fit_fails_before_the_first_step(
    stack: Stack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_memory() -> None:
        raise MemoryError("out of memory")

    with pytest.raises(MemoryError):
        smoke.smoke(no_memory, stack.parsed(stack.train_job(tmp_path)).spec.train, ALONE)
