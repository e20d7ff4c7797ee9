from __future__ import annotations

import torch
from skimage.metrics import structural_similarity

from posetwin.metrics.similarity import scene_similarity


def pictures(seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    a = torch.rand((2, 3, 48, 48), generator=generator) * 2 - 1
    return a, (a + 0.4 * torch.randn(a.shape, generator=generator)).clamp(-1, 1)


def test_without_a_figure_it_is_the_ssim_of_scikit_image() -> None:
    a, b = pictures(0)
    for image_a, image_b in zip(a, b, strict=True):
        _, full = structural_similarity(
            image_a.numpy(), image_b.numpy(), channel_axis=0, data_range=2.0, gaussian_weights=True, sigma=1.5,
            use_sample_covariance=False, full=True,
        )  # fmt: skip
        # Near the border scikit-image reflects the picture, and this window is cut off: compared inside of it.
        wanted = full[:, 5:-5, 5:-5].mean()
        ones = torch.ones(1, 48, 48)
        assert abs(scene_similarity(image_a[None], image_b[None], ones).item() - wanted) < 0.03


def test_equal_scenes_are_fully_similar_whatever_the_figures_do() -> None:
    a, b = pictures(1)
    mask = torch.ones(2, 48, 48)
    mask[:, 10:40, 20:30] = 0
    mixed = torch.where(mask[:, None] > 0, a, b)
    torch.testing.assert_close(scene_similarity(a, mixed, mask), torch.ones(2))


def test_figures_that_fill_the_frame_leave_nothing_to_differ() -> None:
    a, b = pictures(2)
    assert scene_similarity(a, b, torch.zeros(2, 48, 48)).tolist() == [1.0, 1.0]


def test_more_change_is_less_similar() -> None:
    a, b = pictures(3)
    mask = torch.ones(2, 48, 48)
    slight = a + 0.1 * (b - a)
    assert (scene_similarity(a, slight, mask) > scene_similarity(a, b, mask)).all()
