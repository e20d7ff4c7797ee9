"""Photos of every kind are read upright as RGB, cut around their person, or listed with the reason against them."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from real_data import data_folder

from posetwin.contracts import FactorResize, Filters, PersonResize, Resize
from posetwin.data.photos import (
    Photo,
    PhotoPerson,
    PhotoReader,
    Rejected,
    fit_to_square,
    list_photos,
    read_photo,
    read_photo_pixels,
)
from posetwin.data.picture_hash import picture_hash
from posetwin.data.resize import from_pixel_indices
from posetwin.errors import PosetwinError
from posetwin.keypoints.blazepose import BlazePoseDetector
from posetwin.keypoints.layouts import coco17_to_openpose18
from posetwin.mini.world import sample_world


@pytest.fixture(scope="module")
def detector() -> BlazePoseDetector:
    return BlazePoseDetector("full")


def skier_path() -> Path:
    return data_folder() / "skier.jpg"


def skier_image() -> np.ndarray:
    """(425, 640, 3) uint8 RGB."""
    return np.array(Image.open(skier_path()).convert("RGB"))


def skier_keypoints() -> np.ndarray:
    """(18, 3) px of the photo, as COCO's people annotated it."""
    annotation = json.loads((data_folder() / "skier.json").read_text())["annotations"][0]
    return from_pixel_indices(coco17_to_openpose18(np.array(annotation["keypoints"]).reshape(17, 3)))


def pck(detected: np.ndarray, target: np.ndarray, share: float = 0.2) -> float:
    """Share of joints within `share` of the torso (mid-shoulder to mid-hip)."""
    torso = np.linalg.norm(target[[2, 5], :2].mean(axis=0) - target[[8, 11], :2].mean(axis=0))
    return float((np.linalg.norm(detected[:, :2] - target[:, :2], axis=1) <= share * torso).mean())


def _code(make: Callable[[], object]) -> str:
    with pytest.raises(PosetwinError) as caught:
        make()
    return caught.value.code


def test_a_photo_that_is_not_there_is_missing_file(tmp_path: Path) -> None:
    assert _code(lambda: read_photo_pixels(tmp_path / "x.png")) == "missing_file"
    assert _code(lambda: list_photos(tmp_path / "x")) == "missing_file"


def test_photos_are_listed_in_the_order_of_their_paths(tmp_path: Path) -> None:
    for name in ("b.jpg", "a/z.PNG", "a.webp", "notes.txt", "c.jpg.part"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    assert [path.relative_to(tmp_path).as_posix() for path in list_photos(tmp_path)] == ["a.webp", "a/z.PNG", "b.jpg"]


def _marked(height: int, width: int, *points: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """A black picture with a white 9 × 9 spot centred on each keypoint."""
    image = np.zeros((height, width, 3), np.uint8)
    for x, y in points:
        image[y - 4 : y + 5, x - 4 : x + 5] = 255
    return image, np.array([(x + 0.5, y + 0.5, 2) for x, y in points])


def _centre_of_light(image: np.ndarray, x: float, y: float, reach: int) -> np.ndarray:
    left, top = max(0, int(x) - reach), max(0, int(y) - reach)
    patch = image[top : top + 2 * reach, left : left + 2 * reach, 0].astype(float)
    rows, columns = np.indices(patch.shape) + 0.5
    return np.array([(patch * columns).sum() / patch.sum() + left, (patch * rows).sum() / patch.sum() + top])


@pytest.mark.parametrize(
    ("height", "width", "points", "size"),
    [
        (400, 600, [(300, 120), (260, 220), (340, 330)], 128),  # room for the margin
        (300, 600, [(200, 10), (220, 150), (190, 290)], 64),  # the person is as tall as the photo
        (200, 600, [(20, 100), (300, 110), (580, 90)], 96),  # wider than the photo is tall: padded
        (600, 800, [(700, 500), (710, 520), (715, 560)], 256),  # far smaller than the square
    ],
)
def test_keypoints_move_along_with_the_picture(
    height: int, width: int, points: list[tuple[int, int]], size: int
) -> None:
    image, keypoints = _marked(height, width, *points)
    square, moved = fit_to_square(image, keypoints, size)
    assert square.shape == (size, size, 3) and square.dtype == np.uint8
    assert (moved[:, 2] == 2).all()
    scale = np.linalg.norm(moved[2, :2] - moved[0, :2]) / np.linalg.norm(keypoints[2, :2] - keypoints[0, :2])
    for x, y, _ in moved:
        reach = max(3, round(7 * scale))
        assert np.linalg.norm(_centre_of_light(square, x, y, reach) - (x, y)) < 0.75


def test_a_picture_is_never_stretched() -> None:
    image, keypoints = _marked(200, 600, (20, 100), (580, 100), (300, 60))
    _, moved = fit_to_square(image, keypoints, 96)
    before, after = (np.linalg.norm(p[0, :2] - p[1:, :2], axis=1) for p in (keypoints, moved))
    assert after / before == pytest.approx(np.full(2, after[0] / before[0]))


def test_the_margin_is_left_free_where_there_is_room() -> None:
    image, keypoints = _marked(1000, 1000, (500, 400), (500, 600))
    _, moved = fit_to_square(image, keypoints, 100, margin=0.25)
    assert moved[:, 1] == pytest.approx([100 / 6, 500 / 6], abs=0.5)


def test_a_small_person_is_not_magnified() -> None:
    image, keypoints = _marked(600, 800, (400, 300), (400, 320))
    _, moved = fit_to_square(image, keypoints, 256)
    assert moved[1, 1] - moved[0, 1] == pytest.approx(20)


def test_where_the_photo_ends_its_edge_is_repeated() -> None:
    image = np.full((20, 100, 3), 90, np.uint8)
    square, _ = fit_to_square(image, np.array([[2, 10, 2], [98, 10, 2.0]]), 50)
    assert (square == 90).all()


def test_points_outside_of_the_photo_or_of_the_square_lose_their_visibility() -> None:
    image = np.zeros((100, 300, 3), np.uint8)
    keypoints = np.array([[20, 10, 2], [20, 90, 2], [20, 130, 2], [-3, 50, 2], [290, 50, 2.0]])
    _, moved = fit_to_square(image, keypoints, 50, box=np.array([5, 5, 40, 95]))
    assert moved[:, 2].tolist() == [2, 2, 0, 0, 0]


def test_keypoints_that_are_all_outside_end_in_no_visible_keypoint() -> None:
    outside = np.array([[-5, -5, 2], [5, 5, 0.0]])
    assert _code(lambda: fit_to_square(np.zeros((10, 10, 3), np.uint8), outside, 8)) == "no_visible_keypoint"


ANYBODY = Filters(people="any", min_keypoints=1, min_person=0, max_hash_distance=-1, num_verified=0)
ONE = ANYBODY.model_copy(update={"people": "one"})
PERSON = PersonResize(kind="person")


def _reader(size: int = 128, filters: Filters = ANYBODY, resize: Resize = PERSON) -> PhotoReader:
    return PhotoReader(size, resize, filters)


def _bytes(image: np.ndarray, kind: str = "png") -> bytes:
    buffer = BytesIO()
    Image.fromarray(image).save(buffer, kind)
    return buffer.getvalue()


def _annotated(points: list[tuple[float, float]], **more: object) -> Photo:
    """A grey picture of 300 × 200 whose first keypoints are these, the others absent."""
    keypoints = np.zeros((18, 3))
    for index, point in enumerate(points):
        keypoints[index] = (*point, 2)
    return Photo("x.png", _bytes(np.full((200, 300, 3), 90, np.uint8)), "full", keypoints, **more)


def _skier_photo(**more: object) -> Photo:
    return Photo("skier.jpg", skier_path().read_bytes(), "full", **more)


def _one(reader: PhotoReader, photo: Photo) -> PhotoPerson:
    (answer,) = reader.read_people([photo])
    assert isinstance(answer, PhotoPerson), answer
    return answer


def _refusal(reader: PhotoReader, photo: Photo) -> str:
    (answer,) = reader.read_people([photo])
    assert isinstance(answer, Rejected)
    assert photo.name in answer.reason
    return answer.code


def _two_skiers() -> np.ndarray:
    """(425, 697, 3): the skier, and left of him he once more at 0.7 of the size."""
    image = skier_image()[:, 150:560]
    small = np.array(Image.fromarray(image).resize((287, 297)))
    return np.hstack([np.pad(small, ((0, 425 - 297), (0, 0), (0, 0)), "edge"), image])


# Where the larger of the two is, against the photo.
SHIFT = np.array([287 - 150, 0, 0])


def test_a_photo_becomes_a_square_with_its_person(detector: BlazePoseDetector) -> None:
    person = _one(_reader(), _skier_photo())
    assert person.image.shape == (128, 128, 3) and person.keypoints.shape == (18, 3)
    assert (person.keypoints[:, 2] == 2).all()
    assert ((person.keypoints[:, :2] >= 0) & (person.keypoints[:, :2] < 128)).all()
    # Found once more in the square, the person is where the keypoints say.
    again = detector.detect_keypoints(person.image)
    assert np.linalg.norm(again[:, :2] - person.keypoints[:, :2], axis=1).mean() < 4


def test_a_photo_that_is_read_by_its_path_gives_the_same(tmp_path: Path) -> None:
    alone, together = read_photo(skier_path(), 128, "full"), _one(_reader(), _skier_photo())
    assert (alone.image == together.image).all() and (alone.keypoints == together.keypoints).all()
    (tmp_path / "x.png").write_bytes(_bytes(np.full((100, 200, 3), 90, np.uint8)))
    (tmp_path / "y.jpg").write_bytes(b"nothing")
    assert _code(lambda: read_photo(tmp_path / "x.png", 64, "full")) == "no_person"
    assert _code(lambda: read_photo(tmp_path / "y.jpg", 64, "full")) == "bad_image"
    assert _code(lambda: read_photo(tmp_path / "z.jpg", 64, "full")) == "missing_file"


def test_a_very_large_photo_gives_the_same_square() -> None:
    large = np.array(Image.fromarray(skier_image()).resize((2560, 1700), Image.Resampling.BICUBIC))
    small_person = _one(_reader(), _skier_photo())
    large_person = _one(_reader(), Photo("large", _bytes(large, "jpeg"), "full"))
    assert np.abs(small_person.keypoints - large_person.keypoints).max() < 4


def test_photos_that_are_read_together_do_not_see_each_other() -> None:
    """One of each kind in one call, in any order, as each alone."""
    blank = np.full((100, 200, 3), 90, np.uint8)
    photos = [
        Photo("blank", _bytes(blank), "full"),
        _skier_photo(),
        Photo("broken", b"nothing", "full"),
        _annotated([(150, 100), (160, 120)]),
        Photo("figure", _bytes(sample_world(3).image), "mini"),
        Photo("two", _bytes(_two_skiers()), "full"),
        *[_skier_photo()] * 9,
    ]
    reader = _reader(64)
    together = reader.read_people(photos)
    assert [isinstance(answer, PhotoPerson) for answer in together] == [False, True, False, *[True] * 12]
    for photo, answer in zip(photos, together, strict=True):
        (alone,) = reader.read_people([photo])
        if isinstance(answer, PhotoPerson) and isinstance(alone, PhotoPerson):
            assert np.abs(answer.keypoints - alone.keypoints).max() < 0.05
            assert np.abs(answer.image.astype(int) - alone.image).mean() < 2
        else:
            assert answer == alone


def test_no_photos_give_no_answers() -> None:
    assert _reader().read_people([]) == [] and _reader().detect([], "mini") == []


def test_the_person_of_a_photo_is_where_it_was_annotated() -> None:
    """PCK@0.2 against the annotation of the photo, moved into the square by hand from where its person was cut."""
    found = _one(_reader(256), _skier_photo())
    annotated = _one(_reader(256), _skier_photo(keypoints=skier_keypoints()))
    assert pck(found.keypoints, annotated.keypoints) > 0.75


def test_annotated_keypoints_are_taken_instead_of_the_detectors() -> None:
    person = _one(_reader(50), _annotated([(100, 50), (150, 150)]))
    # Extent 100 and a margin of a fifth on each side: 140 px wide, of 300 × 200.
    assert person.keypoints[:2, :2] == pytest.approx(np.array([[45, 20], [95, 120]]) * 50 / 140, abs=0.3)
    assert person.keypoints[2:, 2].tolist() == [0] * 16


def test_covered_keypoints_stay_covered() -> None:
    photo = _annotated([(100, 50), (150, 150)])
    assert photo.keypoints is not None
    photo.keypoints[1, 2] = 1
    assert _one(_reader(50), photo).keypoints[:3, 2].tolist() == [2, 1, 0]


def test_a_photo_is_downsampled_by_a_factor_where_that_is_asked() -> None:
    resize = FactorResize(kind="factor", factor=4, rounding="floor", filter="area")
    person = _one(_reader(64, resize=resize), _annotated([(100, 60), (140, 120)]))
    # 75 × 50 px; the person's middle is at x = 30, so columns 0 to 63; 7 rows are repeated above.
    assert person.keypoints[:2, :2].tolist() == [[25, 22], [35, 37]]


def test_a_photo_without_a_person_is_left_out_with_no_person() -> None:
    blank = _bytes(np.full((100, 200, 3), 90, np.uint8))
    assert _refusal(_reader(), Photo("x.png", blank, "full")) == "no_person"
    assert _refusal(_reader(), Photo("x.png", blank, "mini")) == "no_person"


def test_a_photo_that_cannot_be_read_is_left_out_with_bad_image() -> None:
    assert _refusal(_reader(), Photo("x.jpg", b"nothing", "full")) == "bad_image"


def test_of_several_people_the_largest_is_taken() -> None:
    """Against where the photo lies in the picture of two."""
    found = _reader().detect([_two_skiers()], "full")[0]
    assert found is not None and pck(found, skier_keypoints() + SHIFT) > 0.75


def test_of_several_people_the_one_in_the_annotated_box_is_taken() -> None:
    """Both in a square that takes in all of the picture's height: he on the left is the smaller one."""
    two = _bytes(_two_skiers())
    left, right = np.array([0.0, 0, 287, 297]), np.array([287.0, 0, 697, 425])
    resize = FactorResize(kind="factor", factor=1, rounding="floor", filter="area")
    people = [
        _one(_reader(512, resize=resize), Photo("two", two, "full", box=box, num_people=2)) for box in (left, right)
    ]
    extents = [np.ptp(person.keypoints[:, :2], axis=0).max() for person in people]
    assert extents[0] / extents[1] == pytest.approx(0.7, abs=0.07)


def test_where_one_person_is_wanted_two_are_several_people() -> None:
    two = _bytes(_two_skiers())
    assert _refusal(_reader(filters=ONE), Photo("two", two, "full")) == "several_people"
    # The annotation knows better than the detector, whether or not it says where they are.
    assert _refusal(_reader(filters=ONE), _skier_photo(num_people=2)) == "several_people"
    assert _refusal(_reader(filters=ONE), _annotated([(100, 50), (150, 150)], num_people=3)) == "several_people"
    assert _one(_reader(filters=ONE), Photo("two", two, "full", num_people=1))
    assert _one(_reader(filters=ONE), _skier_photo())


def test_the_detector_counts_the_people_where_the_annotation_does_not() -> None:
    annotated = Photo("two", _bytes(_two_skiers()), "full", keypoints=skier_keypoints() + SHIFT)
    assert _refusal(_reader(filters=ONE), annotated) == "several_people"
    assert _one(_reader(filters=ONE), _skier_photo(keypoints=skier_keypoints()))
    assert _one(_reader(), annotated)


def test_too_few_keypoints_after_the_cut_are_too_few_keypoints() -> None:
    filters = ANYBODY.model_copy(update={"min_keypoints": 3})
    inside = [(100.0, 50.0), (150.0, 150.0), (120.0, 90.0)]
    assert _one(_reader(filters=filters), _annotated(inside))
    assert _refusal(_reader(filters=filters), _annotated(inside[:2])) == "too_few_keypoints"
    resize = FactorResize(kind="factor", factor=1, rounding="floor", filter="area")
    assert _refusal(_reader(64, filters, resize), _annotated(inside)) == "too_few_keypoints"


def test_a_person_below_the_wanted_share_of_the_side_is_person_too_small() -> None:
    """20 px of a square of 200 px, which is all there is of the photo."""
    small = _annotated([(100, 50), (110, 70)])
    filters = [ANYBODY.model_copy(update={"min_person": share}) for share in (0.09, 0.11)]
    assert _one(_reader(200, filters[0]), small)
    assert _refusal(_reader(200, filters[1]), small) == "person_too_small"


def test_annotated_keypoints_outside_of_the_photo_are_absent() -> None:
    outside = _annotated([(100, 50), (150, 150), (100_000, 20), (-3, 40)])
    assert _one(_reader(), outside).keypoints[:4, 2].tolist() == [2, 2, 0, 0]
    assert _refusal(_reader(), _annotated([(1e9, 50), (-2, 3)])) == "no_visible_keypoint"
    assert _refusal(_reader(), _annotated([])) == "no_visible_keypoint"


@pytest.mark.parametrize("number", [np.nan, np.inf, -np.inf])
def test_annotations_that_are_no_numbers_are_bad_keypoints(number: float) -> None:
    assert _refusal(_reader(), _annotated([(number, 50), (150, 150)])) == "bad_keypoints"
    assert _refusal(_reader(), _annotated([(100, 50)], box=np.array([0, 0, number, 9]))) == "bad_keypoints"


def test_keypoints_of_another_layout_are_bad_keypoints() -> None:
    photo = replace(_annotated([]), keypoints=np.ones((17, 3)))
    assert _refusal(_reader(), photo) == "bad_keypoints"


def test_absent_keypoints_may_be_anything() -> None:
    photo = _annotated([(100, 50), (150, 150)])
    assert photo.keypoints is not None
    photo.keypoints[5] = (np.nan, np.inf, 0)
    assert np.isfinite(_one(_reader(), photo).keypoints).all()


@pytest.mark.parametrize("size", [64, 96])
def test_drawn_figures_are_found_by_the_mini_net(size: int) -> None:
    """Against the keypoints that the world knows: within 3 % of the side on average."""
    drawn = [sample_world(seed, size=size) for seed in range(20)]
    found = _reader().detect([one.image for one in drawn], "mini")
    for one, keypoints in zip(drawn, found, strict=True):
        assert keypoints is not None
        seen = one.keypoints[:, 2] == 2
        errors = np.linalg.norm(keypoints[seen, :2] - one.keypoints[seen, :2], axis=1)
        assert np.median(errors) < 0.03 * size


def test_a_drawn_figure_in_a_wider_picture_is_found_where_it_is() -> None:
    one = sample_world(1)
    wide = np.pad(one.image, ((0, 0), (0, 32), (0, 0)), "edge")
    (keypoints,) = _reader().detect([wide], "mini")
    assert keypoints is not None
    seen = one.keypoints[:, 2] == 2
    assert np.median(np.linalg.norm(keypoints[seen, :2] - one.keypoints[seen, :2], axis=1)) < 6


def test_detecting_says_none_where_there_is_nobody() -> None:
    found = _reader().detect([np.full((60, 90, 3), 128, np.uint8), skier_image()], "full")
    assert found[0] is None and found[1] is not None
    assert pck(found[1], skier_keypoints()) > 0.75


def test_the_hash_is_of_the_whole_picture() -> None:
    person = _one(_reader(64), _skier_photo())
    assert person.picture_hash == picture_hash(skier_image())


def test_a_photo_that_is_described_brings_an_overview_of_all_of_it() -> None:
    described = _one(_reader(64), _skier_photo(keypoints=skier_keypoints(), is_described=True))
    assert described.overview is not None and described.overview.shape == (255, 384, 3)
    assert picture_hash(described.overview) == picture_hash(skier_image())
    assert _one(_reader(64), _skier_photo(keypoints=skier_keypoints())).overview is None


def test_a_box_that_ends_before_it_begins_is_bad_keypoints() -> None:
    assert _refusal(_reader(), _annotated([(100, 50)], box=np.array([50.0, 0, 40, 90]))) == "bad_keypoints"


def test_a_box_far_larger_than_the_photo_is_the_whole_photo() -> None:
    person = _one(_reader(50), _annotated([(100, 50), (150, 150)], box=np.array([-1e12, -1e12, 1e12, 1e12])))
    # 300 × 200: a square of 301 px, padded above and below.
    assert person.keypoints[:2, :2] == pytest.approx(np.array([[100, 100], [150, 200]]) / 6, abs=0.5)


NUMBERS = st.one_of(st.floats(-400, 700), st.floats(width=32), st.sampled_from([np.nan, np.inf, 1e300]))


@settings(max_examples=300, deadline=None)
@given(
    st.lists(st.tuples(NUMBERS, NUMBERS, st.sampled_from([0, 1, 2])), min_size=18, max_size=18),
    st.none() | st.lists(NUMBERS, min_size=4, max_size=4),
    st.sampled_from([PERSON, FactorResize(kind="factor", factor=4, rounding="floor", filter="bilinear")]),
    st.integers(1, 40),
    st.integers(1, 40),
)
def test_whatever_is_annotated_gives_a_square_or_a_reason(
    points: list[tuple[float, float, int]], box: list[float] | None, resize: Resize, height: int, width: int
) -> None:
    content = _bytes(np.full((height, width, 3), 90, np.uint8), "bmp")
    given_box = None if box is None else np.array(box)
    photo = Photo("x", content, "full", np.array(points, dtype=np.float64), given_box)
    (answer,) = _reader(16, resize=resize).read_people([photo])
    if isinstance(answer, Rejected):
        assert answer.code in {"bad_keypoints", "no_visible_keypoint"}
    else:
        assert answer.image.shape == (16, 16, 3) and np.isfinite(answer.keypoints).all()
        seen = answer.keypoints[answer.keypoints[:, 2] > 0, :2]
        assert len(seen) and ((seen >= 0) & (seen < 16)).all()


def test_annotated_photos_are_read_without_torch() -> None:
    """Whoever only reads annotations has no use for its memory."""
    code = "import sys, posetwin.data.photos; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
