from __future__ import annotations

import torch

from posetwin.metrics.scene import scene_drift, scene_mask
from posetwin.mini.world import sample_world


def test_drift_is_the_mean_difference_where_the_mask_is_set() -> None:
    image_a, image_b = torch.zeros(1, 3, 2, 2), torch.zeros(1, 3, 2, 2)
    image_b[0, :, 0, 0] = torch.tensor([0.3, 0.6, 0.9])
    image_b[0, :, 1, 1] = 1.0
    mask = torch.tensor([[[1.0, 1.0], [1.0, 0.0]]])
    # One of three counted pixels differs, by 0.6 on average over its colours.
    torch.testing.assert_close(scene_drift(image_a, image_b, mask), torch.tensor([0.2]))


def test_drift_is_zero_where_the_figures_fill_the_frame() -> None:
    images = torch.rand(2, 3, 4, 4)
    assert scene_drift(images, -images, torch.zeros(2, 4, 4)).tolist() == [0.0, 0.0]


def test_the_mask_leaves_out_both_figures() -> None:
    a, b = sample_world(0, pose="standing"), sample_world(1, pose="star_jump")
    mask = scene_mask(a.keypoints[None], b.keypoints[None], 64)[0].numpy()
    assert set(mask.flatten().tolist()) == {0.0, 1.0}
    for drawn in (a, b):
        assert (mask[drawn.mask] == 0).mean() > 0.95
