"""Exchanged sides and exchanged colour channels are noticed, and what does not tell is left undecided."""

from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image
from real_data import data_folder
from skimage import data

from posetwin.contracts import Filters, PersonResize
from posetwin.data.photos import PhotoReader
from posetwin.data.resize import fit_to_square, from_pixel_indices
from posetwin.data.verify import EXCHANGED, Verdict, channels_look_swapped, sides_look_swapped, summarise
from posetwin.keypoints.layouts import OPENPOSE18, coco17_to_openpose18
from posetwin.mini.world import sample_world

ANYBODY = Filters(people="any", min_keypoints=1, min_person=0, max_hash_distance=-1, num_verified=0)
READER = PhotoReader(128, PersonResize(kind="person"), ANYBODY)


def _skier() -> tuple[np.ndarray, np.ndarray]:
    annotation = json.loads((data_folder() / "skier.json").read_text())["annotations"][0]
    keypoints = coco17_to_openpose18(np.array(annotation["keypoints"]).reshape(17, 3))
    return np.array(Image.open(data_folder() / "skier.jpg").convert("RGB")), from_pixel_indices(keypoints)


def _exchanged(keypoints: np.ndarray) -> np.ndarray:
    return keypoints[list(EXCHANGED)]


def test_exchanging_gives_every_keypoint_the_name_of_the_other_side() -> None:
    def other(name: str) -> str:
        return name.replace("left", "?").replace("right", "left").replace("?", "right")

    assert [OPENPOSE18[index] for index in EXCHANGED] == [other(name) for name in OPENPOSE18]


@pytest.mark.parametrize("size", [None, 128, 64])
def test_exchanged_sides_of_a_photo_are_noticed(size: int | None) -> None:
    """As annotated by people, at full size and in a training square."""
    image, annotated = _skier()
    if size is not None:
        image, annotated = fit_to_square(image, annotated, size)
    (detected,) = READER.detect([image], "full")
    assert detected is not None
    assert sides_look_swapped(annotated, detected) is False
    assert sides_look_swapped(_exchanged(annotated), detected) is True


def test_exchanged_sides_of_drawn_figures_are_noticed() -> None:
    drawn = [sample_world(seed) for seed in range(60)]
    detected = READER.detect([one.image for one in drawn], "mini")
    straight = [sides_look_swapped(one.keypoints, found) for one, found in zip(drawn, detected, strict=True)]
    exchanged = [
        sides_look_swapped(_exchanged(one.keypoints), found) for one, found in zip(drawn, detected, strict=True)
    ]
    assert True not in straight and False not in exchanged
    assert straight.count(False) > 40 and exchanged.count(True) > 40


def _person(shift: float = 0.0) -> np.ndarray:
    """100 px tall, its left 40 px beside its right."""
    sides = {"right": -20.0, "left": 20.0}
    x = [100 + sides.get(name.split("_")[0], 0.0) + shift for name in OPENPOSE18]
    return np.column_stack([x, np.linspace(50, 150, 18), np.full(18, 2.0)])


def test_a_clear_case_is_decided() -> None:
    assert sides_look_swapped(_person(), _person(3)) is False
    assert sides_look_swapped(_exchanged(_person()), _person(3)) is True


def test_a_person_from_the_side_is_undecided() -> None:
    thin = _person()
    thin[:, 0] = 100
    thin[:, 1] = [_person()[min(i, EXCHANGED[i]), 1] for i in range(18)]
    assert sides_look_swapped(thin, thin) is None


def test_a_detector_that_looks_elsewhere_leaves_it_undecided() -> None:
    assert sides_look_swapped(_person(), _person(200)) is None


def test_too_few_common_keypoints_leave_it_undecided() -> None:
    few = _person()
    few[3:, 2] = 0
    assert sides_look_swapped(few, _person()) is None
    assert sides_look_swapped(_person(), few) is None
    assert sides_look_swapped(np.zeros((18, 3)), np.zeros((18, 3))) is None


def _bgr(image: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(image[..., ::-1])


@pytest.mark.parametrize("size", [None, 128, 64])
def test_exchanged_channels_of_a_photo_are_noticed(size: int | None) -> None:
    image, keypoints = _skier()
    if size is not None:
        image, keypoints = fit_to_square(image, keypoints, size)
    assert channels_look_swapped(image, keypoints) is False
    assert channels_look_swapped(_bgr(image), keypoints) is True


def test_exchanged_channels_of_a_portrait_are_noticed() -> None:
    image = data.astronaut()
    (keypoints,) = READER.detect([image], "full")
    assert keypoints is not None
    assert channels_look_swapped(image, keypoints) is False
    assert channels_look_swapped(_bgr(image), keypoints) is True


def test_exchanged_channels_of_drawn_figures_are_noticed() -> None:
    for seed in range(300):
        drawn = sample_world(seed)
        seen = drawn.keypoints.copy()
        seen[seen[:, 2] < 2, 2] = 0
        assert channels_look_swapped(drawn.image, seen) in (False, None)
        assert channels_look_swapped(_bgr(drawn.image), seen) in (True, None)


def test_grey_pictures_do_not_tell_the_order_of_their_channels() -> None:
    image, keypoints = _skier()
    assert channels_look_swapped(image[..., 1:2].repeat(3, -1), keypoints) is None


def test_a_person_without_a_face_does_not_tell_it_either() -> None:
    image, keypoints = _skier()
    keypoints[[0, 14, 15, 16, 17], 2] = 0
    assert channels_look_swapped(image, keypoints) is None
    assert channels_look_swapped(image, np.zeros((18, 3))) is None


def _verdicts(sides: list[bool | None], channels: list[bool | None]) -> list[Verdict]:
    return [Verdict(*pair) for pair in zip(sides, channels, strict=True)]


def test_a_source_is_warned_of_when_many_of_its_pictures_agree() -> None:
    (warning,) = summarise("COCO", _verdicts([True] * 29 + [False] * 3, [False] * 32))
    assert "29 of 32" in warning and "COCO" in warning
    assert len(summarise("x", _verdicts([True] * 8, [True] * 8))) == 2


def test_a_source_is_not_warned_of_for_single_pictures_or_without_verdicts() -> None:
    assert summarise("x", _verdicts([True, *[False] * 9], [True, True, *[False] * 8])) == []
    assert summarise("x", _verdicts([True, True, True, None, None], [None] * 5)) == []
    assert summarise("x", []) == []
