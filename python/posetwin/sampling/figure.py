"""The stages `figures` and `sample`: one prompt and pose under text only, the primary, the secondary (Fig. 3)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from diffusers.models.adapter import T2IAdapter

from posetwin.adapters.t2i import features_of, in_channels
from posetwin.contracts import FigureResult, JudgedImage
from posetwin.data.images import to_control, to_pixels
from posetwin.data.journal import write_png
from posetwin.models.backbone import Backbone
from posetwin.sampling.judge import Judges
from posetwin.sampling.noise import draw_noise
from posetwin.sampling.pose_input import PoseInput
from posetwin.sampling.sampler import SamplerSettings, generate

BATCH = 8


@dataclass(frozen=True)
class Painter:
    """The models of a figure. secondary: None where no training has been run yet."""

    folder: Path
    backbone: Backbone
    primary: T2IAdapter
    secondary: T2IAdapter | None
    conditioning_scale: float
    settings: SamplerSettings
    judges: Judges
    image_size: int


@torch.no_grad()
def _features(
    painter: Painter, adapter: T2IAdapter | None, control: np.ndarray, count: int
) -> list[torch.Tensor] | None:
    if adapter is None:
        return None
    backbone = painter.backbone
    maps = to_control(control, in_channels(adapter))[None].to(backbone.device, backbone.dtype)
    return [f.expand(count, -1, -1, -1) for f in features_of(adapter, maps, painter.conditioning_scale)]


def _routes(painter: Painter) -> dict[str, T2IAdapter | None]:
    routes: dict[str, T2IAdapter | None] = {"text_only": None, "primary": painter.primary}
    return routes if painter.secondary is None else {**routes, "secondary": painter.secondary}


def _paint(painter: Painter, prompt: str, control: np.ndarray, noise: torch.Tensor) -> dict[str, torch.Tensor]:
    prompts = [prompt] * len(noise)
    return {
        route: generate(
            painter.backbone, prompts, _features(painter, adapter, control, len(noise)), noise, painter.settings
        )
        for route, adapter in _routes(painter).items()
    }


def _target(painter: Painter, pose: PoseInput, primary_images: torch.Tensor) -> torch.Tensor:
    """(18, 3). A control map comes without keypoints: then those that the judge finds in the primary's first picture
    stand in for them, masked by its confidence."""
    if pose.keypoints is not None:
        return torch.from_numpy(np.asarray(pose.keypoints, dtype=np.float64))
    target = painter.judges.keypoints(primary_images[:1])[0]
    target[:, 2] = 2.0 * (target[:, 2] >= painter.judges.detection_threshold)
    return target


def _judge(
    painter: Painter, images: dict[str, torch.Tensor], names: dict[str, list[str]], target: torch.Tensor
) -> dict[str, list[JudgedImage]]:
    return {
        route: painter.judges.judge_images(names[route], pictures, target.expand(len(pictures), -1, -1))
        for route, pictures in images.items()
    }


def _save(painter: Painter, stems: list[str], images: dict[str, torch.Tensor]) -> dict[str, list[str]]:
    names = {route: [f"{stem}{route}.png" for stem in stems] for route in images}
    for route, pictures in images.items():
        for name, pixels in zip(names[route], to_pixels(pictures), strict=True):
            write_png(painter.folder / name, pixels)
    return names


def _paint_batch(
    painter: Painter, prompt: str, pose_name: str, pose: PoseInput, seed: int, stems: dict[int, str]
) -> list[FigureResult]:
    shape = painter.backbone.latent_shape(painter.image_size)
    images = _paint(painter, prompt, pose.control, draw_noise(seed, "figure", stems, shape))
    target = _target(painter, pose, images["primary"])
    judged = _judge(painter, images, _save(painter, list(stems.values()), images), target)
    return [
        FigureResult(
            prompt=prompt,
            pose=pose_name,
            image_size=painter.image_size,
            control="control.png",
            target=target.tolist(),
            text_only=judged["text_only"][row],
            primary=judged["primary"][row],
            secondary=judged["secondary"][row] if "secondary" in judged else None,
        )
        for row in range(len(stems))
    ]


def paint_figures(
    painter: Painter, prompt: str, pose_name: str, pose: PoseInput, seed: int, num_images: int
) -> list[FigureResult]:
    """`num_images` figures that differ by their noise alone; pictures and control.png go to the folder.

    A single figure's files are text_only.png, primary.png, secondary.png; several are numbered: 000-primary.png, ….
    """
    write_png(painter.folder / "control.png", pose.control)
    stems = {i: "" if num_images == 1 else f"{i:03d}-" for i in range(num_images)}
    results: list[FigureResult] = []
    for start in range(0, num_images, BATCH):
        batch = {i: stems[i] for i in range(start, min(start + BATCH, num_images))}
        results += _paint_batch(painter, prompt, pose_name, pose, seed, batch)
    return results
