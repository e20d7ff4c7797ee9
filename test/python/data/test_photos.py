"""Photos of every kind are read upright as RGB, cut around their person, or listed with the reason against them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from real_data import data_folder

from posetwin.data.photos import (
    PhotoPerson,
    Rejected,
    fit_to_square,
    list_photos,
    read_person,
    read_photo,
    read_photo_pixels,
)
from posetwin.errors import PosetwinError
from posetwin.keypoints.blazepose import BlazePoseDetector

ORIENTATION = 0x0112
RED, GREEN, BLUE, WHITE = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)


@pytest.fixture(scope="module")
def detector() -> BlazePoseDetector:
    return BlazePoseDetector("full")


def _skier() -> Path:
    return data_folder() / "skier.jpg"


def _halves(mode: str = "RGB") -> Image.Image:
    """40 × 20: red on the left, blue on the right."""
    image = Image.new("RGB", (40, 20), RED)
    image.paste(BLUE, (20, 0, 40, 20))
    return image.convert(mode)


def _code(make: Callable[[], object]) -> str:
    with pytest.raises(PosetwinError) as caught:
        make()
    return caught.value.code


def _near(pixel: np.ndarray, colour: tuple[int, int, int], tolerance: int = 12) -> bool:
    return bool((np.abs(pixel.astype(int) - colour) <= tolerance).all())


def test_a_photo_is_turned_as_its_exif_says(tmp_path: Path) -> None:
    """EXIF orientation 6: the stored left column is the top row of what the camera saw."""
    exif = Image.Exif()
    exif[ORIENTATION] = 6
    _halves().save(tmp_path / "x.jpg", exif=exif, quality=95, subsampling=0)
    pixels = read_photo_pixels(tmp_path / "x.jpg")
    assert pixels.shape == (40, 20, 3)
    assert _near(pixels[2, 10], RED) and _near(pixels[37, 10], BLUE)


@pytest.mark.parametrize(
    ("mode", "ending"), [("CMYK", "jpg"), ("P", "png"), ("RGBA", "webp"), ("RGB", "bmp"), ("P", "bmp"), ("RGBA", "png")]
)
def test_every_colour_mode_comes_back_as_rgb(tmp_path: Path, mode: str, ending: str) -> None:
    file = tmp_path / f"x.{ending}"
    _halves(mode).save(file, **({"lossless": True} if ending == "webp" else {}))
    pixels = read_photo_pixels(file)
    assert pixels.shape == (20, 40, 3) and pixels.dtype == np.uint8
    assert _near(pixels[10, 3], RED) and _near(pixels[10, 36], BLUE)


def test_sixteen_bit_greys_keep_their_range(tmp_path: Path) -> None:
    values = np.array([[0, 257 * 100, 65535]], np.uint16)
    Image.fromarray(values).save(tmp_path / "x.png")
    assert read_photo_pixels(tmp_path / "x.png")[0, :, 0].tolist() == [0, 100, 255]


def test_one_bit_and_grey_alpha_are_read(tmp_path: Path) -> None:
    Image.new("1", (4, 4), 1).save(tmp_path / "one.png")
    Image.new("LA", (4, 4), (0, 0)).save(tmp_path / "clear.png")
    assert (read_photo_pixels(tmp_path / "one.png") == 255).all()
    assert (read_photo_pixels(tmp_path / "clear.png") == 255).all()


def test_what_is_transparent_lies_on_white(tmp_path: Path) -> None:
    image = Image.new("RGBA", (2, 1), (*RED, 255))
    image.putpixel((1, 0), (*RED, 0))
    image.save(tmp_path / "x.png")
    assert [tuple(pixel) for pixel in read_photo_pixels(tmp_path / "x.png")[0].tolist()] == [RED, WHITE]


def test_of_an_animation_the_first_frame_is_read(tmp_path: Path) -> None:
    frames = [Image.new("RGB", (8, 8), colour) for colour in (GREEN, RED)]
    frames[0].save(tmp_path / "x.webp", save_all=True, append_images=frames[1:], lossless=True)
    assert _near(read_photo_pixels(tmp_path / "x.webp")[4, 4], GREEN)


def test_a_file_that_is_cut_short_is_bad_image(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (64, 64, 3), np.uint8)
    for ending in ("jpg", "png", "webp", "bmp"):
        file = tmp_path / f"x.{ending}"
        Image.fromarray(noise).save(file)
        file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
        assert _code(lambda file=file: read_photo_pixels(file)) == "bad_image"


@pytest.mark.parametrize("content", [b"", b"not a picture", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff\xe0", b"GIF89a"])
def test_a_file_that_is_no_picture_is_bad_image(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "x.png"
    file.write_bytes(content)
    assert _code(lambda: read_photo_pixels(file)) == "bad_image"


@pytest.mark.filterwarnings("ignore::UserWarning")  # Pillow warns of what it can skip
def test_a_damaged_photo_is_read_or_refused_but_nothing_else(tmp_path: Path) -> None:
    """200 files with bytes changed at random: the only error there is has the code bad_image."""
    random = np.random.default_rng(0)
    file = tmp_path / "x"
    for ending in ("jpg", "png", "webp", "tiff"):
        _halves().save(file, format={"jpg": "jpeg"}.get(ending, ending))
        whole = np.frombuffer(file.read_bytes(), np.uint8)
        for _ in range(50):
            damaged = whole.copy()
            damaged[random.integers(0, len(whole), 4)] = random.integers(0, 256, 4)
            file.write_bytes(damaged.tobytes())
            try:
                assert read_photo_pixels(file).dtype == np.uint8
            except PosetwinError as error:
                assert error.code == "bad_image"


def test_a_picture_of_too_many_pixels_is_bad_image_before_it_is_unpacked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1000)
    for name, size in (("warned", (40, 40)), ("refused", (60, 60))):
        Image.new("1", size).save(tmp_path / f"{name}.png")
        assert _code(lambda name=name: read_photo_pixels(tmp_path / f"{name}.png")) == "bad_image"


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


def test_a_photo_becomes_a_square_with_its_person(detector: BlazePoseDetector) -> None:
    person = read_person(_skier(), detector, 128)
    assert isinstance(person, PhotoPerson)
    assert person.image.shape == (128, 128, 3) and person.keypoints.shape == (18, 3)
    assert (person.keypoints[:, 2] == 2).all()
    assert ((person.keypoints[:, :2] >= 0) & (person.keypoints[:, :2] < 128)).all()
    # Found once more in the square, the person is where the keypoints say.
    again = detector.detect_keypoints(person.image)
    assert np.linalg.norm(again[:, :2] - person.keypoints[:, :2], axis=1).mean() < 4


def test_a_very_large_photo_gives_the_same_square(detector: BlazePoseDetector, tmp_path: Path) -> None:
    with Image.open(_skier()) as image:
        image.resize((2560, 1700), Image.Resampling.BICUBIC).save(tmp_path / "large.jpg")
    small, large = read_person(_skier(), detector, 128), read_person(tmp_path / "large.jpg", detector, 128)
    assert isinstance(small, PhotoPerson) and isinstance(large, PhotoPerson)
    assert np.abs(small.keypoints - large.keypoints).max() < 4


def test_a_photo_without_a_person_is_listed_with_no_person(detector: BlazePoseDetector, tmp_path: Path) -> None:
    _halves().resize((200, 100)).save(tmp_path / "x.png")
    rejected = read_person(tmp_path / "x.png", detector, 64)
    assert isinstance(rejected, Rejected)
    assert rejected.code == "no_person" and "x.png" in rejected.reason
    assert _code(lambda: read_photo(tmp_path / "x.png", 64, "full")) == "no_person"


def test_a_photo_that_cannot_be_read_is_listed_with_bad_image(detector: BlazePoseDetector, tmp_path: Path) -> None:
    (tmp_path / "x.jpg").write_bytes(b"nothing")
    rejected = read_person(tmp_path / "x.jpg", detector, 64)
    assert isinstance(rejected, Rejected) and rejected.code == "bad_image"
