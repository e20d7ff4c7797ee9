"""What makes a step of the U-Net faster on a CPU: measured, not needed."""

from __future__ import annotations

import os
from typing import Any

import torch
from diffusers.models.attention_processor import AttnProcessor

# Compiling takes a C++ compiler and a minute or two; a step then takes about two thirds of the time.
COMPILE = "POSETWIN_MINI_COMPILE"


def plain_attention(unet: Any) -> Any:
    """Attention by plain matrix products: torch's fused kernel spends a quarter of a step on 24 keys."""
    unet.set_attn_processor(AttnProcessor())
    return unet


def faster(unet: Any) -> Any:
    """The same function of the same weights; compiled where the environment variable POSETWIN_MINI_COMPILE is set."""
    unet = plain_attention(unet)
    return torch.compile(unet) if os.environ.get(COMPILE) else unet
