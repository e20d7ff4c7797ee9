"""How the frozen models are held during training: precision, memory layout, attention, recomputed activations."""

from __future__ import annotations

from dataclasses import replace

import torch
from diffusers.models.attention_processor import AttnProcessor
from torch.utils.checkpoint import checkpoint

from posetwin.contracts import Train
from posetwin.keypoints.detector import KeypointDetector, Keypoints
from posetwin.models.backbone import Backbone
from posetwin.models.offload import offload
from posetwin.training.frozen_conv import spare_inputs

_PRECISIONS = {"bf16": torch.bfloat16, "fp16": torch.float16}


def frozen_dtype(settings: Train, full: torch.dtype) -> torch.dtype:
    """The precision of θ; `full` is that of everything else, and of θ too without mixed precision."""
    return _PRECISIONS.get(settings.mixed_precision, full)


def hold(backbone: Backbone, settings: Train, device: torch.device) -> Backbone:
    """The same models, held as `settings` say and computing on `device`. Only precision and the order of sums can
    change a result."""
    # A layer that is offloaded has its weights on the device only while it runs.
    if not settings.cpu_offload:
        for module in (backbone.unet, backbone.vae):
            spare_inputs(module)
    if settings.channels_last:
        modules: tuple[torch.nn.Module, ...] = (backbone.unet, backbone.vae)
        for module in modules:
            module.to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue] (an overload it misses)
    if settings.attention == "eager":
        backbone.unet.set_attn_processor(AttnProcessor())
    elif settings.attention == "sliced":
        backbone.unet.set_attention_slice("max")
    if settings.gradient_checkpointing:
        backbone.unet.enable_gradient_checkpointing()
        backbone.vae.enable_gradient_checkpointing()
    if settings.cpu_offload:
        for module in (backbone.unet, backbone.vae, backbone.text_encoder):
            offload(module, device)
    if settings.compile:
        # The self-test and the audit differentiate a loss more than once.
        torch._functorch.config.donated_buffer = False  # pyright: ignore[reportPrivateUsage, reportAttributeAccessIssue]
        backbone.unet.compile()
    return replace(backbone, device=device)


def watched_by(detector: KeypointDetector, settings: Train) -> KeypointDetector:
    """The detector, which under gradient checkpointing computes its activations again on the way back."""
    if isinstance(detector, torch.nn.Module):
        spare_inputs(detector)
    if not settings.gradient_checkpointing:
        return detector

    def detect(images: torch.Tensor) -> Keypoints:
        xy, confidence = checkpoint(lambda x: tuple(detector(x)), images, use_reentrant=False)
        return Keypoints(xy, confidence)

    return detect
