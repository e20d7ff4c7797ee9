from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from killed import assert_bit_equal
from tiny import Stack, ignore

from posetwin.errors import PosetwinError
from posetwin.stages import run
from posetwin.training import checkpoint


@pytest.fixture(scope="module")
def unbroken(stack: Stack) -> Path:
    output = stack.folder / "unbroken"
    run(stack.train_job(output), ignore)
    return output


def test_a_stopped_run_saves_a_checkpoint_and_goes_on_to_the_same_bits(
    stack: Stack, unbroken: Path, tmp_path: Path
) -> None:
    job = stack.train_job(tmp_path)
    events: list[dict[str, Any]] = []
    run(job, events.append, stop_requested=lambda: sum(e["type"] == "step" for e in events) >= 2)
    assert events[-1]["status"] == "stopped"
    assert not (tmp_path / "result.json").exists()
    run(job, events.append)
    assert [e["resumed_from"] for e in events if e["type"] == "started"] == [0, 2]
    assert_bit_equal(tmp_path, unbroken)


def test_a_finished_run_trains_nothing_when_it_is_asked_again(stack: Stack, unbroken: Path) -> None:
    before = json.loads((unbroken / "result.json").read_text())
    events: list[dict[str, Any]] = []
    run(stack.train_job(unbroken), events.append)
    assert "step" not in {e["type"] for e in events}
    assert json.loads((unbroken / "result.json").read_text()) == before


def test_a_damaged_checkpoint_is_reported_and_the_one_before_is_taken(
    stack: Stack, unbroken: Path, tmp_path: Path
) -> None:
    job = stack.train_job(tmp_path)
    run(job, ignore)
    damaged = tmp_path / "checkpoints" / "step-000006" / checkpoint.WEIGHTS
    content = bytearray(damaged.read_bytes())
    content[-1] ^= 1
    damaged.write_bytes(content)
    events: list[dict[str, Any]] = []
    run(job, events.append)
    skipped = [e for e in events if e["type"] == "checkpoint_skipped"]
    assert [Path(e["path"]).name for e in skipped] == ["step-000006"]
    assert [e["step"] for e in events if e["type"] == "step"] == [4, 5, 6]
    assert_bit_equal(tmp_path, unbroken)


def test_a_full_disk_ends_in_disk_full_and_leaves_the_last_checkpoint_whole(
    stack: Stack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save = checkpoint.save_file

    def fail_at_step_six(tensors: dict[str, torch.Tensor], path: Path) -> None:
        if "step-000006" in str(path):
            raise OSError(28, "No space left on device")
        save(tensors, path)

    monkeypatch.setattr(checkpoint, "save_file", fail_at_step_six)
    with pytest.raises(PosetwinError) as caught:
        run(stack.train_job(tmp_path), ignore)
    assert caught.value.code == "disk_full"
    folders = list((tmp_path / "checkpoints").iterdir())
    assert [folder.name for folder in folders] == ["step-000003"]
    assert checkpoint.find_fault(folders[0]) is None


def test_only_the_newest_checkpoints_are_kept(stack: Stack, tmp_path: Path) -> None:
    run(stack.train_job(tmp_path, train={"checkpointing_steps": 1, "max_train_steps": 3}), ignore)
    assert sorted(f.name for f in (tmp_path / "checkpoints").iterdir()) == ["step-000002", "step-000003"]
