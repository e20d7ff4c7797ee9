"""Killed at any named moment, a training ends with the weights of an unbroken one, bit for bit.

A few moments are tested always; `-m faults` (npm run test:faults) runs the others.
"""

from __future__ import annotations

import shutil
import signal
from pathlib import Path
from typing import Any

import pytest
from deaths import run_and_die
from killed import assert_bit_equal, assert_nothing_is_half, collected, last_steps
from moments_tested import IN_TRAINING
from tiny import DATASET, Stack, assemble_job, ignore, make_job, write_lines

from posetwin import moments
from posetwin.stages import run
from posetwin.training.best import Best

# A run that has a checkpoint does not make the validation of step 0 again.
BEFORE_THE_FIRST_STEP = ("best_written", "best_saved")
# Of each part of a run, the one after which most has to be put right.
ALWAYS = ("gradients_clipped", "boundary_asked", "best_written", "checkpoint_optimizer", "checkpoint_renamed")
CHANGES: dict[str, Any] = {
    "train": {
        "max_train_steps": 5,
        "checkpointing_steps": 2,
        "checkpoints_total_limit": 1,
        "ema_decay": 0.9,
        # At which these steps make the held-out pairs worse: the validation of step 0 stays the best one.
        "learning_rate": 1e-3,
        "validation": {"steps": 3, "num_pairs": 3, "num_timesteps": 2},
        "samples": {"steps": 3, "num_images": 1, "num_inference_steps": 2, "guidance_scale": 3.0},
    },
    "convergence": {"decision_steps": 3},
}
ANSWER = [{"step": 3, "decision": "continue", "reason": ""}]


def rarely(moment: str) -> Any:
    return () if moment in ALWAYS else pytest.mark.faults


@pytest.fixture(scope="module")
def unbroken(stack: Stack) -> Path:
    output = stack.folder / "unbroken-by-faults"
    write_lines(output / "decisions.jsonl", ANSWER)
    run(stack.train_job(output, **CHANGES), ignore)
    return output


@pytest.fixture(scope="module")
def begun(stack: Stack) -> Path:
    """The folder of a run that was killed in step 3."""
    output = stack.folder / "begun"
    assert run_and_die(stack.train_job(output, **CHANGES), "kill:after_step:3") == -signal.SIGKILL
    return output


@pytest.mark.parametrize(
    ("moment", "step"), [pytest.param(name, step, marks=rarely(name)) for name, step in IN_TRAINING.items()]
)
def test_a_run_killed_at(moment: str, step: int, stack: Stack, unbroken: Path, begun: Path, tmp_path: Path) -> None:
    output = tmp_path / "run"
    if moment not in BEFORE_THE_FIRST_STEP:
        shutil.copytree(begun, output)
    job = stack.train_job(output, **CHANGES)
    if moment != "boundary_asked":
        write_lines(output / "decisions.jsonl", ANSWER)
    assert run_and_die(job, f"kill:{moment}:{step}") == -signal.SIGKILL
    assert_nothing_is_half(output)
    # One more than is kept, where it died between naming the new one and deleting the old one.
    assert len(list((output / "checkpoints").glob("step-*"))) <= 2

    write_lines(output / "decisions.jsonl", ANSWER)
    events = collected(job)
    assert events[-1]["status"] == "done"
    assert_bit_equal(output, unbroken)
    assert (output / "result.json").read_text() == (unbroken / "result.json").read_text()
    assert last_steps(output) == last_steps(unbroken)
    assert contents(output / "best") == contents(unbroken / "best")
    assert contents(output / "samples") == contents(unbroken / "samples")
    assert sorted(path.name for path in output.rglob("*.partial")) == []
    assert [path.name for path in (output / "checkpoints").iterdir()] == ["step-000005"]
    assert_nothing_is_half(output)


def test_the_validation_of_step_0_is_the_best_one(unbroken: Path) -> None:
    assert Best(unbroken / "best").step == 0


def test_a_primary_killed_in_a_step_ends_with_the_same_weights(stack: Stack, tmp_path: Path) -> None:
    changes = {"train": CHANGES["train"]}
    job = stack.primary_job(tmp_path / "broken", **changes)
    assert run_and_die(job, "kill:after_forward:3") == -signal.SIGKILL
    assert collected(job)[0]["resumed_from"] == 2
    run(stack.primary_job(tmp_path / "whole", **changes), ignore)
    assert_bit_equal(tmp_path / "broken", tmp_path / "whole")


def stage_job(stack: Stack, stage: str, output: Path, trained: Path) -> dict[str, Any]:
    if stage == "assemble":
        spec = {"seed": 0, "dataset": DATASET}
        return assemble_job(stack.folder / "items.jsonl", output, spec)
    if stage == "cache":
        return make_job("cache", output, {"assemble": stack.assemble}, {"backbone": stack.models["backbone"]})
    if stage == "features":
        inputs = {"assemble": stack.assemble, "primary": stack.primary}
        return make_job("features", output, inputs, {"adapter": stack.models["adapter"]})
    return stack.audit_job(output, trained)


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.faults
@pytest.mark.parametrize(("stage", "done"), [("assemble", 10), ("cache", 10), ("features", 10), ("audit", 2)])
def test_another_stage_killed_after_a_batch_gives_the_same_files(
    stage: str, done: int, stack: Stack, unbroken: Path, tmp_path: Path
) -> None:
    run(stage_job(stack, stage, tmp_path / "whole", unbroken), ignore)
    job = stage_job(stack, stage, tmp_path / "broken", unbroken)
    assert run_and_die(job, f"kill:progress:{done}") == -signal.SIGKILL
    assert not (tmp_path / "broken" / "result.json").exists()
    run(job, ignore)
    assert contents(tmp_path / "broken") == contents(tmp_path / "whole")


@pytest.mark.parametrize("text", ["kill:after_tea:3", "tickle:after_step:3", "kill:after_step", "kill:after_step:x"])
def test_an_event_that_names_nothing_is_refused(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(moments.VARIABLE, text)
    with pytest.raises(ValueError):
        moments.arm()
    monkeypatch.delenv(moments.VARIABLE)
    moments.arm()


def test_no_launcher_is_killed_without_torchrun(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(moments.VARIABLE, "kill_launcher:after_step:1")
    moments.arm()
    with pytest.raises(ValueError, match="no torchrun"):
        moments.at("after_step", 1)
    monkeypatch.delenv(moments.VARIABLE)
    moments.arm()
