"""Trainings that a test kills, and what must hold of what they leave."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file

from posetwin.adapters.t2i import weights_digest
from posetwin.stages import run
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
