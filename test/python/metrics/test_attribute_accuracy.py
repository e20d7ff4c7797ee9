from __future__ import annotations

import numpy as np
import torch

from posetwin.metrics.attributes import attributes_followed
from posetwin.mini.captions import named_attributes
from posetwin.mini.world import EVALUATION_SEED, Drawn, sample_world


def drawn(count: int) -> list[Drawn]:
    return [sample_world(EVALUATION_SEED + i) for i in range(count)]


def shares(pictures: list[Drawn], told: list[dict[str, str]]) -> dict[str, float]:
    images = torch.from_numpy(np.stack([d.image for d in pictures])).permute(0, 3, 1, 2).float() / 127.5 - 1
    followed = attributes_followed(images, torch.from_numpy(np.stack([d.keypoints for d in pictures])).float(), told)
    return {name: float(np.mean([found[name] for found in followed if name in found])) for name in ("shirt", "scene")}


def test_drawn_pictures_follow_their_own_attributes() -> None:
    pictures = drawn(120)
    found = shares(pictures, [d.attributes for d in pictures])
    assert found["scene"] > 0.98
    assert found["shirt"] > 0.97


def test_pictures_do_not_follow_the_attributes_of_others() -> None:
    pictures = drawn(120)
    found = shares(pictures, [d.attributes for d in pictures[1:] + pictures[:1]])
    # One of eight shirts and of eight scenes by chance.
    assert found["scene"] < 0.3
    assert found["shirt"] < 0.3


def test_only_what_a_caption_names_is_asked_for() -> None:
    attributes = {"shirt": "red", "scene": "beach", "hair": "black", "pose": "random"}
    assert named_attributes("a girl in a red shirt, on the beach", attributes) == {"shirt": "red", "scene": "beach"}
    assert named_attributes("a girl in a red shirt", attributes) == {"shirt": "red"}
    assert named_attributes("a girl in the snow, in a blue shirt", attributes) == {}
    assert named_attributes("a girl in a red shirt", {}) == {}
    images, keypoints = torch.zeros(2, 3, 64, 64), torch.zeros(2, 18, 3)
    assert attributes_followed(images, keypoints, [{}, {}]) == [{}, {}]
    first, second = attributes_followed(images, keypoints, [{"shirt": "red"}, {}])
    assert (set(first), second) == ({"shirt"}, {})
