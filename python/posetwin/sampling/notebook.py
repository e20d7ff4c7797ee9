"""Pictures in a few lines, for notebooks: no job, no folder."""

from __future__ import annotations

from functools import lru_cache
from os import PathLike, fspath

import numpy as np
import torch
from diffusers.models.adapter import T2IAdapter
from PIL import Image

from posetwin.adapters import t2i
from posetwin.contracts import Control
from posetwin.data.images import to_control, to_pixels
from posetwin.models.backbone import Backbone, load_backbone
from posetwin.sampling.noise import draw_noise
from posetwin.sampling.pose_input import read_pose
from posetwin.sampling.sampler import SamplerSettings, generate

_backbone = lru_cache(maxsize=1)(load_backbone)


def load_adapter(folder: str | PathLike[str]) -> T2IAdapter:
    """An adapter from a folder: a run's `adapter`, any diffusers T2I-Adapter, or `mini` for the shipped primary.

    Raises PosetwinError: missing_weights, wrong_weights.
    """
    return t2i.load_adapter(fspath(folder))


@torch.no_grad()
def _features(adapter: T2IAdapter | None, control: np.ndarray, scale: float, count: int) -> list[torch.Tensor] | None:
    if adapter is None:
        return None
    maps = to_control(control, t2i.in_channels(adapter))[None].to(adapter.device, adapter.dtype)
    return [feature.expand(count, -1, -1, -1) for feature in t2i.features_of(adapter, maps, scale)]


def sample(
    prompt: str,
    *,
    pose: str,
    adapter: T2IAdapter | None,
    seed: int = 0,
    num_images: int = 1,
    backbone: str | Backbone = "mini",
    image_size: int = 64,
    style: str = "openpose",
    line_width: float = 0.045,
    radius: int = 0,
    conditioning_scale: float = 1.0,
    num_inference_steps: int = 20,
    guidance_scale: float = 3.0,
) -> list[Image.Image]:
    """Pictures of `prompt` in `pose`.

    pose: as in the experiment file: a pose's name, a photo, OpenPose keypoints (.json) or a control map (.png).
    adapter: None leaves the pose out (text only). Raises PosetwinError: see read_pose and load_backbone.
    """
    models = _backbone(backbone) if isinstance(backbone, str) else backbone
    control = Control.model_validate({"style": style, "line_width": line_width, "radius": radius})
    features = _features(adapter, read_pose(pose, image_size, control).control, conditioning_scale, num_images)
    noise = draw_noise(seed, "figure", range(num_images), models.latent_shape(image_size))
    settings = SamplerSettings(num_inference_steps, guidance_scale)
    images = generate(models, [prompt] * num_images, features, noise, settings)
    return [Image.fromarray(pixels) for pixels in to_pixels(images)]
