"""TFLite's operators as torch modules on channels-first activations; weights are frozen buffers.

Each takes its node and the file's constants when it is made, and the node's activations when it runs.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import tflite
import torch
import torch.nn.functional as F
from torch import nn

from posetwin.errors import PosetwinError
from posetwin.keypoints.blazepose.flatbuffer import Node

Constants = Mapping[int, np.ndarray]

_ACTIVATIONS = {
    tflite.ActivationFunctionType.NONE: nn.Identity,
    tflite.ActivationFunctionType.RELU: nn.ReLU,
    tflite.ActivationFunctionType.RELU6: nn.ReLU6,
}


def _activation(node: Node) -> nn.Module:
    code = node.options["activation"]
    if code not in _ACTIVATIONS:
        raise PosetwinError("wrong_weights", f"{node.operator} with fused activation {code} is not supported")
    return _ACTIVATIONS[code]()


def _same(length: int, kernel: int, stride: int, dilation: int) -> tuple[int, int]:
    """TFLite's padding `SAME` along one axis: ⌈length / stride⌉ outputs, the odd zero after the end."""
    reach = (kernel - 1) * dilation + 1
    total = max((math.ceil(length / stride) - 1) * stride + reach - length, 0)
    return total // 2, total - total // 2


def _padded(x: torch.Tensor, node: Node, kernel: tuple[int, int], value: float = 0.0) -> torch.Tensor:
    """The one place where a window's padding is made."""
    if not node.options["same"]:
        return x
    dilation = node.options.get("dilation", (1, 1))
    top_bottom, left_right = (
        _same(x.shape[2 + axis], kernel[axis], node.options["stride"][axis], dilation[axis]) for axis in (0, 1)
    )
    return F.pad(x, (*left_right, *top_bottom), value=value) if any((*left_right, *top_bottom)) else x


class Convolution(nn.Module):
    """CONV_2D: kernels (O, H, W, I)."""

    to_torch = (0, 3, 1, 2)
    weight: torch.Tensor
    bias: torch.Tensor

    def __init__(self, node: Node, constants: Constants) -> None:
        super().__init__()
        self.node, self.activation = node, _activation(node)
        weight = torch.from_numpy(constants[node.inputs[1]].copy())
        self.register_buffer("weight", weight.permute(self.to_torch).contiguous())
        self.register_buffer("bias", torch.from_numpy(constants[node.inputs[2]].copy()))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = _padded(x, self.node, (self.weight.shape[2], self.weight.shape[3]))
        groups = x.shape[1] // self.weight.shape[1]
        stride, dilation = self.node.options["stride"], self.node.options["dilation"]
        return self.activation(F.conv2d(x, self.weight, self.bias, stride, 0, dilation, groups))


class DepthwiseConvolution(Convolution):
    """DEPTHWISE_CONV_2D: kernels (1, H, W, C)."""

    to_torch = (3, 0, 1, 2)


class MaxPool(nn.Module):
    def __init__(self, node: Node, constants: Constants) -> None:
        super().__init__()
        self.node, self.activation = node, _activation(node)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        kernel, stride = self.node.options["kernel"], self.node.options["stride"]
        return self.activation(F.max_pool2d(_padded(x, self.node, kernel, -math.inf), kernel, stride))


class Add(nn.Module):
    def __init__(self, node: Node, constants: Constants) -> None:
        super().__init__()
        if any(number in constants for number in node.inputs):
            raise PosetwinError("wrong_weights", "ADD of a constant is not supported")
        self.activation = _activation(node)

    def forward(self, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        return self.activation(x + y)


class Pad(nn.Module):
    """PAD: zeros before and after each of batch, height, width, channels."""

    def __init__(self, node: Node, constants: Constants) -> None:
        super().__init__()
        batch, height, width, channels = constants[node.inputs[1]].tolist()
        if any(batch):
            raise PosetwinError("wrong_weights", "PAD of the batch is not supported")
        self.amounts = (*width, *height, *channels)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return F.pad(x, self.amounts)


class ResizeBilinear(nn.Module):
    def __init__(self, node: Node, constants: Constants) -> None:
        super().__init__()
        if node.options["align_corners"] or not node.options["half_pixel_centers"]:
            raise PosetwinError("wrong_weights", "RESIZE_BILINEAR without half-pixel centres is not supported")
        self.size = constants[node.inputs[1]].tolist()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return F.interpolate(x, self.size, mode="bilinear", align_corners=False)


class Reshape(nn.Module):
    """RESHAPE to fewer axes than an image has: values are ordered channels last, as TFLite keeps them."""

    def __init__(self, node: Node, constants: Constants) -> None:
        super().__init__()
        if len(node.shape) > 3:
            raise PosetwinError("wrong_weights", f"RESHAPE to {node.shape} is not supported")
        self.shape = node.shape[1:]

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.movedim(1, -1).reshape(x.shape[0], *self.shape)


class Concatenation(nn.Module):
    """CONCATENATION of what RESHAPE gave, so along the axis as written."""

    def __init__(self, node: Node, constants: Constants) -> None:
        super().__init__()
        if len(node.shape) > 3:
            raise PosetwinError("wrong_weights", "CONCATENATION of images is not supported")
        self.axis, self.activation = node.options["axis"], _activation(node)

    def forward(self, *parts: torch.Tensor) -> torch.Tensor:
        return self.activation(torch.cat(parts, self.axis))


class DepthToSpace(nn.Module):
    """DEPTH_TO_SPACE: the channel is (row in block, column in block, channel), torch's pixel_shuffle has it last."""

    def __init__(self, node: Node, constants: Constants) -> None:
        super().__init__()
        self.block = node.options["block"]

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        blocks = x.unflatten(1, (self.block**2, -1)).transpose(1, 2).flatten(1, 2)
        return F.pixel_shuffle(blocks, self.block)


class Logistic(nn.Module):
    def __init__(self, node: Node, constants: Constants) -> None:
        super().__init__()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.sigmoid()


OPERATORS: dict[str, type[nn.Module]] = {
    "ADD": Add,
    "CONCATENATION": Concatenation,
    "CONV_2D": Convolution,
    "DEPTH_TO_SPACE": DepthToSpace,
    "DEPTHWISE_CONV_2D": DepthwiseConvolution,
    "LOGISTIC": Logistic,
    "MAX_POOL_2D": MaxPool,
    "PAD": Pad,
    "RESHAPE": Reshape,
    "RESIZE_BILINEAR": ResizeBilinear,
}


def make_operator(node: Node, constants: Constants) -> nn.Module:
    """Raises PosetwinError: wrong_weights where the operator, or this form of it, is not supported."""
    if node.operator not in OPERATORS:
        raise PosetwinError("wrong_weights", f"the TFLite operator {node.operator} is not supported")
    return OPERATORS[node.operator](node, constants)
