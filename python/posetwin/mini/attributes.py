"""Reading attributes off a picture by simple rules, to count how often generated pictures follow their text.

Each rule is also run on drawn pictures, whose attributes are known: its accuracy there is the most a model can reach.
"""

from __future__ import annotations

import numpy as np
import torch
from torch.nn.functional import adaptive_avg_pool2d

from posetwin.mini.data import to_unit
from posetwin.mini.figure import SHIRTS, joints_of
from posetwin.mini.poses import angle_ranges, pose_names
from posetwin.mini.scenes import SCENES
from posetwin.mini.world import EVALUATION_SEED, Drawn, empty_scene

_LIMBS = ((2, 3), (3, 4), (5, 6), (6, 7), (8, 9), (9, 10), (11, 12), (12, 13))
_TORSO = [2, 5, 8, 11]


def to_tensor(drawn: list[Drawn]) -> torch.Tensor:
    """(N, 3, H, W) in [-1, 1]."""
    return to_unit(torch.from_numpy(np.stack([d.image for d in drawn])).permute(0, 3, 1, 2))


def _margins(images: torch.Tensor) -> torch.Tensor:
    """(N, D) coarse colours of the outer columns, where a figure seldom stands."""
    coarse = adaptive_avg_pool2d(images, (8, 8))
    return torch.cat([coarse[..., :2], coarse[..., -2:]], dim=-1).flatten(1)


def read_scenes(images: torch.Tensor) -> list[str]:
    """The scene whose empty pictures have the nearest average margin."""
    names = list(SCENES)
    seeds = range(EVALUATION_SEED, EVALUATION_SEED + 30)
    empties = [np.stack([empty_scene(seed, scene=name) for seed in seeds]) for name in names]
    centres = torch.stack([_margins(to_unit(torch.from_numpy(e).permute(0, 3, 1, 2))).mean(0) for e in empties])
    return [names[i] for i in torch.cdist(_margins(images), centres).argmin(1).tolist()]


def read_shirts(images: torch.Tensor, keypoints: torch.Tensor) -> list[str]:
    """The shirt colour nearest to the middle of the torso. keypoints: (N, 18, 2) pixels."""
    names, palette = list(SHIRTS), to_unit(torch.tensor(list(SHIRTS.values())))
    shirts = []
    for image, torso in zip(images, keypoints[:, _TORSO].mean(1).long().clamp(1, images.shape[-1] - 2), strict=True):
        x, y = torso.tolist()
        colour = image[:, y - 1 : y + 2, x - 1 : x + 2].mean((1, 2))
        shirts.append(names[int(torch.cdist(colour[None], palette).argmin())])
    return shirts


def _directions(points: torch.Tensor) -> torch.Tensor:
    """(N, 18, 2) -> (N, 16) unit vectors of arms and legs."""
    limbs = torch.stack([points[:, b] - points[:, a] for a, b in _LIMBS], dim=1)
    return torch.nn.functional.normalize(limbs, dim=-1).flatten(1)


def _mean_joints(name: str) -> np.ndarray:
    return joints_of({joint: mean for joint, (mean, _) in angle_ranges(name).items()})


def read_poses(keypoints: torch.Tensor) -> list[str]:
    """The training pose whose limbs point most nearly the same way. keypoints: (N, 18, 2) pixels."""
    names = pose_names("train")
    centres = _directions(torch.from_numpy(np.stack([_mean_joints(n) for n in names])).float())
    return [names[i] for i in torch.cdist(_directions(keypoints), centres).argmin(1).tolist()]
