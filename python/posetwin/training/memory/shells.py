"""The models of a training from their config.json alone: every shape and dtype, no weights and no memory."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

import torch
from diffusers import UNet2DConditionModel
from diffusers.models.adapter import T2IAdapter
from torch import nn
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

from posetwin.contracts import BlazeposeDetector, Detector, Train
from posetwin.errors import PosetwinError
from posetwin.keypoints.detector import KeypointDetector
from posetwin.keypoints.loading import load_detector
from posetwin.models.backbone import VAE_CLASSES, Backbone, read_config
from posetwin.shipped import ADAPTERS, checked_folder
from posetwin.training.frozen import frozen_dtype, hold

if TYPE_CHECKING:
    from posetwin.keypoints.blazepose import BlazePoseDetector

FULL = torch.float32
AnyModule = TypeVar("AnyModule", bound=nn.Module)


def _folder(path: str, shipped: dict[str, str]) -> Path:
    return checked_folder(shipped[path]) if path in shipped else Path(path)


def _of_class(folder: Path, classes: dict[str, Any]) -> nn.Module:
    """Raises PosetwinError: missing_weights (no config.json), wrong_weights (another class)."""
    config = read_config(folder, "config.json")
    kind = config.get("_class_name")
    if kind not in classes:
        raise PosetwinError("wrong_weights", f"{folder} holds a {kind}", f"one of: {', '.join(classes)}")
    return classes[kind].from_config(config)


def backbone_shell(path: str, settings: Train) -> Backbone:
    """As `load_backbone` and `hold` make it, on the meta device and without a tokenizer.

    Raises PosetwinError: missing_weights, wrong_weights.
    """
    folder = _folder(path, {"mini": "backbone"})
    with torch.device("meta"):
        text_encoder = CLIPTextModel(CLIPTextConfig.from_dict(read_config(folder / "text_encoder", "config.json")))
        unet = _of_class(folder / "unet", {"UNet2DConditionModel": UNet2DConditionModel})
        vae = _of_class(folder / "vae", VAE_CLASSES)
    for module in (text_encoder, unet, vae):
        nn.Module.to(module.requires_grad_(False).eval(), dtype=frozen_dtype(settings, FULL))
    device = torch.device("cpu")
    shell = Backbone(cast(CLIPTokenizer, None), text_encoder, cast(Any, vae), cast(Any, unet), {}, device)
    # What a compiler makes of a model is not known before it has run.
    return hold(shell, settings.model_copy(update={"compile": False}), device)


def adapter_shell(path: str) -> T2IAdapter:
    """As `clone_for_training` makes it, on the meta device. Raises PosetwinError: missing_weights, wrong_weights."""
    with torch.device("meta"):
        adapter = _of_class(_folder(path, ADAPTERS), {"T2IAdapter": T2IAdapter})
    return cast(T2IAdapter, adapter.requires_grad_(True).train())


def faked(module: AnyModule) -> AnyModule:
    """The same module with fake tensors for its weights, as if on the CPU; needs an active FakeTensorMode."""

    def fake(given: torch.Tensor) -> torch.Tensor:
        return torch.empty_strided(given.size(), given.stride(), dtype=given.dtype, device="cpu")

    for part in module.modules():
        for name, given in part._parameters.items():
            if given is not None:
                part._parameters[name] = nn.Parameter(fake(given), given.requires_grad)
        part._buffers.update({name: fake(given) for name, given in part._buffers.items() if given is not None})
    return module


def _look_at_whole_frames(detector: BlazePoseDetector) -> None:
    """Where people are is known from pixels alone; the network that finds them runs all the same."""
    from posetwin.keypoints.blazepose.anchors import INPUT_SIZE
    from posetwin.keypoints.blazepose.regions import Regions, whole_frames

    @torch.no_grad()
    def find_regions(images: torch.Tensor) -> Regions:
        detector.people.graph(images.new_zeros(len(images), 3, INPUT_SIZE, INPUT_SIZE), (0, 1))
        return whole_frames(images)

    detector.find_regions = find_regions


def detector_shell(config: Detector) -> KeypointDetector:
    """The detector itself (it is small), free of decisions by pixels. Raises PosetwinError: missing_weights,
    wrong_weights."""
    detector = load_detector(config)
    if isinstance(config, BlazeposeDetector):
        _look_at_whole_frames(cast("BlazePoseDetector", detector))
    return detector


def add_conditions(unet: UNet2DConditionModel) -> None:
    """SDXL's U-Net also wants the pooled embeddings of its second text encoder and the picture's size and crop."""
    if unet.config["addition_embed_type"] != "text_time":
        return
    sizes = 6 * unet.config["addition_time_embed_dim"]
    width = unet.config["projection_class_embeddings_input_dim"] - sizes

    def add(_unet: nn.Module, args: tuple[Any, ...], given: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
        latents = args[0]
        conditions = {
            "text_embeds": latents.new_zeros(len(latents), width),
            "time_ids": latents.new_zeros(len(latents), 6),
        }
        return args, {"added_cond_kwargs": conditions, **given}

    unet.register_forward_pre_hook(add, with_kwargs=True)
