"""The TFLite graphs in torch.

Compared once, by hand, with LiteRT 2.3.0 (XNNPACK, float32) on a crop and on a letterboxed photo; the largest
differences of the outputs in use: landmarks 2.5e-4 px (lite), 1.0e-3 (full), 6.9e-4 (heavy); the score that a person
is there 6e-8; the person detector's boxes 2.2e-3 px of 224 and its logits 1.3e-3 (of up to 573).
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from posetwin.errors import PosetwinError
from posetwin.keypoints.blazepose.anchors import make_anchors
from posetwin.keypoints.blazepose.flatbuffer import Node, read_tflite
from posetwin.keypoints.blazepose.graph import load_graph
from posetwin.keypoints.blazepose.operators import make_operator
from posetwin.keypoints.blazepose.weights import PERSON_FILE, find_weights, landmark_file

# LiteRT's answers for `_ramp`: landmarks 0 and 1 (x, y, z, visibility, presence), and the score.
LITERT_LANDMARKS = {
    "lite": ([113.621445, 69.700279, -123.371162, 3.679347, 0.485887,
              116.445511, 64.842537, -121.548401, 3.495245, 0.133987], 0.024213385),
    "full": ([151.945786, 44.600655, -10.757135, 3.315637, -0.597148,
              153.038773, 42.221043, -15.019543, 3.244567, -0.807181], 0.172391295),
    "heavy": ([130.951355, 59.642475, -26.358295, -4.894291, -4.585922,
               131.927231, 55.726387, -30.002388, -6.433511, -5.622905], 0.000234959),
}  # fmt: skip
# The first box; then the logits at the first and last anchor of each of the three grids.
LITERT_BOX = [-1.173046, -4.011400, 5.727007, -4.943519, 0.820767, 1.858818,
              -4.590565, -1.287237, -0.744073, -6.219472, -23.246788, 12.282347]  # fmt: skip
LITERT_LOGITS = {0: -81.855133, 1567: -6.882318, 1568: -8.045543, 1959: -89.277596, 1960: -17.050797, 2253: -26.907831}
# The schema's number of a fused activation that no BlazePose graph has.
TANH = 4


def _ramp(size: int) -> torch.Tensor:
    """(1, 3, size, size) in [0, 1]: a smooth picture that needs no file."""
    steps = torch.arange(size) / (size - 1)
    y, x = torch.meshgrid(steps, steps, indexing="ij")
    return torch.stack([x, y, x * y])[None]


def _node(operator: str, shape: tuple[int, ...] = (1, 1, 1, 1), inputs: tuple[int, ...] = (0,), **options: Any) -> Node:
    return Node(operator, inputs, 9, shape, options)


def _code(make: Callable[[], object]) -> str:
    with pytest.raises(PosetwinError) as caught:
        make()
    return caught.value.code


@pytest.mark.parametrize("variant", LITERT_LANDMARKS)
def test_the_landmark_networks_answer_as_litert_does(variant: str) -> None:
    landmarks, score = LITERT_LANDMARKS[variant]
    with torch.no_grad():
        raw, present = load_graph(find_weights(landmark_file(variant)))(_ramp(256), (0, 1))
    assert raw[0, :10].tolist() == pytest.approx(landmarks, abs=5e-3)
    assert present.item() == pytest.approx(score, abs=1e-4)


def test_the_person_detector_answers_as_litert_does() -> None:
    with torch.no_grad():
        boxes, logits = load_graph(find_weights(PERSON_FILE))(_ramp(224), (0, 1))
    assert boxes.shape == (1, 2254, 12) and logits.shape == (1, 2254, 1)
    assert boxes[0, 0].tolist() == pytest.approx(LITERT_BOX, abs=5e-3)
    assert logits[0, list(LITERT_LOGITS), 0].tolist() == pytest.approx(list(LITERT_LOGITS.values()), abs=2e-2)


def test_outputs_that_nobody_wants_are_not_computed() -> None:
    graph = load_graph(find_weights(landmark_file("lite")))
    ran: list[int] = []
    for step, operator in enumerate(graph.operators):
        operator.register_forward_hook(lambda *_, step=step: ran.append(step))
    with torch.no_grad():
        graph(_ramp(256), (0,))
        for_landmarks = len(ran)
        graph(_ramp(256), (0, 1, 2, 3, 4))
    assert for_landmarks < len(ran) - for_landmarks == len(graph.operators)


def test_anchors_are_the_cell_centres_of_strides_8_16_32_32_32() -> None:
    anchors = make_anchors()
    assert anchors.shape == (2254, 2)
    assert anchors[[0, 1, 2]].flatten().tolist() == pytest.approx([4 / 224] * 4 + [12 / 224, 4 / 224])
    assert anchors[1568].tolist() == pytest.approx([8 / 224, 8 / 224])
    assert anchors[1960].tolist() == anchors[1965].tolist() == pytest.approx([16 / 224, 16 / 224])


def test_depth_to_space_takes_row_and_column_before_channel() -> None:
    """The example in TensorFlow's documentation: (1, 1, 1, 12), channels last, in blocks of 2."""
    operator = make_operator(_node("DEPTH_TO_SPACE", block=2), {})
    spread = operator(torch.arange(1.0, 13.0).view(1, 12, 1, 1)).movedim(1, -1)[0]
    assert spread.tolist() == [[[1, 2, 3], [4, 5, 6]], [[7, 8, 9], [10, 11, 12]]]


@pytest.mark.parametrize(("length", "expected"), [(4, [[4, 2], [2, 1]]), (5, [[9, 6], [6, 4]])])
def test_padding_same_puts_the_odd_zero_at_the_end(length: int, expected: list[list[float]]) -> None:
    """Ones under a window of 2×2 (length 4) or 3×3 (length 5), stride 3: the last window sticks out by one."""
    kernel = 2 if length == 4 else 3
    options = {"same": True, "stride": (3, 3), "dilation": (1, 1), "activation": 0}
    constants = {1: np.ones((1, kernel, kernel, 1), np.float32), 2: np.zeros(1, np.float32)}
    summed = make_operator(_node("CONV_2D", inputs=(0, 1, 2), **options), constants)(torch.ones(1, 1, length, length))
    assert summed[0, 0].tolist() == expected


def test_reshape_keeps_the_channels_last_order() -> None:
    flat = make_operator(_node("RESHAPE", shape=(1, 8)), {})(torch.arange(8.0).view(1, 2, 2, 2))
    assert flat.tolist() == [[0, 4, 1, 5, 2, 6, 3, 7]]


def test_pad_reaches_every_axis_but_the_batch() -> None:
    pads = {1: np.array([[0, 0], [1, 0], [0, 2], [0, 3]], np.int32)}
    assert make_operator(_node("PAD", inputs=(0, 1)), pads)(torch.ones(1, 1, 2, 2)).shape == (1, 4, 3, 4)
    pads = {1: np.array([[1, 0], [0, 0], [0, 0], [0, 0]], np.int32)}
    assert _code(lambda: make_operator(_node("PAD", inputs=(0, 1)), pads)) == "wrong_weights"


@pytest.mark.parametrize(
    "node",
    [
        _node("SOFTMAX"),
        _node("ADD", activation=TANH),
        _node("RESIZE_BILINEAR", inputs=(0, 1), align_corners=True, half_pixel_centers=False),
        _node("RESHAPE", shape=(1, 2, 2, 2)),
        _node("CONCATENATION", shape=(1, 2, 2, 2), axis=3, activation=0),
    ],
    ids=lambda node: node.operator,
)
def test_what_is_not_supported_is_refused_with_wrong_weights(node: Node) -> None:
    assert _code(lambda: make_operator(node, {})) == "wrong_weights"


def test_a_file_that_is_no_model_is_refused_with_wrong_weights(tmp_path: Path) -> None:
    file = tmp_path / "x.tflite"
    file.write_bytes(b"version https://git-lfs.github.com/spec/v1")
    assert _code(lambda: read_tflite(file)) == "wrong_weights"


def test_a_model_cut_short_is_refused_with_wrong_weights(tmp_path: Path) -> None:
    whole, file = find_weights(landmark_file("lite")).read_bytes(), tmp_path / "x.tflite"
    file.write_bytes(whole[: len(whole) // 2])
    assert _code(lambda: read_tflite(file)) == "wrong_weights"
