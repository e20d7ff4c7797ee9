"""Weights & Biases beside the journal: offline, in the stage's own folder, and the same run after a resumption."""

from __future__ import annotations

import json
import struct
import sys
from pathlib import Path
from typing import Any

import pytest
from tiny import Stack, ignore

from posetwin.errors import PosetwinError
from posetwin.stages import run

WANDB = {"project": "posetwin-test", "entity": None, "mode": "offline"}


def wandb_job(stack: Stack, output: Path, **train: Any) -> dict[str, Any]:
    return {**stack.train_job(output, train={"max_train_steps": 3, **train}), "wandb": WANDB}


BLOCK, FILE_HEADER, FULL_OR_LAST = 32768, 7, (1, 4)


def chunks(data: bytes) -> list[bytes]:
    """The records of a W&B file: a header, then LevelDB's log format (checksum, length, type, content; in blocks)."""
    found, open_chunk, place = [], b"", FILE_HEADER
    while place + 7 <= len(data):
        left = BLOCK - place % BLOCK
        if left < 7:
            place += left
            continue
        length, kind = struct.unpack("<HB", data[place + 4 : place + 7])
        open_chunk += data[place + 7 : place + 7 + length]
        place += 7 + length
        if kind in FULL_OR_LAST:
            found.append(open_chunk)
            open_chunk = b""
    return found


def records(folder: Path) -> list[dict[str, float]]:
    """What the offline runs of a folder hold of their history."""
    from wandb.proto.wandb_internal_pb2 import Record

    rows = []
    for chunk in (chunk for path in sorted(folder.rglob("*.wandb")) for chunk in chunks(path.read_bytes())):
        record = Record()
        record.ParseFromString(chunk)
        rows.append({"/".join(i.nested_key) or i.key: json.loads(i.value_json) for i in record.history.item})
    return [row for row in rows if row]


def test_an_offline_run_holds_the_numbers_of_every_step(stack: Stack, tmp_path: Path) -> None:
    pytest.importorskip("wandb")
    validation = {"steps": 3, "num_pairs": 1, "num_timesteps": 1}
    events: list[dict[str, Any]] = []
    run(wandb_job(stack, tmp_path, validation=validation), events.append)
    rows = records(tmp_path / "wandb")
    told = {event["step"]: event["grad_norm"] for event in events if event["type"] == "step"}
    assert {row["step"]: row["train/grad_norm"] for row in rows if "train/grad_norm" in row} == told
    assert [row["step"] for row in rows if "validation/objective" in row] == [0, 3]


def test_a_resumed_training_goes_on_with_the_same_run(stack: Stack, tmp_path: Path) -> None:
    pytest.importorskip("wandb")
    job, events = wandb_job(stack, tmp_path), list[dict[str, Any]]()
    run(job, events.append, stop_requested=lambda: any(event["type"] == "step" for event in events))
    run(job, ignore)
    runs = [path.name for path in (tmp_path / "wandb").rglob("offline-run-*")]
    assert len(runs) == 2 and len({name.rpartition("-train-")[2] for name in runs}) == 1
    assert sorted(row["step"] for row in records(tmp_path / "wandb") if "train/grad_norm" in row) == [1, 2, 3]


def test_without_wandb_the_run_is_refused(stack: Stack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "wandb", None)
    with pytest.raises(PosetwinError, match="wandb") as caught:
        run(wandb_job(stack, tmp_path), ignore)
    assert caught.value.code == "missing_package"
