"""The mini models' architectures: the real classes of diffusers and transformers, small.

The U-Net follows Stable Diffusion's layout (cross-attention in all blocks but the last, which has no downsampling), so
that T2IAdapter's features, one per down block, fit at 16, 8 and 4. Self-attention at 16x16 would double a step's time:
the first block attends to the text only. Width is cheap at 8x8 and below, and that is where postures are decided.
diffusers reads `attention_head_dim` as the *number* of heads.
"""

from __future__ import annotations

from typing import Literal

from diffusers import AutoencoderTiny, DDPMScheduler, T2IAdapter, UNet2DConditionModel
from transformers import CLIPTextConfig, CLIPTextModel

from posetwin.keypoints.mini import MiniHourglass, MiniJudge

ControlStyle = Literal["openpose", "dots"]

IMAGE_SIZE = 64
LATENT_CHANNELS = 8
LATENT_SIZE = 16
TEXT_WIDTH = 96
MAX_TOKENS = 24
UNET_CHANNELS = (64, 128, 176)


def make_text_encoder(vocab_size: int, bos_token_id: int, eos_token_id: int) -> CLIPTextModel:
    config = CLIPTextConfig(
        vocab_size=vocab_size,
        hidden_size=TEXT_WIDTH,
        intermediate_size=3 * TEXT_WIDTH,
        num_hidden_layers=2,
        num_attention_heads=4,
        max_position_embeddings=MAX_TOKENS,
        projection_dim=TEXT_WIDTH,
        bos_token_id=bos_token_id,
        eos_token_id=eos_token_id,
        pad_token_id=eos_token_id,
    )
    return CLIPTextModel(config)


def make_vae() -> AutoencoderTiny:
    return AutoencoderTiny(
        encoder_block_out_channels=(32, 32, 32),
        decoder_block_out_channels=(32, 32, 32),
        num_encoder_blocks=(1, 2, 3),
        num_decoder_blocks=(3, 2, 1),
        latent_channels=LATENT_CHANNELS,
        force_upcast=False,
        scaling_factor=1.0,
    )


def make_unet() -> UNet2DConditionModel:
    return UNet2DConditionModel(
        sample_size=LATENT_SIZE,
        in_channels=LATENT_CHANNELS,
        out_channels=LATENT_CHANNELS,
        block_out_channels=UNET_CHANNELS,
        layers_per_block=1,
        down_block_types=("CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "DownBlock2D"),
        up_block_types=("UpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D"),
        # diffusers annotates both as tuples of one.
        only_cross_attention=(True, False, False),  # pyright: ignore[reportArgumentType]
        cross_attention_dim=TEXT_WIDTH,
        attention_head_dim=(2, 4, 4),  # pyright: ignore[reportArgumentType]
        norm_num_groups=16,
    )


def make_scheduler() -> DDPMScheduler:
    """Stable Diffusion's noise schedule."""
    return DDPMScheduler(
        num_train_timesteps=1000,
        beta_schedule="scaled_linear",
        beta_start=0.00085,
        beta_end=0.012,
        clip_sample=False,
        steps_offset=1,
    )


def make_adapter(style: ControlStyle = "openpose") -> T2IAdapter:
    """For control maps in colour, or for grey dots."""
    return T2IAdapter(
        in_channels=3 if style == "openpose" else 1,
        channels=list(UNET_CHANNELS),
        num_res_blocks=1,
        downscale_factor=4,
        adapter_type="full_adapter",
    )


def make_detector() -> MiniHourglass:
    return MiniHourglass(channels=(40, 80, 144), depth=3)


def make_judge() -> MiniJudge:
    return MiniJudge(channels=(40, 80, 160), depth=3)
