"""Checkpoints that are damaged, foreign or do not fit on the disk. The seed of the damage is printed."""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from killed import assert_bit_equal, collected
from tiny import TRAIN, Stack, ignore

from posetwin.contracts import Train
from posetwin.errors import PosetwinError, describe_failure
from posetwin.stages import run
from posetwin.training import checkpoint
from posetwin.training.checkpoint import (
    MANIFEST,
    OPTIMIZER,
    STATE,
    WEIGHTS,
    TrainingState,
    load_newest,
    save_checkpoint,
)
from posetwin.training.update import Update
from posetwin.training.world import World

# npm test chooses one and prints it.
SEED = int(os.environ.get("POSETWIN_TEST_SEED", "0"))
FILES = (MANIFEST, STATE, WEIGHTS, OPTIMIZER)
TRAINING = 7
ALONE = World(0, 1, torch.device("cpu"))
SETTINGS = Train.model_validate_json(json.dumps(TRAIN))


class Small:
    """An adapter of two weights, trained for a step and saved, as often as asked."""

    def __init__(self, root: Path) -> None:
        torch.manual_seed(0)
        self.root = root
        self.module = torch.nn.Linear(2, 1)
        self.update = Update(self.module, SETTINGS)

    def save(self, step: int, limit: int = 2) -> Path:
        self.module(torch.ones(1, 2)).sum().backward()
        self.update.step(0.1)
        return save_checkpoint(self.root, self.module, self.update, TrainingState(step, TRAINING), limit)

    def load(self, seed: int = TRAINING) -> tuple[int, list[tuple[str, str]]]:
        """The step that a new process goes on from, and what it does not use."""
        fresh, skipped = Small(self.root), list[tuple[str, str]]()

        def note(folder: Path, why: str) -> None:
            skipped.append((folder.name, why))

        step = load_newest(self.root, fresh.module, fresh.update, seed, ALONE, note)
        self.module, self.update = fresh.module, fresh.update
        return step, skipped


@pytest.fixture
def small(tmp_path: Path) -> Small:
    """Checkpoints of the steps 1 and 2."""
    small = Small(tmp_path / "checkpoints")
    small.save(1)
    small.save(2)
    return small


@pytest.fixture
def chance() -> random.Random:
    print(f"POSETWIN_TEST_SEED={SEED}")
    return random.Random(SEED)


def flip_a_bit(path: Path, chance: random.Random) -> None:
    content = bytearray(path.read_bytes())
    place = chance.randrange(len(content))
    content[place] ^= 1 << chance.randrange(8)
    path.write_bytes(content)


def truncate(path: Path, chance: random.Random) -> None:
    os.truncate(path, chance.randrange(path.stat().st_size))


def remove(path: Path, _chance: random.Random) -> None:
    path.unlink()


def empty(path: Path, _chance: random.Random) -> None:
    path.write_bytes(b"")


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("damage", [flip_a_bit, truncate, remove, empty])
def test_of_a_damaged_checkpoint_nothing_is_used_and_the_one_before_is(
    damage: Callable[[Path, random.Random], None], name: str, small: Small, chance: random.Random
) -> None:
    newest, spare = small.root / "step-000002", small.root.parent / "spare"
    shutil.copytree(newest, spare)
    first = Small(small.root.parent / "one")
    first.save(1)
    for _ in range(50 if damage in (flip_a_bit, truncate) else 1):
        damage(newest / name, chance)
        step, skipped = small.load()
        assert (step, [skip for skip, _ in skipped]) == (1, ["step-000002"])
        assert torch.equal(small.module.weight, first.module.weight)
        shutil.copy(spare / name, newest / name)
    assert small.load() == (2, [])


def test_where_all_are_damaged_training_starts_from_step_0_and_says_so(small: Small, chance: random.Random) -> None:
    untrained = Small(small.root).module.weight
    for folder in small.root.iterdir():
        flip_a_bit(folder / WEIGHTS, chance)
    step, skipped = small.load()
    assert step == 0
    assert [name for name, _ in skipped] == ["step-000002", "step-000001", "checkpoints"]
    assert "step 0" in skipped[-1][1]
    assert torch.equal(small.module.weight, untrained)


def test_a_run_whose_checkpoints_are_all_damaged_ends_with_the_same_weights(
    stack: Stack, tmp_path: Path, chance: random.Random
) -> None:
    changes = {"train": {"max_train_steps": 2, "checkpointing_steps": 1}}
    run(stack.train_job(tmp_path / "whole", **changes), ignore)
    shutil.copytree(tmp_path / "whole", tmp_path / "damaged")
    for folder in (tmp_path / "damaged" / "checkpoints").iterdir():
        flip_a_bit(folder / OPTIMIZER, chance)
    events = collected(stack.train_job(tmp_path / "damaged", **changes))
    skipped = [Path(event["path"]).name for event in events if event["type"] == "checkpoint_skipped"]
    assert skipped == ["step-000002", "step-000001", "checkpoints"]
    assert [event["resumed_from"] for event in events if event["type"] == "started"] == [0]
    assert_bit_equal(tmp_path / "damaged", tmp_path / "whole")


def test_nothing_is_skipped_where_there_is_nothing(tmp_path: Path) -> None:
    assert Small(tmp_path / "none").load() == (0, [])


def test_checkpoints_of_another_training_are_not_used(small: Small) -> None:
    assert small.load(seed=8)[0] == 0
    shutil.copytree(small.root / "step-000001", small.root / "step-000009")
    step, skipped = small.load()
    assert step == 2
    assert skipped[0] == ("step-000009", f"it is of another training: {{'step': 1, 'seed': {TRAINING}}}")


def test_a_checkpoint_of_another_adapter_is_not_used(small: Small, tmp_path: Path) -> None:
    other = Small(tmp_path / "other")
    other.module = torch.nn.Linear(3, 1)
    other.update = Update(other.module, SETTINGS)
    save_checkpoint(small.root, other.module, other.update, TrainingState(3, TRAINING), 9)
    assert small.load() == (2, [("step-000003", "it is of another adapter")])


def test_files_that_are_no_checkpoints_are_left_alone(small: Small) -> None:
    foreign = ["step-000009", "step-notes.txt", ".DS_Store", "step-000002/notes.txt"]
    for name in foreign:
        (small.root / name).write_text("mine")
    assert small.load() == (2, [])
    small.save(3, limit=2)
    assert all((small.root / name).exists() for name in foreign)


def test_what_a_killed_process_left_half_written_is_removed_on_the_next_start(small: Small) -> None:
    partial = small.root / ".step-000003.partial"
    shutil.copytree(small.root / "step-000002", partial)
    assert small.load() == (2, [])
    assert not partial.exists()


def test_the_millionth_step_is_newer_than_the_one_before(small: Small) -> None:
    small.save(999_999)
    small.save(1_000_000)
    assert small.load() == (1_000_000, [])


def test_one_that_was_not_deleted_in_time_goes_with_the_next(small: Small) -> None:
    # As a process leaves it that is killed between naming the new one and deleting the old one.
    small.save(3, limit=9)
    assert len(list(small.root.iterdir())) == 3
    small.save(4)
    assert sorted(folder.name for folder in small.root.iterdir()) == ["step-000003", "step-000004"]


def test_a_damaged_newer_one_does_not_push_out_a_whole_older_one(small: Small) -> None:
    small.save(3, limit=9)
    for name in ("step-000002", "step-000003"):
        (small.root / name / MANIFEST).unlink()
    assert small.load()[0] == 1
    small.save(2, limit=2)
    (small.root / "step-000002" / MANIFEST).unlink()
    assert small.load()[0] == 1


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 600 KB, in memory."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=600k", "none", folder], capture_output=True)
    if mounted.returncode != 0:
        pytest.skip(f"no file system can be mounted here: {mounted.stderr.decode().strip()}")
    yield folder
    subprocess.run(["umount", folder], check=True)


def test_on_a_full_disk_training_stops_with_its_last_checkpoint_whole_and_goes_on_when_there_is_space(
    stack: Stack, small_disk: Path, tmp_path: Path
) -> None:
    changes = {"train": {"max_train_steps": 4, "checkpointing_steps": 1, "checkpoints_total_limit": 9}}
    with pytest.raises(PosetwinError) as caught:
        run(stack.train_job(small_disk, **changes), ignore)
    assert caught.value.code == "disk_full"
    names = sorted(path.name for path in (small_disk / "checkpoints").iterdir())
    assert names[:1] == ["step-000001"]
    assert all(name.startswith("step-") for name in names)
    assert [checkpoint.find_fault(small_disk / "checkpoints" / name) for name in names] == [None] * len(names)

    subprocess.run(["mount", "-o", "remount,size=8m", small_disk], check=True)
    assert collected(stack.train_job(small_disk, **changes))[0]["resumed_from"] == len(names)
    run(stack.train_job(tmp_path / "whole", **changes), ignore)
    assert_bit_equal(small_disk, tmp_path / "whole")


def test_a_disk_that_is_full_for_anything_else_is_told_as_such(small_disk: Path) -> None:
    error: Any = None
    try:
        (small_disk / "events.jsonl").write_bytes(bytes(10**6))
    except OSError as caught:
        error = caught
    assert describe_failure(error, "worker_failed")["code"] == "disk_full"


def test_a_full_disk_leaves_nothing_of_what_did_not_fit(small: Small, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(tensors: dict[str, torch.Tensor], path: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(checkpoint, "save_file", fail)
    with pytest.raises(PosetwinError) as caught:
        small.save(3)
    assert caught.value.code == "disk_full"
    assert sorted(path.name for path in small.root.iterdir()) == ["step-000001", "step-000002"]
    assert json.loads((small.root / "step-000002" / STATE).read_text())["step"] == 2
