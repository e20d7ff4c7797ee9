"""Stage `pack`: averaged weights as float16 in the layout of a diffusers model folder, with their hashes."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import torch
from diffusers import T2IAdapter
from safetensors.torch import save_file

from posetwin.keypoints.mini import MiniHourglass, MiniJudge
from posetwin.mini.architecture import ControlStyle, make_adapter, make_detector, make_judge, make_scheduler
from posetwin.mini.latents import load_vae, scaling_factor
from posetwin.mini.slices import load_averaged
from posetwin.mini.stages.text_to_image import make_models
from posetwin.mini.stages.tokenizer import load_tokenizer
from posetwin.shipped import write_hashes

# The primaries' folders, each for one style of control map.
ADAPTERS: dict[str, ControlStyle] = {"adapter": "openpose", "adapter-dots": "dots"}


def _pack_network(network: MiniHourglass | MiniJudge, stage: str, folder: Path, target: Path) -> int:
    steps = load_averaged(stage, {"network": network}, folder)
    target.mkdir(parents=True)
    save_file({k: v.half().contiguous() for k, v in network.state_dict().items()}, target / "model.safetensors")
    config = {
        "class": type(network).__name__, "channels": list(network.channels), "depth": network.depth,
        "trained_steps": steps,
    }  # fmt: skip
    (target / "config.json").write_text(json.dumps(config, indent=2) + "\n")
    return steps


def _drop_derived_config(folder: Path) -> None:
    """AutoencoderTiny writes a key that it warns about when it reads it."""
    config = json.loads((folder / "config.json").read_text())
    config.pop("block_out_channels", None)
    (folder / "config.json").write_text(json.dumps(config, indent=2) + "\n")


def _pack_backbone(folder: Path, target: Path) -> None:
    tokenizer = load_tokenizer(folder)
    text_encoder, unet = make_models(tokenizer)
    load_averaged("text_to_image", {"text_encoder": text_encoder, "unet": unet}, folder)
    vae, _ = load_vae(folder)
    vae.register_to_config(scaling_factor=scaling_factor(folder))
    models: dict[str, Any] = {"text_encoder": text_encoder, "unet": unet, "vae": vae}
    for name, module in models.items():
        module.half().save_pretrained(target / name)
    _drop_derived_config(target / "vae")
    make_scheduler().save_pretrained(target / "scheduler")
    shutil.copytree(folder / "tokenizer", target / "tokenizer")


def grey(limbs: T2IAdapter) -> T2IAdapter:
    """An adapter of grey dots that starts as one of coloured limbs: the first layer's weights of the colours added."""
    adapter, weights = make_adapter("dots"), limbs.state_dict()
    first = weights["adapter.conv_in.weight"]  # (64, 3 * 16, 3, 3): pixels are unshuffled within each colour
    weights["adapter.conv_in.weight"] = first.unflatten(1, (3, -1)).sum(1)
    adapter.load_state_dict(weights)
    return adapter


def _primary(folder: Path, name: str, style: ControlStyle) -> T2IAdapter:
    """The primary that the product has trained; before that, what its training starts from."""
    if (folder / name).is_dir():
        return T2IAdapter.from_pretrained(folder / name)
    if style == "dots" and (folder / "adapter").is_dir():
        return grey(T2IAdapter.from_pretrained(folder / "adapter"))
    torch.manual_seed(0)
    return make_adapter(style)


def pack(folder: Path, target: Path) -> None:
    """Write backbone, adapters, detector, judge and hashes.json, then put them in place of `target` at once."""
    fresh = target.with_name(f"{target.name}.partial")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(parents=True)
    _pack_backbone(folder, fresh / "backbone")
    for name, style in ADAPTERS.items():
        _primary(folder, name, style).half().save_pretrained(fresh / name)
    _pack_network(make_detector(), "detector", folder, fresh / "detector")
    _pack_network(make_judge(), "judge", folder, fresh / "judge")
    write_hashes(fresh)
    shutil.rmtree(target, ignore_errors=True)
    fresh.rename(target)


def run(folder: Path, deadline: float) -> bool:
    pack(folder, folder / "pack")
    return True
