"""T2I-Adapters (diffusers' class): loading, copying for the secondary, features, saving with a hash."""

from __future__ import annotations

import copy
import hashlib
from pathlib import Path

import torch
from diffusers.models.adapter import T2IAdapter

from posetwin.errors import PosetwinError
from posetwin.shipped import ADAPTERS, checked_folder


def _folder(path: str) -> Path:
    if path in ADAPTERS:
        return checked_folder(ADAPTERS[path])
    folder = Path(path)
    if not (folder / "config.json").is_file():
        raise PosetwinError(
            "missing_weights",
            f"{folder} is no adapter folder: it lacks config.json",
            "use `mini` or `mini-dots`, or a folder written by T2IAdapter.save_pretrained",
        )
    return folder


def load_adapter(path: str, dtype: torch.dtype = torch.float32, device: torch.device | str = "cpu") -> T2IAdapter:
    """The adapter in a diffusers folder, or a shipped one (`mini`, `mini-dots`), frozen and in eval mode.

    Raises PosetwinError: missing_weights, wrong_weights.
    """
    folder = _folder(path)
    try:
        adapter = T2IAdapter.from_pretrained(folder, torch_dtype=dtype, local_files_only=True, use_safetensors=True)
    except (OSError, ValueError, RuntimeError) as error:
        raise PosetwinError("wrong_weights", f"{folder} holds no T2I-Adapter that can be loaded: {error}") from error
    # diffusers wraps nn.Module.to in a way that type checkers cannot read.
    adapter.requires_grad_(False).eval().to(device)  # pyright: ignore[reportArgumentType, reportCallIssue]
    return adapter


def clone_for_training(primary: T2IAdapter) -> T2IAdapter:
    """Φ2 starts from Φ1's weights and has its architecture; all of it is trained."""
    return copy.deepcopy(primary).requires_grad_(True).train()


def reset_weights(adapter: T2IAdapter, seed: int) -> None:
    """New random weights, by each layer's own rule, as a function of the seed alone."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        fresh = T2IAdapter(**{k: v for k, v in adapter.config.items() if not k.startswith("_")})
    adapter.load_state_dict(fresh.state_dict())


def in_channels(adapter: T2IAdapter) -> int:
    """Channels of the control map that this adapter reads: 1 grey, 3 RGB."""
    return int(adapter.config["in_channels"])


def features_of(adapter: torch.nn.Module, controls: torch.Tensor, conditioning_scale: float) -> list[torch.Tensor]:
    """F_Φ(X_0): one feature map per down block of the U-Net, times adapter_conditioning_scale.

    controls: (B, 1 or 3, H, W) in [0, 1]. `adapter` may be wrapped for distributed training.
    """
    return [feature * conditioning_scale for feature in adapter(controls)]


def weights_digest(folder: Path) -> str:
    """sha256 over the weights of an adapter folder (config.json names library versions and is left out)."""
    digest = hashlib.sha256()
    for path in sorted(folder.glob("*.safetensors")):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def save_adapter(adapter: T2IAdapter, folder: Path) -> str:
    """Write what T2IAdapter.from_pretrained loads (safetensors); returns the sha256 of the weights."""
    adapter.save_pretrained(folder, safe_serialization=True)
    return weights_digest(folder)
