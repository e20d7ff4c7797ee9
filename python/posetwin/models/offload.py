"""Frozen weights that wait in main memory and come to the device one layer at a time."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn


class _Visit:
    """The weights of one layer, on the device from before its forward pass until after it."""

    def __init__(self, layer: nn.Module, device: torch.device) -> None:
        self._device = device
        pinned = device.type == "cuda"
        self._at_home = {name: _kept(tensor, pinned) for name, tensor in layer.named_parameters(recurse=False)}
        layer.register_forward_pre_hook(self._come)
        layer.register_forward_hook(self._leave, always_call=True)
        self._leave(layer)

    def _come(self, layer: nn.Module, *_: Any) -> None:
        # A copy in the parameter's place, and not new data for the parameter: a backward pass that still needs the
        # copy keeps it, and with gradient checkpointing that is only for the block at hand.
        for name, tensor in self._at_home.items():
            visitor = tensor.to(self._device, non_blocking=True, copy=True)
            layer._parameters[name] = nn.Parameter(visitor, requires_grad=False)

    def _leave(self, layer: nn.Module, *_: Any) -> None:
        layer._parameters.update(self._at_home)


def _kept(parameter: nn.Parameter, pinned: bool) -> nn.Parameter:
    tensor = parameter.detach().cpu()
    return nn.Parameter(tensor.pin_memory() if pinned else tensor, requires_grad=False)


def offload(module: nn.Module, device: torch.device) -> None:
    """Keep the frozen parameters of `module` on the CPU; each layer's visit `device` for its forward pass alone, which
    a backward pass repeats only under gradient checkpointing. Buffers, which are small, move to `device`."""
    for layer in module.modules():
        layer._buffers.update({name: buffer.to(device) for name, buffer in layer.named_buffers(recurse=False)})
        if next(layer.parameters(recurse=False), None) is not None:
            _Visit(layer, device)
