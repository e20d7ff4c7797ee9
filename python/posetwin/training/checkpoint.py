"""Checkpoints that are either complete and verified or not there at all; safetensors and JSON, no pickle."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from posetwin.errors import PosetwinError
from posetwin.training.moments import at

MANIFEST, STATE, WEIGHTS, OPTIMIZER = "manifest.json", "state.json", "adapter.safetensors", "optimizer.safetensors"
ADAM_STATE = ("step", "exp_avg", "exp_avg_sq")
Skipped = Callable[[Path, str], None]


@dataclass(frozen=True)
class TrainingState:
    """What a resumed run needs beside weights: nothing here depends on the number of ranks."""

    step: int
    seed: int


def checkpoint_name(step: int) -> str:
    return f"step-{step:06d}"


def _optimizer_tensors(module: torch.nn.Module, optimizer: torch.optim.AdamW) -> dict[str, torch.Tensor]:
    return {
        f"{name}.{key}": optimizer.state[parameter][key].detach().cpu().contiguous()
        for name, parameter in module.named_parameters()
        if parameter in optimizer.state
        for key in ADAM_STATE
    }


def _restore_optimizer(module: torch.nn.Module, optimizer: torch.optim.AdamW, tensors: dict[str, torch.Tensor]) -> None:
    for name, parameter in module.named_parameters():
        state = {key: tensors[f"{name}.{key}"] for key in ADAM_STATE if f"{name}.{key}" in tensors}
        # AdamW keeps its step counter on the CPU whatever the device.
        moved = {key: value if key == "step" else value.to(parameter.device) for key, value in state.items()}
        optimizer.state[parameter] = moved


def _sync(path: Path) -> None:
    """Flush a file or folder to the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@contextmanager
def _disk_errors(folder: Path, temporary: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, SafetensorError) as error:
        shutil.rmtree(temporary, ignore_errors=True)
        full = getattr(error, "errno", None) in (errno.ENOSPC, errno.EDQUOT) or "No space left" in str(error)
        if not full:
            raise
        raise PosetwinError(
            "disk_full",
            f"no space left for a checkpoint in {folder}; the one before it is intact",
            "free some space and run the same command again: training goes on from there",
        ) from error


def _write_files(folder: Path, module: torch.nn.Module, optimizer: torch.optim.AdamW, state: TrainingState) -> None:
    weights = {name: tensor.detach().cpu().contiguous() for name, tensor in module.state_dict().items()}
    save_file(weights, folder / WEIGHTS)
    save_file(_optimizer_tensors(module, optimizer), folder / OPTIMIZER)
    (folder / STATE).write_text(json.dumps({"step": state.step, "seed": state.seed}) + "\n")


def _seal(folder: Path) -> None:
    """The manifest comes last: a folder that has one is complete, and its hashes tell whether it is still whole."""
    names = (WEIGHTS, OPTIMIZER, STATE)
    for name in names:
        _sync(folder / name)
    hashes = {name: _digest(folder / name) for name in names}
    (folder / MANIFEST).write_text(json.dumps({"sha256": hashes}, indent=1) + "\n")
    _sync(folder / MANIFEST)


def save_checkpoint(
    root: Path, module: torch.nn.Module, optimizer: torch.optim.AdamW, state: TrainingState, limit: int
) -> Path:
    """Write `root`/step-000050 atomically and delete all but the newest `limit`.

    Raises PosetwinError: disk_full, with every older checkpoint intact.
    """
    final = root / checkpoint_name(state.step)
    temporary = root / f".{final.name}.partial"
    with _disk_errors(root, temporary):
        shutil.rmtree(temporary, ignore_errors=True)
        temporary.mkdir(parents=True)
        _write_files(temporary, module, optimizer, state)
        at("during_checkpoint", state.step)
        _seal(temporary)
        shutil.rmtree(final, ignore_errors=True)
        temporary.rename(final)
        _sync(root)
    # A newer one here was found broken on resuming and is written again later: it must not crowd out a valid one.
    for old in [folder for folder in list_checkpoints(root) if folder.name <= final.name][limit:]:
        shutil.rmtree(old, ignore_errors=True)
    return final


def list_checkpoints(root: Path) -> list[Path]:
    """Newest first, valid or not."""
    return sorted(root.glob("step-*"), reverse=True)


def find_fault(folder: Path) -> str | None:
    """Why a checkpoint cannot be used; None where it is whole."""
    try:
        hashes = json.loads((folder / MANIFEST).read_text())["sha256"]
        broken = [name for name in (WEIGHTS, OPTIMIZER, STATE) if _digest(folder / name) != hashes[name]]
    except FileNotFoundError as error:
        return f"{Path(error.filename).name} is missing"
    except (json.JSONDecodeError, KeyError, TypeError) as error:
        return f"{MANIFEST} is damaged: {error}"
    return f"{', '.join(broken)} differ from the manifest" if broken else None


def _newest_valid(root: Path, skipped: Skipped) -> Path | None:
    for folder in list_checkpoints(root):
        fault = find_fault(folder)
        if fault is None:
            return folder
        skipped(folder, fault)
    return None


def load_newest(
    root: Path, module: torch.nn.Module, optimizer: torch.optim.AdamW, skipped: Skipped
) -> TrainingState | None:
    """Load the newest valid checkpoint into `module` and `optimizer`; `skipped` hears of each broken one."""
    folder = _newest_valid(root, skipped)
    if folder is None:
        return None
    module.load_state_dict(load_file(folder / WEIGHTS))
    _restore_optimizer(module, optimizer, load_file(folder / OPTIMIZER))
    saved = json.loads((folder / STATE).read_text())
    return TrainingState(step=int(saved["step"]), seed=int(saved["seed"]))
