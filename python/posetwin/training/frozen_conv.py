"""Convolutions whose weights are frozen: they keep nothing of their input for the way back."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn
from torch.autograd.function import once_differentiable
from torch.nn.grad import conv2d_input


class _Convolve(torch.autograd.Function):
    """nn.Conv2d as a function of its input alone: that gradient needs the weights and the input's shape, no more.
    PyTorch's own node keeps the input as well, which only the gradient of the weights would need."""

    @staticmethod
    def forward(ctx: Any, images: torch.Tensor, layer: nn.Conv2d) -> torch.Tensor:
        ctx.layer, ctx.shape = layer, images.shape
        return nn.Conv2d.forward(layer, images)

    @staticmethod
    @once_differentiable  # its stub hides the name of the first argument
    def backward(  # pyright: ignore[reportIncompatibleMethodOverride]
        ctx: Any, *gradients: torch.Tensor
    ) -> tuple[torch.Tensor, None]:
        [gradient], layer = gradients, ctx.layer
        settings = (layer.stride, layer.padding, layer.dilation, layer.groups)
        return conv2d_input(ctx.shape, layer.weight, gradient, *settings), None


class FrozenConv2d(nn.Conv2d):
    """The same numbers, bit for bit, on the way there and on the way back."""

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        return _Convolve.apply(input, self) if input.requires_grad else super().forward(input)


def spare_inputs(module: nn.Module) -> None:
    """Let every frozen nn.Conv2d of `module` keep less. Where weights are trained, or edges are not padded with zeros,
    a layer stays as it is."""
    for layer in module.modules():
        plain = type(layer) is nn.Conv2d and layer.padding_mode == "zeros" and not isinstance(layer.padding, str)
        if plain and not any(parameter.requires_grad for parameter in layer.parameters()):
            layer.__class__ = FrozenConv2d
