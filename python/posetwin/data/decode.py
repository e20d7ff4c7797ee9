"""The bytes of a picture, in whatever form they come, as upright RGB pixels; or the reason why they are none."""

from __future__ import annotations

import warnings
from functools import cache
from io import BytesIO

import numpy as np
from PIL import Image, ImageChops, UnidentifiedImageError

from posetwin.errors import PosetwinError

# Pillow opens more, among it formats that it hands to other programs (EPS) or knows by no mark (TGA).
_FORMATS = ("JPEG", "MPO", "PNG", "WEBP", "GIF", "BMP", "DIB", "TIFF", "PPM", "JPEG2000", "AVIF")
# As JPEG has it. Lines of millions of pixels pass for few pixels in all and take decoders minutes.
LONGEST_SIDE = 65_535
_ORIENTATION = 0x0112
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_BOMBS = (Image.DecompressionBombError, Image.DecompressionBombWarning)


@cache
def _formats() -> tuple[str, ...]:
    """Those that this build of Pillow has."""
    Image.init()
    return tuple(name for name in _FORMATS if name in Image.OPEN)


def _has_alpha(image: Image.Image) -> bool:
    return "A" in image.getbands() or "transparency" in image.info


def _orientation(image: Image.Image) -> int:
    """1 to 8 as EXIF tells; a block that cannot be read tells nothing."""
    try:
        return int(image.getexif().get(_ORIENTATION, 1))
    except MemoryError:
        raise
    except Exception:
        return 1


def _upright(image: Image.Image) -> Image.Image:
    # Some files carry EXIF behind the pixels; and Pillow turns a TIFF by itself, which then says so no longer.
    image.load()
    turn = _TURNS.get(_orientation(image))
    return image if turn is None else image.transpose(turn)


def _grey_of_integers(image: Image.Image) -> np.ndarray:
    # Pillow's own conversion cuts 16-bit values off at 255.
    grey = (np.asarray(image, dtype=np.float64) / 257).round().clip(0, 255).astype(np.uint8)
    return np.repeat(grey[..., None], 3, axis=-1)


def _to_rgb(image: Image.Image, is_plain_cmyk: bool) -> np.ndarray:
    if image.mode == "F":
        raise ValueError("pixels are floating point numbers of unknown range")
    if image.mode.startswith("I"):
        return _grey_of_integers(image)
    if is_plain_cmyk:
        image = ImageChops.invert(image)
    if _has_alpha(image):
        picture = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", picture.size, "white"), picture)
    return np.array(image if image.mode == "RGB" else image.convert("RGB"))


def _decode(content: bytes) -> np.ndarray:
    with Image.open(BytesIO(content), formats=_formats()) as image:
        if max(image.size) > LONGEST_SIDE:
            raise ValueError(f"it is {image.width} × {image.height} px, longer than {LONGEST_SIDE}")
        # Pillow takes every CMYK JPEG to be inverted, which only those are that Adobe's marker tells of.
        is_plain_cmyk = image.format == "JPEG" and image.mode == "CMYK" and "adobe" not in image.info
        return _to_rgb(_upright(image), is_plain_cmyk)


def decode_pixels(content: bytes, name: str) -> np.ndarray:
    """(H, W, 3) uint8 RGB, upright: turned as EXIF says, on white where transparent, the first frame of several.

    content: a JPEG, PNG, WebP, GIF, BMP, TIFF, PPM, JPEG 2000 or AVIF file; too many pixels are refused before they
    are unpacked. name: what messages call it. Raises PosetwinError: bad_image.
    """
    if not content:
        raise PosetwinError("bad_image", f"{name} is empty")
    try:
        with warnings.catch_warnings():
            # Of what Pillow warns of it goes on; only a bomb is none of that.
            warnings.simplefilter("ignore")
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            return _decode(content)
    except MemoryError:
        raise
    except UnidentifiedImageError as error:
        # Pillow's own words hold an address in memory.
        raise PosetwinError("bad_image", f"{name} is no picture of a known format") from error
    except _BOMBS as error:
        raise PosetwinError("bad_image", f"{name} has too many pixels: {error}", "scale it down") from error
    # A damaged file reaches every line of every decoder; what they raise there is no closed list.
    except Exception as error:
        raise PosetwinError("bad_image", f"{name} cannot be read as a picture: {error}") from error
