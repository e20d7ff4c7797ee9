"""Whatever bytes come, they are decoded to upright RGB or refused with bad_image, and nothing else happens."""

from __future__ import annotations

import struct
import tracemalloc
import zlib
from collections.abc import Callable
from io import BytesIO

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from posetwin.data.decode import decode_pixels
from posetwin.errors import PosetwinError

ORIENTATION = 0x0112
RED, GREEN, BLUE, WHITE = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)


def _file(image: Image.Image, kind: str, **options: object) -> bytes:
    buffer = BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def _pixels(content: bytes) -> np.ndarray:
    pixels = decode_pixels(content, "x")
    assert pixels.dtype == np.uint8 and pixels.ndim == 3 and pixels.shape[2] == 3
    return pixels


def _code(make: Callable[[], object]) -> str:
    with pytest.raises(PosetwinError) as caught:
        make()
    return caught.value.code


def _halves(mode: str = "RGB") -> Image.Image:
    """40 × 20: red on the left, blue on the right."""
    image = Image.new("RGB", (40, 20), RED)
    image.paste(BLUE, (20, 0, 40, 20))
    return image.convert(mode)


def _near(pixel: np.ndarray, colour: tuple[int, ...], tolerance: int = 12) -> bool:
    return bool((np.abs(pixel.astype(int) - colour) <= tolerance).all())


@pytest.mark.parametrize(
    ("mode", "kind"),
    [("RGB", "jpeg"), ("RGB", "mpo"), ("P", "png"), ("P", "gif"), ("RGBA", "webp"), ("RGB", "bmp"), ("P", "bmp")]
    + [("RGBA", "png"), ("RGB", "tiff"), ("CMYK", "tiff"), ("YCbCr", "tiff"), ("RGB", "ppm"), ("P", "tiff")],
)
def test_every_format_and_colour_mode_comes_back_as_rgb(mode: str, kind: str) -> None:
    pixels = _pixels(_file(_halves(mode), kind, **({"lossless": True} if kind == "webp" else {})))
    assert pixels.shape == (20, 40, 3)
    assert _near(pixels[10, 3], RED) and _near(pixels[10, 36], BLUE)


def _without_adobe_marker(jpeg: bytes) -> bytes:
    """APP14 cut out: two bytes of marker, then its length."""
    start = jpeg.index(b"\xff\xee")
    assert jpeg[start + 4 : start + 9] == b"Adobe"
    (length,) = struct.unpack(">H", jpeg[start + 2 : start + 4])
    return jpeg[:start] + jpeg[start + 2 + length :]


def test_a_cmyk_jpeg_of_adobe_holds_inverted_inks() -> None:
    """Pillow writes them as Adobe does; full magenta and yellow ink is red."""
    inks = Image.new("CMYK", (16, 16), (0, 255, 255, 0))
    assert _near(_pixels(_file(inks, "jpeg", quality=95))[8, 8], RED)


def test_a_cmyk_jpeg_without_adobes_marker_holds_them_as_they_are() -> None:
    """The bytes of cyan without the marker: what was 255 − ink is ink."""
    cyan_inverted = Image.new("CMYK", (16, 16), (255, 0, 0, 255))
    stored = _without_adobe_marker(_file(cyan_inverted, "jpeg", quality=95))
    # 255 − (255, 0, 0, 255) = magenta and yellow ink.
    assert _near(_pixels(stored)[8, 8], RED)


@pytest.mark.parametrize("kind", ["png", "tiff"])
def test_sixteen_bit_greys_keep_their_range(kind: str) -> None:
    values = np.array([[0, 257 * 100, 65535]], np.uint16)
    assert _pixels(_file(Image.fromarray(values), kind))[0].tolist() == [[0] * 3, [100] * 3, [255] * 3]


def test_thirty_two_bit_integers_are_read_as_sixteen_bit_greys() -> None:
    values = np.array([[-5, 257 * 7, 70000]], np.int32)
    assert _pixels(_file(Image.fromarray(values), "tiff"))[0, :, 0].tolist() == [0, 7, 255]


def test_floating_point_pixels_are_bad_image_for_their_range_is_unknown() -> None:
    content = _file(Image.fromarray(np.ones((4, 4), np.float32)), "tiff")
    assert _code(lambda: decode_pixels(content, "x.tiff")) == "bad_image"


def test_one_bit_pictures_are_black_and_white() -> None:
    image = Image.new("1", (3, 1), 0)
    image.putpixel((1, 0), 1)
    for kind in ("png", "tiff", "bmp"):
        assert _pixels(_file(image, kind))[0].tolist() == [[0] * 3, [255] * 3, [0] * 3]


def _shades_of_black(mode: str) -> bytes:
    """Black of alpha 255, 0 and 51."""
    if mode == "P":
        image = Image.fromarray(np.array([[0, 1, 2]], np.uint8), "P")
        image.putpalette([0] * 9)
        return _file(image, "png", transparency=bytes([255, 0, 51]))
    alpha = np.array([[255, 0, 51]], np.uint8)
    image = Image.fromarray(np.dstack([np.zeros((1, 3), np.uint8), alpha]), "LA")
    return _file(image.convert(mode), "png")


@pytest.mark.parametrize("mode", ["LA", "RGBA", "P"])
def test_what_is_transparent_lies_on_white(mode: str) -> None:
    """0 · a + 255 · (1 − a) for a = 1, 0 and a fifth."""
    pixels = _pixels(_shades_of_black(mode))[0].astype(int)
    assert np.abs(pixels - [[0] * 3, [255] * 3, [204] * 3]).max() <= 1


@pytest.mark.parametrize("kind", ["png", "gif"])
def test_the_transparent_colour_of_a_palette_lies_on_white(kind: str) -> None:
    image = Image.new("P", (2, 1), 0)
    image.putpalette([*RED, *GREEN, *BLUE])
    image.putpixel((1, 0), 1)
    pixels = _pixels(_file(image, kind, transparency=0))
    assert pixels[0].tolist() == [list(WHITE), list(GREEN)]


def test_the_transparent_colour_of_an_rgb_png_lies_on_white() -> None:
    image = Image.new("RGB", (2, 1), RED)
    image.putpixel((1, 0), BLUE)
    assert _pixels(_file(image, "png", transparency=RED))[0].tolist() == [list(WHITE), list(BLUE)]


@pytest.mark.parametrize("kind", ["gif", "webp", "png", "tiff"])
def test_of_several_frames_the_first_is_read(kind: str) -> None:
    frames = [Image.new("RGB", (8, 8), colour) for colour in (GREEN, RED, BLUE)]
    options = {"lossless": True} if kind == "webp" else {}
    content = _file(frames[0], kind, save_all=True, append_images=frames[1:], **options)
    with Image.open(BytesIO(content)) as image:
        assert getattr(image, "n_frames", 1) == 3
    assert _near(_pixels(content)[4, 4], GREEN)


# What EXIF says of the stored rows and columns, as array operations that undo it.
_UNDO: dict[int, Callable[[np.ndarray], np.ndarray]] = {
    1: lambda a: a,
    2: lambda a: a[:, ::-1],
    3: lambda a: a[::-1, ::-1],
    4: lambda a: a[::-1],
    5: lambda a: a.swapaxes(0, 1),
    6: lambda a: a.swapaxes(0, 1)[:, ::-1],
    7: lambda a: a[::-1, ::-1].swapaxes(0, 1),
    8: lambda a: a.swapaxes(0, 1)[::-1],
}


@pytest.mark.parametrize("kind", ["png", "webp", "tiff", "jpeg"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_picture_is_turned_as_its_exif_says(orientation: int, kind: str) -> None:
    """EXIF 2.32: 2 mirrored, 3 upside down, 4 flipped, 5 transposed, 6 and 8 on their sides, 7 transversed."""
    stored = np.random.default_rng(0).integers(0, 256, (3, 5, 3)).astype(np.uint8).repeat(16, 0).repeat(16, 1)
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    options = {"webp": {"lossless": True, "exact": True}, "jpeg": {"quality": 100, "subsampling": 0}}.get(kind, {})
    pixels = _pixels(_file(Image.fromarray(stored), kind, exif=exif, **options))
    expected = _UNDO[orientation](stored)
    assert pixels.shape == expected.shape
    assert np.abs(pixels.astype(int) - expected).max() <= (6 if kind == "jpeg" else 0)


@pytest.mark.parametrize("value", [0, 9, 65535])
def test_an_orientation_that_does_not_exist_turns_nothing(value: int) -> None:
    exif = Image.Exif()
    exif[ORIENTATION] = value
    assert _pixels(_file(_halves(), "png", exif=exif)).shape == (20, 40, 3)


def test_a_broken_exif_block_leaves_the_picture_as_it_is_stored() -> None:
    exif = b"Exif\x00\x00MM\x00*\xff\xff\xff\xff" + b"\xff" * 40
    assert _pixels(_file(_halves(), "jpeg", exif=exif)).shape == (20, 40, 3)


@pytest.mark.parametrize("kind", ["jpeg", "png", "webp", "bmp", "gif", "tiff", "ppm"])
@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_a_file_that_is_cut_short_is_bad_image(kind: str, share: float) -> None:
    content = _file(Image.fromarray(np.random.default_rng(0).integers(0, 255, (64, 64, 3), np.uint8)), kind)
    assert _code(lambda: decode_pixels(content[: int(len(content) * share)], "x")) == "bad_image"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"not a picture",
        b"<!DOCTYPE html><html><body>403 Forbidden</body></html>",
        b"\x89PNG\r\n\x1a\n",
        b"\xff\xd8\xff\xe0",
        b"\xff\xd8\xff\xd9",
        b"GIF89a",
        b"RIFF\x00\x00\x00\x00WEBP",
        b"version https://git-lfs.github.com/spec/v1\n",
        b"\x00" * 4096,
    ],
)
def test_a_file_that_is_no_picture_is_bad_image(content: bytes) -> None:
    assert _code(lambda: decode_pixels(content, "x.jpg")) == "bad_image"


def test_formats_that_pillow_hands_to_other_programs_are_refused() -> None:
    assert _code(lambda: decode_pixels(_file(_halves(), "eps"), "x.jpg")) == "bad_image"


def _png_header(width: int, height: int) -> bytes:
    """A PNG that claims a size; its pixels are missing."""
    body = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + body + struct.pack(">I", zlib.crc32(body))


@pytest.mark.parametrize("side", [9_500, 20_000, 2**31 - 1])
def test_too_many_pixels_are_refused_before_they_are_unpacked(side: int) -> None:
    """9,500² is above Pillow's 89 million, 20,000² above twice that; neither has the memory taken for it."""
    tracemalloc.start()
    assert _code(lambda: decode_pixels(_png_header(side, side), "x.png")) == "bad_image"
    assert tracemalloc.get_traced_memory()[1] < 10_000_000
    tracemalloc.stop()


@pytest.mark.parametrize("size", [(65_536, 1), (1, 1_000_000)])
def test_a_line_of_pixels_that_is_too_long_is_bad_image(size: tuple[int, int]) -> None:
    content = _file(Image.new("1", size), "png")
    assert _code(lambda: decode_pixels(content, "x.png")) == "bad_image"
    assert _pixels(_file(Image.new("1", (65_535, 1)), "png")).shape == (1, 65_535, 3)


def test_a_picture_of_one_pixel_is_a_picture() -> None:
    assert _pixels(_file(Image.new("RGB", (1, 1), RED), "png")).tolist() == [[list(RED)]]


def _read_or_refused(content: bytes) -> None:
    try:
        _pixels(content)
    except PosetwinError as error:
        assert error.code == "bad_image"


MARKS = [b"", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", b"GIF89a", b"BM", b"II*\x00", b"MM\x00*"]
MARKS += [b"RIFF\x24\x00\x00\x00WEBPVP8 ", b"P6 ", b"\x00\x00\x00\x0cjP  \r\n\x87\n", b"\x00\x00\x00\x1cftypavif"]


@settings(max_examples=400, deadline=None)
@given(st.sampled_from(MARKS), st.binary(max_size=300))
def test_random_bytes_are_read_or_refused_and_nothing_else(mark: bytes, rest: bytes) -> None:
    _read_or_refused(mark + rest)


WHOLE = {kind: _file(_halves(), kind) for kind in ("jpeg", "png", "webp", "tiff", "gif", "bmp", "ppm")}


@settings(max_examples=400, deadline=None)
@given(
    st.sampled_from(sorted(WHOLE)),
    st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.binary(min_size=1, max_size=4)), max_size=5),
)
def test_damaged_files_are_read_or_refused_and_nothing_else(kind: str, damages: list[tuple[float, bytes]]) -> None:
    content = bytearray(WHOLE[kind])
    for where, what in damages:
        start = int(where * len(content))
        content[start : start + len(what)] = what
    _read_or_refused(bytes(content))
