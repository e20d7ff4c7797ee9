"""Where tensors live, how many threads compute, and that the same job gives the same bytes."""

from __future__ import annotations

import os

import torch

from posetwin.errors import PosetwinError


def available_devices() -> list[str]:
    """Kinds of device that this torch can use, best first; always ends with ``cpu``."""
    kinds = ["cuda"] if torch.cuda.is_available() else []
    kinds += ["mps"] if torch.backends.mps.is_available() else []
    return [*kinds, "cpu"]


def resolve_device(name: str, local_rank: int = 0) -> torch.device:
    """``auto`` takes the best device there is. Raises PosetwinError: no_device."""
    available = available_devices()
    kind = available[0] if name == "auto" else name
    if kind not in available:
        raise PosetwinError(
            "no_device", f"this machine has no usable {kind} device", f"device: auto, or one of: {', '.join(available)}"
        )
    if kind != "cuda":
        return torch.device(kind)
    if local_rank >= torch.cuda.device_count():
        raise PosetwinError(
            "no_device",
            f"rank {local_rank} has no GPU of its own: this machine has {torch.cuda.device_count()}",
            "lower train.nproc_per_node",
        )
    return torch.device("cuda", local_rank)


def use_threads(num_threads: int, ranks_here: int = 1) -> int:
    """Set this process's CPU threads: `num_threads`, or with 0 all cores shared among the ranks of this machine."""
    threads = num_threads or max(1, (os.cpu_count() or 1) // ranks_here)
    torch.set_num_threads(threads)
    return threads


def be_deterministic(device: torch.device) -> None:
    """Ask for bit-equal results; on a GPU an operation without a deterministic version warns instead of failing."""
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.use_deterministic_algorithms(True, warn_only=device.type != "cpu")
    torch.backends.cudnn.benchmark = False
