"""The ranks of a training run: one process, or the several that torchrun started."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

import torch
import torch.distributed as dist
from torch.distributed.algorithms.ddp_comm_hooks.default_hooks import allreduce_hook
from torch.nn.parallel import DistributedDataParallel

from posetwin.watchdog import go_on, wait_for_others, watched


@dataclass(frozen=True)
class World:
    rank: int
    size: int
    device: torch.device

    @property
    def is_main(self) -> bool:
        return self.rank == 0

    def wrap(self, module: torch.nn.Module) -> torch.nn.Module:
        """Gradients are averaged over the ranks in the backward pass."""
        if self.size == 1:
            return module
        device_ids = [self.device] if self.device.type == "cuda" else None
        # After its first step DDP sorts its buckets anew, and with them the order of its sums. From three ranks on, a
        # resumed training would differ in the last bits; only `find_unused_parameters` keeps DDP from sorting.
        wait_for_others()
        wrapped = DistributedDataParallel(
            module, device_ids=device_ids, broadcast_buffers=False, find_unused_parameters=True
        )
        # A lambda, because DDP refuses annotations that are strings.
        wrapped.register_comm_hook(dist.group.WORLD, lambda group, bucket: _average(group, bucket))
        return wrapped

    def sum(self, values: torch.Tensor) -> torch.Tensor:
        """The sum over all ranks, the same on each."""
        return values if self.size == 1 else _reduced(values, dist.ReduceOp.SUM)

    def any(self, flag: bool) -> bool:
        """True where it is true on any rank: a signal may reach one rank a step before the others."""
        if self.size == 1:
            return flag
        found = bool(_reduced(torch.tensor(int(flag), device=self.device), dist.ReduceOp.MAX).item())
        go_on()
        return found

    def from_main(self, value: bool) -> bool:
        """Rank 0's value on every rank."""
        return self.number_from_main(int(value)) == 1

    def number_from_main(self, value: int) -> int:
        """Rank 0's number on every rank."""
        if self.size == 1:
            return value
        mine = torch.tensor(value if self.is_main else 0, dtype=torch.int64, device=self.device)
        found = int(_reduced(mine, dist.ReduceOp.SUM).item())
        go_on()
        return found


def _reduced(values: torch.Tensor, op: dist.ReduceOp.RedOpType) -> torch.Tensor:
    wait_for_others()
    dist.all_reduce(values, op=op)
    # On a GPU the wait comes later, when the values are read.
    if values.device.type == "cpu":
        go_on()
    return values


def _average(group: dist.ProcessGroup, bucket: dist.GradBucket) -> torch.futures.Future[torch.Tensor]:
    """DDP's own averaging of gradients; with its last bucket on the way a rank has nothing left to do but wait."""
    if bucket.is_last():
        wait_for_others()
    return allreduce_hook(group, bucket)


def world_size() -> int:
    return int(os.environ.get("WORLD_SIZE", "1"))


def local_rank() -> int:
    return int(os.environ.get("LOCAL_RANK", "0"))


def local_world_size() -> int:
    return int(os.environ.get("LOCAL_WORLD_SIZE", "1"))


@contextmanager
def joined_world(device: torch.device, limit_s: float) -> Iterator[World]:
    """Joins torchrun's ranks (NCCL on GPUs, gloo elsewhere) and leaves them on the way out.

    limit_s: how long a rank may get no further."""
    size = world_size()
    if size == 1:
        with watched(limit_s, alone=True):
            yield World(0, 1, device)
        return
    if device.type == "cuda":
        torch.cuda.set_device(device)
    # The watchdog speaks first, and knows more.
    dist.init_process_group("nccl" if device.type == "cuda" else "gloo", timeout=timedelta(seconds=3 * limit_s))
    try:
        with watched(limit_s, alone=False):
            yield World(dist.get_rank(), size, device)
    finally:
        dist.destroy_process_group()
