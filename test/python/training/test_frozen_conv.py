from __future__ import annotations

import copy

import pytest
import torch
from tiny import make_unet, make_vae
from torch import nn

from posetwin.training.frozen_conv import FrozenConv2d, spare_inputs

LAYERS = [
    nn.Conv2d(4, 8, 3, padding=1),
    nn.Conv2d(4, 8, 3, stride=2, padding=1),
    nn.Conv2d(8, 8, 3, padding=2, dilation=2, groups=8),
    nn.Conv2d(4, 6, 1, bias=False),
]


def frozen(module: nn.Module) -> tuple[nn.Module, nn.Module]:
    """As PyTorch computes it, and with convolutions that spare their inputs."""
    plain = module.requires_grad_(False).eval()
    sparing = copy.deepcopy(plain)
    spare_inputs(sparing)
    return plain, sparing


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
@pytest.mark.parametrize("layer", LAYERS, ids=str)
def test_values_and_gradients_are_the_same_bits(layer: nn.Conv2d, dtype: torch.dtype) -> None:
    torch.manual_seed(0)
    given = torch.randn(2, layer.in_channels, 12, 12, dtype=dtype)
    results = []
    for module in frozen(copy.deepcopy(layer).to(dtype)):
        images = given.clone().requires_grad_()
        found = module(images)
        found.square().sum().backward()
        results.append((found, images.grad))
    (found, gradient), (found_sparing, gradient_sparing) = results
    assert torch.equal(found, found_sparing)
    assert gradient is not None and gradient_sparing is not None
    assert torch.equal(gradient, gradient_sparing)


def kept(module: nn.Module, images: torch.Tensor) -> int:
    """Elements of the activations that the way back would need."""
    own, sizes = {p.data_ptr() for p in module.parameters()}, dict[int, int]()
    held: list[torch.Tensor] = []

    def note(tensor: torch.Tensor) -> torch.Tensor:
        held.append(tensor)  # no address is used twice while it lives
        if tensor.data_ptr() not in own:
            sizes[tensor.data_ptr()] = tensor.numel()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
        module(images.requires_grad_())
    return sum(sizes.values())


def test_a_convolution_keeps_nothing_of_its_input() -> None:
    plain, sparing = frozen(nn.Conv2d(4, 8, 3, padding=1))
    images = torch.randn(2, 4, 12, 12)
    assert kept(plain, images.clone()) == images.numel()
    assert kept(sparing, images.clone()) == 0


def test_layers_that_are_trained_stay_as_they_are() -> None:
    vae = make_vae()
    spare_inputs(vae)
    assert not any(isinstance(layer, FrozenConv2d) for layer in vae.modules())


def test_every_convolution_of_a_frozen_unet_is_meant() -> None:
    _, sparing = frozen(make_unet())
    assert {type(layer) for layer in sparing.modules() if isinstance(layer, nn.Conv2d)} == {FrozenConv2d}
