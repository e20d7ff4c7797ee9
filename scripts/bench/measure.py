"""Runs one training loop in this process and prints one line of JSON: what its steps cost, and their losses.

    measure.py job.json engine|together|apart [--parts] [--without SAVING]

A training on a bank is measured by rounds: the first fills the bank; in the second each step's CPU and wall-clock time
is taken, and the highest resident memory above that of the loaded models; in the third operations are counted, and the
bytes that a step keeps for its way back. `--parts` takes the time of the engine's parts as well.
"""

from __future__ import annotations

import argparse
import contextlib
import ctypes
import json
import math
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import engine_loop
import reference_loop
import torch
from torch.utils.flop_counter import FlopCounterMode

from posetwin.contracts import parse_job
from posetwin.device import be_deterministic, use_threads
from posetwin.training.batches import Batches
from posetwin.training.objective import Objective
from posetwin.training.routes import Denoiser
from posetwin.training.secondary import SecondaryTask

MB = 2**20


def attention_flop(query: tuple[int, ...], key: tuple[int, ...], value: tuple[int, ...], *_: Any, **__: Any) -> int:
    """Two products for each head, which the counter knows on GPUs alone."""
    *batch, queries, width = query
    return 2 * math.prod(batch) * queries * key[-2] * (width + value[-1])


def attention_backward_flop(_: Any, query: Any, key: Any, value: Any, *__: Any, **___: Any) -> int:
    """Five products in place of two."""
    return attention_flop(query, key, value) * 5 // 2


fused = torch.ops.aten
ATTENTION = {
    fused._scaled_dot_product_flash_attention_for_cpu: attention_flop,
    fused._scaled_dot_product_flash_attention_for_cpu_backward: attention_backward_flop,
}


def memory_mb(field: str) -> float:
    """VmRSS, or VmHWM: its highest value since the last reset."""
    [line] = [line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith(field)]
    return int(line.split()[1]) / 1024


def settle_memory() -> None:
    """Give back what is free, and forget the peak of loading."""
    ctypes.CDLL(None).malloc_trim(0)
    Path("/proc/self/clear_refs").write_text("5")


class Meter:
    """Stands between a loop and its steps. round_steps: how many make a round."""

    def __init__(self, round_steps: int) -> None:
        self.round_steps, self.losses = round_steps, list[float]()
        self.found: dict[str, Any] = defaultdict(list)
        self.parts: dict[str, float] = defaultdict(float)
        self.open, self.inside = contextlib.ExitStack(), False

    @property
    def round(self) -> int:
        return len(self.losses) // self.round_steps

    def loaded(self) -> None:
        settle_memory()
        self.found["loaded_mb"] = memory_mb("VmRSS")
        self.begin()

    def seen(self, loss: float) -> None:
        self.end()
        self.losses.append(loss)
        self.begin()

    def begin(self) -> None:
        self.parts.clear()
        if self.round == 2:
            self.begin_counting()
        self.started = time.perf_counter(), time.process_time()

    def begin_counting(self) -> None:
        self.found.setdefault("peak_mb", memory_mb("VmHWM") - self.found["loaded_mb"])
        self.held: dict[int, int] = {}
        self.alive: list[torch.Tensor] = []
        self.open.enter_context(torch.autograd.graph.saved_tensors_hooks(self.keep, lambda tensor: tensor))
        self.counter = self.open.enter_context(FlopCounterMode(display=False, custom_mapping=ATTENTION))

    def keep(self, tensor: torch.Tensor) -> torch.Tensor:
        if not isinstance(tensor, torch.nn.Parameter):
            self.alive.append(tensor)  # no address is used twice while it lives
            self.held[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes()
        return tensor

    def end(self) -> None:
        wall, cpu = (time.perf_counter() - self.started[0]) * 1000, (time.process_time() - self.started[1]) * 1000
        self.open.close()
        if self.round == 0:
            self.found["first_round_cpu_ms"].append(cpu)
        if self.round == 1:
            self.found["wall_ms"].append(wall)
            self.found["cpu_ms"].append(cpu)
            self.found["parts"].append({**self.parts, "the rest": cpu - sum(self.parts.values())})
        if self.round == 2:
            self.found["gflop"].append(self.counter.get_total_flops() / 1e9)
            self.found["kept_mb"].append(sum(self.held.values()) / MB)

    def clocked(self, part: Callable[[], str], function: Callable[..., Any]) -> Callable[..., Any]:
        def timed(*args: Any, **options: Any) -> Any:
            if self.inside:
                return function(*args, **options)
            name, started = part(), time.process_time()
            self.inside = True
            try:
                return function(*args, **options)
            finally:
                self.inside = False
                self.parts[name] += (time.process_time() - started) * 1000

        return timed


def clock_parts(meter: Meter) -> None:
    """The engine's parts by CPU time; decode, detect and U-Net of both routes apart."""

    def by_route(name: str) -> Callable[[], str]:
        return lambda: f"{name}, {'with' if torch.is_grad_enabled() else 'without'} a gradient"

    Batches.gather = meter.clocked(lambda: "gather the batch", Batches.gather)
    SecondaryTask.features = meter.clocked(lambda: "secondary adapter", SecondaryTask.features)
    Denoiser.route = meter.clocked(by_route("U-Net"), Denoiser.route)
    Denoiser.decode = meter.clocked(by_route("decode"), Denoiser.decode)
    Objective.look = meter.clocked(by_route("detect"), Objective.look)
    torch.Tensor.backward = meter.clocked(lambda: "backward, down to the features", torch.Tensor.backward)
    torch.autograd.backward = meter.clocked(lambda: "backward, adapter", torch.autograd.backward)
    torch.optim.AdamW.step = meter.clocked(lambda: "optimiser", torch.optim.AdamW.step)


def peak_gflops(seconds: float = 1.0) -> float:
    """Of a square float32 matrix product in a second of CPU time: the best of many."""
    best = math.inf
    for size in (512, 1024):
        a, ends = torch.randn(size, size), time.process_time() + seconds / 2
        while (started := time.process_time()) < ends:
            torch.mm(a, a)
            best = min(best, (time.process_time() - started) / (2 * size**3))
    return 1 / best / 1e9


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("job", type=Path)
    parser.add_argument("loop", choices=["engine", "together", "apart"])
    parser.add_argument("--parts", action="store_true")
    parser.add_argument("--without", choices=list(engine_loop.SAVINGS))
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(sys.stderr):
        job = parse_job(json.dumps({**json.loads(args.job.read_text()), "output_dir": folder}))
        use_threads(job.num_threads)
        be_deterministic(torch.device("cpu"))
        meter = Meter(job.spec.train.bank_steps)
        if args.parts:
            clock_parts(meter)
        if args.loop == "engine":
            engine_loop.train(job, args.without, meter.loaded, meter.seen)
        else:
            reference_loop.train(job, args.loop, meter.loaded, meter.seen)
        meter.open.close()
        result = {"losses": meter.losses, **meter.found, "peak_gflops": peak_gflops()}
    print(json.dumps(result))


if __name__ == "__main__":
    main()
