from __future__ import annotations

import numpy as np
import torch

from posetwin.metrics.attributes import attributes_followed
from posetwin.mini.world import EVALUATION_SEED, Drawn, sample_world


def drawn(count: int) -> list[Drawn]:
    return [sample_world(EVALUATION_SEED + i) for i in range(count)]


def tensors(pictures: list[Drawn]) -> tuple[torch.Tensor, torch.Tensor]:
    images = torch.from_numpy(np.stack([d.image for d in pictures])).permute(0, 3, 1, 2).float() / 127.5 - 1
    return images, torch.from_numpy(np.stack([d.keypoints for d in pictures])).float()


def test_drawn_pictures_follow_their_own_attributes() -> None:
    pictures = drawn(120)
    followed = attributes_followed(*tensors(pictures), [d.attributes for d in pictures])
    assert followed["scene"].mean() > 0.98
    assert followed["shirt"].mean() > 0.97


def test_pictures_do_not_follow_the_attributes_of_others() -> None:
    pictures = drawn(120)
    followed = attributes_followed(*tensors(pictures), [d.attributes for d in pictures[1:] + pictures[:1]])
    # One of eight shirts and of eight scenes by chance.
    assert followed["scene"].mean() < 0.3
    assert followed["shirt"].mean() < 0.3
