"""A .tflite file read into plain data: nodes in the order they run, and constants in float32 or integers."""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tflite

from posetwin.errors import PosetwinError
from posetwin.keypoints.blazepose.sparse import densify

Options = Mapping[str, Any]

_IDENTIFIER = b"TFL3"
_DTYPES = {
    tflite.TensorType.FLOAT32: np.float32,
    tflite.TensorType.FLOAT16: np.float16,
    tflite.TensorType.INT32: np.int32,
}
_OPERATOR_NAMES = {code: name for name, code in vars(tflite.BuiltinOperator).items() if isinstance(code, int)}
# Operators that only unpack stored weights; they run once, here.
_UNPACKING = ("DEQUANTIZE", "DENSIFY")


@dataclass(frozen=True)
class Node:
    """One operator. inputs, output: tensor numbers. shape: of the output, as stored (batch 1, channels last)."""

    operator: str
    inputs: tuple[int, ...]
    output: int
    shape: tuple[int, ...]
    options: Options


@dataclass(frozen=True)
class Model:
    """nodes: in the order they run. constants: tensor number → array, channels last, kernels as TFLite stores them."""

    nodes: tuple[Node, ...]
    constants: Mapping[int, np.ndarray]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]


def _window(options: Any) -> dict[str, Any]:
    return {
        "same": options.Padding() == tflite.Padding.SAME,
        "stride": (options.StrideH(), options.StrideW()),
        "activation": options.FusedActivationFunction(),
    }


def _convolution(options: Any) -> Options:
    return {**_window(options), "dilation": (options.DilationHFactor(), options.DilationWFactor())}


def _pool(options: Any) -> Options:
    return {**_window(options), "kernel": (options.FilterHeight(), options.FilterWidth())}


def _resize(options: Any) -> Options:
    return {"align_corners": options.AlignCorners(), "half_pixel_centers": options.HalfPixelCenters()}


_OPTIONS: dict[str, tuple[Callable[[], Any], Callable[[Any], Options]]] = {
    "CONV_2D": (tflite.Conv2DOptions, _convolution),
    "DEPTHWISE_CONV_2D": (tflite.DepthwiseConv2DOptions, _convolution),
    "MAX_POOL_2D": (tflite.Pool2DOptions, _pool),
    "ADD": (tflite.AddOptions, lambda options: {"activation": options.FusedActivationFunction()}),
    "RESIZE_BILINEAR": (tflite.ResizeBilinearOptions, _resize),
    "DEPTH_TO_SPACE": (tflite.DepthToSpaceOptions, lambda options: {"block": options.BlockSize()}),
    "CONCATENATION": (
        tflite.ConcatenationOptions,
        lambda options: {"axis": options.Axis(), "activation": options.FusedActivationFunction()},
    ),
}


class _Reader:
    def __init__(self, content: bytes) -> None:
        # The schema's generated accessors are typed as if every table could be absent.
        self.model: Any = tflite.Model.GetRootAsModel(content, 0)
        self.graph: Any = self.model.Subgraphs(0)
        self.constants: dict[int, np.ndarray] = {}

    def _stored(self, number: int) -> np.ndarray | None:
        """The array a tensor carries in the file, still flat where it is sparse; None for an activation."""
        tensor = self.graph.Tensors(number)
        buffer = self.model.Buffers(tensor.Buffer())
        if not buffer.DataLength():
            return None
        if tensor.Type() not in _DTYPES:
            raise PosetwinError("wrong_weights", f"tensor {number} has type {tensor.Type()}, which is not supported")
        return np.frombuffer(buffer.DataAsNumpy().tobytes(), _DTYPES[tensor.Type()])

    def _shape(self, number: int) -> tuple[int, ...]:
        tensor = self.graph.Tensors(number)
        return tuple(tensor.Shape(axis) for axis in range(tensor.ShapeLength()))

    def _constant(self, number: int) -> np.ndarray | None:
        if number in self.constants:
            return self.constants[number]
        values = self._stored(number)
        if values is None:
            return None
        sparsity, shape = self.graph.Tensors(number).Sparsity(), self._shape(number)
        return values.reshape(shape) if sparsity is None else densify(values, shape, sparsity)

    def _unpack(self, node: Node) -> None:
        values = self._constant(node.inputs[0])
        if values is None:
            raise PosetwinError("wrong_weights", f"{node.operator} of an activation is not supported")
        self.constants[node.output] = values.astype(np.float32)

    def _operator(self, raw: Any) -> str:
        codes = self.model.OperatorCodes(raw.OpcodeIndex())
        # Older files write the code in the deprecated field, which saturates; the larger one is meant.
        code = max(codes.BuiltinCode(), codes.DeprecatedBuiltinCode())
        return _OPERATOR_NAMES.get(code, f"operator {code}")

    def _options(self, operator: str, raw: Any) -> Options:
        if operator not in _OPTIONS:
            return {}
        make, read = _OPTIONS[operator]
        options, table = make(), raw.BuiltinOptions()
        options.Init(table.Bytes, table.Pos)
        return read(options)

    def _node(self, index: int) -> Node:
        raw = self.graph.Operators(index)
        inputs, output = tuple(raw.InputsAsNumpy().tolist()), raw.Outputs(0)
        operator = self._operator(raw)
        return Node(operator, inputs, output, self._shape(output), self._options(operator, raw))

    def read(self) -> Model:
        nodes = []
        for node in (self._node(index) for index in range(self.graph.OperatorsLength())):
            if node.operator in _UNPACKING:
                self._unpack(node)
            else:
                nodes.append(node)
        for number in {number for node in nodes for number in node.inputs}:
            if (values := self._constant(number)) is not None:
                self.constants[number] = values
        outputs = tuple(self.graph.OutputsAsNumpy().tolist())
        return Model(tuple(nodes), self.constants, tuple(self.graph.InputsAsNumpy().tolist()), outputs)


def read_tflite(path: Path) -> Model:
    """The first graph of a .tflite file. Raises PosetwinError: wrong_weights."""
    content = path.read_bytes()
    if content[4:8] != _IDENTIFIER:
        raise PosetwinError("wrong_weights", f"{path} is not a TFLite model", "install @mediapipe/pose again: npm ci")
    try:
        return _Reader(content).read()
    except (struct.error, ValueError, TypeError, IndexError, AttributeError, OverflowError) as error:
        raise PosetwinError("wrong_weights", f"{path} is damaged: {error}", "install it again: npm ci") from error
