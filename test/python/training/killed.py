"""Trainings that a test kills, and what must hold of what they leave."""

from __future__ import annotations

import json
import multiprocessing
import os
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from tiny import ignore

from posetwin.adapters.t2i import weights_digest
from posetwin.stages import run
from posetwin.training import moments
from posetwin.training.checkpoint import MANIFEST, find_fault, list_checkpoints

Event = dict[str, Any]


def weights(folder: Path) -> dict[str, torch.Tensor]:
    return load_file(folder / "adapter" / "diffusion_pytorch_model.safetensors")


def assert_bit_equal(first: Path, second: Path) -> None:
    left, right = weights(first), weights(second)
    assert left.keys() == right.keys()
    assert all(torch.equal(left[name], right[name]) for name in left)


def collected(job: dict[str, Any]) -> list[Event]:
    """Run a job here and return its events."""
    events: list[Event] = []
    run(job, events.append)
    return events


def _run_in_session(job: dict[str, Any], event: str) -> None:
    os.setsid()
    os.environ[moments.VARIABLE] = event
    moments.arm()
    run(job, ignore)


def _session(pid: int) -> list[int]:
    """The living processes of a session, by the sixth field of /proc/<pid>/stat."""
    stats = [(int(path.parent.name), path) for path in Path("/proc").glob("[0-9]*/stat")]
    found = []
    for process, path in stats:
        try:
            fields = path.read_text().rpartition(") ")[2].split()
        except OSError:  # gone meanwhile
            continue
        if int(fields[3]) == pid and fields[0] != "Z":
            found.append(process)
    return found


def run_and_die(job: dict[str, Any], event: str) -> int | None:
    """Run a job in a process of its own under POSETWIN_TEST_EVENT; how it ended, when nothing of it is left."""
    process = multiprocessing.get_context("fork").Process(target=_run_in_session, args=(job, event))
    process.start()
    process.join()
    assert process.pid is not None
    assert _session(process.pid) == []
    return process.exitcode


def assert_nothing_is_half(folder: Path) -> None:
    """Whatever has a final name is whole: checkpoints that have a manifest, the adapter that result.json names."""
    for checkpoint in list_checkpoints(folder / "checkpoints"):
        assert find_fault(checkpoint) is None or not (checkpoint / MANIFEST).exists()
    if (folder / "result.json").exists():
        result = json.loads((folder / "result.json").read_text())
        assert weights_digest(folder / "adapter") == result["adapter_sha256"]


def last_steps(folder: Path) -> list[Event]:
    """What the journal holds of each step in the end, apart from times."""
    lines = map(json.loads, (folder / "events.jsonl").read_text().splitlines())
    steps = {event["step"]: event for event in lines if event["type"] == "step"}
    return [{k: v for k, v in steps[n].items() if k not in ("time", "duration_ms")} for n in sorted(steps)]
