"""What the mini models' trainings start from."""

from __future__ import annotations

import torch

from posetwin.mini.architecture import make_adapter
from posetwin.mini.stages.pack import grey


def test_an_adapter_of_dots_starts_with_the_answers_of_the_one_of_limbs_to_grey_maps() -> None:
    limbs = make_adapter()
    dots = grey(limbs)
    maps = torch.rand(2, 1, 64, 64, generator=torch.Generator().manual_seed(0))
    for expected, found in zip(limbs(maps.expand(-1, 3, -1, -1)), dots(maps), strict=True):
        assert torch.allclose(found, expected, atol=1e-5)
