"""The journal and TensorBoard beside the event stream."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tiny import Stack, ignore

from posetwin.stages import run
from posetwin.training.sinks import Sinks, scalars_of
from posetwin.training.world import World

STEP = {
    "type": "step",
    "step": 3,
    "visits": [
        {"t": 1, "terms": {"scene": 1.0, "score_difference": None}, "loss": 2.0, "confidence": 0.5},
        {"t": 2, "terms": {"scene": 3.0, "score_difference": 1.0}, "loss": 4.0, "confidence": 0.7},
    ],
    "objective": 0.1,
    "grad_norm": None,
    "learning_rate": 1e-3,
    "duration_ms": 7.0,
}


def curves(folder: Path) -> EventAccumulator:
    found = EventAccumulator(str(folder / "tensorboard"))
    found.Reload()
    return found


def test_terms_are_means_over_the_visited_t_and_what_is_not_finite_is_left_out() -> None:
    step, scalars = scalars_of(STEP)
    assert step == 3
    assert scalars == {
        "terms/scene": 2.0,
        "terms/L_t": 3.0,
        "terms/confidence": pytest.approx(0.6),
        "train/objective": 0.1,
        "train/learning_rate": 1e-3,
        "train/duration_ms": 7.0,
    }
    assert scalars_of({"type": "warning", "code": "x", "message": ""})[1] == {}


def test_a_training_is_in_tensorboard_with_both_sides_of_eq_33(stack: Stack, tmp_path: Path) -> None:
    events: list[dict[str, Any]] = []
    run(stack.train_job(tmp_path, train={"max_train_steps": 2}), events.append)
    found = curves(tmp_path)
    steps = [event for event in events if event["type"] == "step"]
    losses = [event.value for event in found.Scalars("terms/L_t")]
    assert losses == pytest.approx([step["visits"][0]["loss"] for step in steps], rel=1e-6)
    assert [event.step for event in found.Scalars("train/grad_norm")] == [1, 2]
    assert {"gradients/cosine/t1", "gradients/cosine/t4"} <= set(found.Tags()["scalars"])


def test_steps_that_a_resumed_training_does_again_count_once(stack: Stack, tmp_path: Path) -> None:
    job = stack.train_job(tmp_path, train={"max_train_steps": 4, "checkpointing_steps": 2})

    class Killed(BaseException):
        pass

    def die_after_three(event: dict[str, Any]) -> None:
        if event["type"] == "step" and event["step"] == 3:
            raise Killed

    with pytest.raises(Killed):
        run(job, die_after_three)
    run(job, ignore)
    assert [event.step for event in curves(tmp_path).Scalars("terms/L_t")] == [1, 2, 3, 4]


def test_only_rank_0_writes(tmp_path: Path) -> None:
    with Sinks(ignore, tmp_path, World(1, 2, torch.device("cpu")), lambda step: pytest.fail("a tracker")) as emit:
        emit({"type": "started", "resumed_from": 0})
        emit(STEP)
    assert list(tmp_path.iterdir()) == []


def test_the_journal_has_null_for_what_is_not_finite(tmp_path: Path) -> None:
    with Sinks(ignore, tmp_path, World(0, 1, torch.device("cpu")), lambda step: []) as emit:
        emit({"type": "gradients", "step": 0, "t": 1, "noise_norm": 1.0, "pose_norm": 0.0, "cosine": float("nan")})
    [line] = (tmp_path / "events.jsonl").read_text().splitlines()
    assert json.loads(line)["cosine"] is None
