"""Checkpoints that are either complete and verified or not there at all; safetensors and JSON, no pickle."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file

from posetwin.data.journal import replace_folder, sync
from posetwin.errors import PosetwinError, is_disk_full
from posetwin.moments import at
from posetwin.training.update import Update
from posetwin.training.world import World

MANIFEST, STATE, WEIGHTS, OPTIMIZER = "manifest.json", "state.json", "adapter.safetensors", "optimizer.safetensors"
FILES = (WEIGHTS, OPTIMIZER, STATE)
Skipped = Callable[[Path, str], None]


@dataclass(frozen=True)
class TrainingState:
    """What a resumed run needs beside weights: nothing here depends on the number of ranks."""

    step: int
    seed: int


def checkpoint_name(step: int) -> str:
    return f"step-{step:06d}"


def _step_of(folder: Path) -> int:
    """0 for what is no checkpoint by its name."""
    found = re.fullmatch(r"step-(\d{6,})", folder.name)
    return int(found[1]) if found and folder.is_dir() else 0


def list_checkpoints(root: Path) -> list[Path]:
    """Newest first, whole or not."""
    return sorted((folder for folder in root.glob("step-*") if _step_of(folder)), key=_step_of, reverse=True)


def _partial(root: Path, name: str) -> Path:
    return root / f".{name}.partial"


def _digest(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


@contextmanager
def disk_errors(root: Path, temporary: Path) -> Iterator[None]:
    """While something is written to `temporary` that belongs into `root`. Raises PosetwinError: disk_full."""
    try:
        yield
    except (OSError, SafetensorError) as error:
        shutil.rmtree(temporary, ignore_errors=True)
        if not is_disk_full(error):
            raise
        raise PosetwinError(
            "disk_full",
            f"no space left in {root}; the checkpoints before are intact",
            "free some space and run the same command again: training goes on from there",
        ) from error


def _write_files(folder: Path, module: torch.nn.Module, update: Update, state: TrainingState) -> None:
    weights = {name: tensor.detach().cpu().contiguous() for name, tensor in module.state_dict().items()}
    save_file(weights, folder / WEIGHTS)
    at("checkpoint_weights", state.step)
    save_file(update.state(), folder / OPTIMIZER)
    at("checkpoint_optimizer", state.step)
    (folder / STATE).write_text(json.dumps(asdict(state)) + "\n")
    at("checkpoint_state", state.step)


def _seal(folder: Path, step: int) -> None:
    """The manifest comes last: a folder that has one is complete, and its hashes tell whether it is still whole."""
    for name in FILES:
        sync(folder / name)
    at("checkpoint_synced", step)
    hashes = {name: _digest(folder / name) for name in FILES}
    # No line break at its end: a manifest that lacks its last byte is no JSON.
    (folder / MANIFEST).write_text(json.dumps({"sha256": hashes}, indent=1))
    at("checkpoint_manifest", step)
    sync(folder / MANIFEST)
    sync(folder)
    at("checkpoint_sealed", step)


def save_checkpoint(root: Path, module: torch.nn.Module, update: Update, state: TrainingState, limit: int) -> Path:
    """Write `root`/step-000050 atomically and delete all but the newest `limit`.

    Raises PosetwinError: disk_full, with every older checkpoint intact.
    """
    final = root / checkpoint_name(state.step)
    temporary = _partial(root, final.name)
    with disk_errors(root, temporary):
        shutil.rmtree(temporary, ignore_errors=True)
        temporary.mkdir(parents=True)
        at("checkpoint_started", state.step)
        _write_files(temporary, module, update, state)
        _seal(temporary, state.step)
        replace_folder(temporary, final)
    at("checkpoint_renamed", state.step)
    _delete_old(root, state.step, limit)
    at("checkpoint_deleted", state.step)
    return final


def _delete_old(root: Path, step: int, limit: int) -> None:
    """A newer one was found broken on resuming and is written again later: it must not crowd out a whole one."""
    for old in [folder for folder in list_checkpoints(root) if _step_of(folder) <= step][limit:]:
        # Without its manifest it is no checkpoint any more, however much of it is left.
        (old / MANIFEST).unlink(missing_ok=True)
        at("checkpoint_deleting", step)
        shutil.rmtree(old, ignore_errors=True)


def remove_leftovers(root: Path) -> None:
    """What a killed process had not finished writing."""
    for partial in root.glob(_partial(root, "step-*").name):
        shutil.rmtree(partial, ignore_errors=True)


def find_fault(folder: Path) -> str | None:
    """Why a checkpoint cannot be used; None where it is whole."""
    try:
        hashes = json.loads((folder / MANIFEST).read_text())["sha256"]
        broken = [name for name in FILES if _digest(folder / name) != hashes[name]]
    except FileNotFoundError as error:
        return f"{Path(error.filename).name} is missing"
    except OSError as error:
        return f"it cannot be read: {error.strerror}"
    except (ValueError, KeyError, TypeError) as error:
        return f"{MANIFEST} is damaged: {error}"
    return f"{', '.join(broken)} differ from the manifest" if broken else None


def _find_stranger(folder: Path, module: torch.nn.Module, state: TrainingState) -> str | None:
    """Why a whole checkpoint is not one of this training; None where it is."""
    try:
        with safe_open(folder / WEIGHTS, framework="pt") as file:
            shapes = {name: file.get_slice(name).get_shape() for name in file.keys()}  # noqa: SIM118 (no mapping)
        saved = json.loads((folder / STATE).read_text())
    except (SafetensorError, ValueError) as error:
        return f"it is no checkpoint of ours: {error}"
    if shapes != {name: list(tensor.shape) for name, tensor in module.state_dict().items()}:
        return "it is of another adapter"
    return None if saved == asdict(state) else f"it is of another training: {saved}"


def _newest_usable(root: Path, module: torch.nn.Module, seed: int, skipped: Skipped) -> Path | None:
    for folder in list_checkpoints(root):
        state = TrainingState(_step_of(folder), seed)
        fault = find_fault(folder) or _find_stranger(folder, module, state)
        if fault is None:
            return folder
        skipped(folder, fault)
    return None


def load_newest(root: Path, module: torch.nn.Module, update: Update, seed: int, world: World, skipped: Skipped) -> int:
    """Load the newest checkpoint of this training that is whole, which rank 0 chooses for all; the steps done.

    `skipped` hears of each that is not whole, and in the end of `root` where there are some and none can be used. 0:
    there is nothing to go on from.
    """
    step = world.number_from_main(_choose(root, module, seed, skipped) if world.is_main else 0)
    if step > 0:
        folder = root / checkpoint_name(step)
        at("checkpoint_found", step)
        module.load_state_dict(load_file(folder / WEIGHTS))
        at("weights_loaded", step)
        update.load_state(load_file(folder / OPTIMIZER), step)
        at("checkpoint_loaded", step)
    return step


def _choose(root: Path, module: torch.nn.Module, seed: int, skipped: Skipped) -> int:
    remove_leftovers(root)
    folder = _newest_usable(root, module, seed, skipped)
    if folder is None and list_checkpoints(root):
        skipped(root, "none of its checkpoints can be used: training starts from step 0")
    return 0 if folder is None else _step_of(folder)
