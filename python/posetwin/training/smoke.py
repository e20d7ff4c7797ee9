"""Two passes over everything a step does, before a long training: what does not fit in memory fails now."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import torch

from posetwin.contracts import Train
from posetwin.training.order import share_of_rank
from posetwin.training.world import World
from posetwin.watchdog import beat

# A shorter training is its own test.
LONG = 100
PASSES = 2


def _peak_memory(device: torch.device) -> int | None:
    return torch.cuda.max_memory_allocated(device) if device.type == "cuda" else None


def part_sizes(settings: Train, world: World) -> list[int]:
    """The different numbers of samples that a pass of this rank works on, ascending."""
    mine = share_of_rank(range(settings.global_batch_size), world.rank, world.size)
    parts = settings.gradient_accumulation_steps
    return sorted({len(share_of_rank(mine, part, parts)) for part in range(parts)})


def smoke(gradients: Callable[[], object], settings: Train, world: World) -> dict[str, Any]:
    """The event `smoke`. gradients: computes those of one step, whose parts have all the shapes there are."""
    duration_ms = 0.0
    for number in range(PASSES):
        beat("smoke", number)
        began = time.perf_counter()
        gradients()
        duration_ms = (time.perf_counter() - began) * 1000
    event = {"type": "smoke", "num_samples": part_sizes(settings, world), "duration_ms": duration_ms}
    return {**event, "peak_memory_bytes": _peak_memory(world.device)}
