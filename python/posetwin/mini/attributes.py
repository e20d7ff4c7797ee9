"""Reading attributes off a picture by simple rules, to count how often generated pictures follow their text.

Each rule is also run on drawn pictures, whose attributes are known: its accuracy there is the most a model can reach.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import torch
from torch.nn.functional import adaptive_avg_pool2d

from posetwin.mini.coverage import library_poses, nearest, normalised
from posetwin.mini.data import to_unit
from posetwin.mini.look import SHIRTS
from posetwin.mini.poses import pose_names
from posetwin.mini.scenes import SCENES
from posetwin.mini.world import EVALUATION_SEED, Drawn, empty_scene

EXAMPLES = 60  # empty pictures of each scene, drawn with seeds that no picture shares
_EXAMPLE_SEED = 2 * EVALUATION_SEED
_DRAWS_PER_POSE = 24
# Where a shirt is looked for: shares of the way from neck to hips, and to the sides in half shoulder widths.
_DOWN, _ACROSS = (0.15, 0.3, 0.45, 0.6), (-0.4, 0.0, 0.4)
_COLOUR_SPREAD = 0.25


def to_tensor(drawn: list[Drawn]) -> torch.Tensor:
    """(N, 3, H, W) in [-1, 1]."""
    return to_unit(torch.from_numpy(np.stack([d.image for d in drawn])).permute(0, 3, 1, 2))


def _margins(images: torch.Tensor) -> torch.Tensor:
    """(N, 36, 3) coarse colours of the outer columns and the upper row, where a figure seldom stands."""
    coarse = adaptive_avg_pool2d(images, (8, 8))
    parts = (coarse[..., :2], coarse[..., -2:], coarse[..., :1, 2:-2].transpose(-1, -2))
    return torch.cat([part.flatten(2) for part in parts], dim=-1).transpose(1, 2)


@lru_cache(maxsize=1)
def _scene_examples() -> torch.Tensor:
    """(scenes * EXAMPLES, 36, 3) margins of empty pictures."""
    seeds = range(_EXAMPLE_SEED, _EXAMPLE_SEED + EXAMPLES)
    empty = np.stack([empty_scene(seed, scene=name) for name in SCENES for seed in seeds])
    return _margins(to_unit(torch.from_numpy(empty).permute(0, 3, 1, 2)))


def read_scenes(images: torch.Tensor) -> list[str]:
    """The scene of the empty picture whose margins are most alike; the third of cells that differs most is ignored."""
    names, examples = list(SCENES), _scene_examples()
    read = []
    for margin in _margins(images):
        apart = (examples - margin).abs().mean(-1).sort(dim=1).values[:, :24].mean(1)
        read.append(names[int(apart.argmin()) // EXAMPLES])
    return read


def _torso_places(points: torch.Tensor) -> torch.Tensor:
    """(18, 2) -> (12, 2) places on the torso."""
    neck, hips, half = points[1], points[[8, 11]].mean(0), (points[5] - points[2]) / 2
    return torch.stack([neck + down * (hips - neck) + across * half for down in _DOWN for across in _ACROSS])


def read_shirts(images: torch.Tensor, keypoints: torch.Tensor) -> list[str]:
    """The shirt colour that the torso's places vote for, each by its nearness. keypoints: (N, 18, 2) pixels."""
    names, palette = list(SHIRTS), to_unit(torch.tensor(list(SHIRTS.values())))
    shirts = []
    for image, points in zip(images, keypoints, strict=True):
        x, y = _torso_places(points).long().clamp(0, image.shape[-1] - 1).unbind(-1)
        distance = torch.cdist(image[:, y, x].T, palette)
        shirts.append(names[int(torch.exp(-((distance / _COLOUR_SPREAD) ** 2)).sum(0).argmax())])
    return shirts


@lru_cache(maxsize=1)
def _library() -> tuple[np.ndarray, np.ndarray]:
    poses, names = library_poses(_DRAWS_PER_POSE, 0)
    known = np.isin(names, pose_names("train"))
    return poses[known], names[known]


def read_poses(keypoints: torch.Tensor) -> list[str]:
    """The training pose of which some draw is most alike. keypoints: (N, 18, 2) pixels."""
    poses = np.stack([normalised(k) for k in keypoints.double().numpy()])
    return nearest(poses, *_library()).name.tolist()
