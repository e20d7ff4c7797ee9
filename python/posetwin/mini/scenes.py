"""Backgrounds of the mini world. Each painter varies horizon, props and tints with its generator."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from PIL import ImageDraw

from posetwin.mini.figure import Colour

Painter = Callable[[ImageDraw.ImageDraw, int, np.random.Generator], None]


def _tint(rng: np.random.Generator, colour: Colour, spread: int = 10) -> Colour:
    r, g, b = (int(np.clip(c + rng.integers(-spread, spread + 1), 0, 255)) for c in colour)
    return r, g, b


def _band(draw: ImageDraw.ImageDraw, side: int, top: float, bottom: float, colour: Colour) -> None:
    draw.rectangle([0, top * side, side, bottom * side], fill=colour)


def _disc(draw: ImageDraw.ImageDraw, side: int, x: float, y: float, radius: float, colour: Colour) -> None:
    draw.ellipse([(x - radius) * side, (y - radius) * side, (x + radius) * side, (y + radius) * side], fill=colour)


def _box(draw: ImageDraw.ImageDraw, side: int, x: float, y: float, w: float, h: float, colour: Colour) -> None:
    draw.rectangle([x * side, y * side, (x + w) * side, (y + h) * side], fill=colour)


def _beach(draw: ImageDraw.ImageDraw, side: int, rng: np.random.Generator) -> None:
    sea = rng.uniform(0.42, 0.52)
    sand = sea + rng.uniform(0.1, 0.17)
    _band(draw, side, 0, sea, _tint(rng, (130, 200, 245)))
    _disc(draw, side, rng.uniform(0.08, 0.92), rng.uniform(0.1, 0.2), 0.075, (255, 240, 140))
    _band(draw, side, sea, sand, _tint(rng, (30, 115, 190)))
    _band(draw, side, sand, 1, _tint(rng, (238, 214, 155)))


def _field(draw: ImageDraw.ImageDraw, side: int, rng: np.random.Generator) -> None:
    horizon = rng.uniform(0.55, 0.66)
    _band(draw, side, 0, horizon, _tint(rng, (165, 210, 250)))
    _disc(draw, side, rng.uniform(0.0, 1.0), horizon + 0.16, rng.uniform(0.26, 0.34), (95, 165, 85))
    x = rng.choice([rng.uniform(0.08, 0.2), rng.uniform(0.8, 0.92)])
    _box(draw, side, x - 0.018, horizon - 0.14, 0.036, 0.2, (100, 70, 45))
    _disc(draw, side, x, horizon - 0.2, 0.095, (35, 105, 45))
    _band(draw, side, horizon, 1, _tint(rng, (95, 180, 70)))


def _night_street(draw: ImageDraw.ImageDraw, side: int, rng: np.random.Generator) -> None:
    horizon = rng.uniform(0.62, 0.72)
    _band(draw, side, 0, horizon, _tint(rng, (22, 22, 62), 6))
    x = -rng.uniform(0, 0.12)
    while x < 1:
        width, top = rng.uniform(0.2, 0.3), rng.uniform(0.14, 0.36)
        _box(draw, side, x, top, width - 0.02, horizon - top, _tint(rng, (52, 52, 88), 8))
        for wx, wy in ((0.05, 0.06), (0.13, 0.06), (0.05, 0.2), (0.13, 0.2)):
            if rng.random() < 0.6:
                _box(draw, side, x + wx, top + wy, 0.04, 0.06, (250, 215, 110))
        x += width
    _band(draw, side, horizon, 1, _tint(rng, (66, 66, 76), 6))


def _snow(draw: ImageDraw.ImageDraw, side: int, rng: np.random.Generator) -> None:
    horizon = rng.uniform(0.55, 0.66)
    _band(draw, side, 0, horizon, _tint(rng, (185, 205, 228)))
    for x in (rng.uniform(0.02, 0.2), rng.uniform(0.8, 0.98)):
        height = rng.uniform(0.26, 0.36)
        corners = [(x - 0.1, horizon), (x, horizon - height), (x + 0.1, horizon)]
        draw.polygon([(px * side, py * side) for px, py in corners], fill=(60, 105, 90))
    _band(draw, side, horizon, 1, _tint(rng, (243, 246, 250), 4))


def _room(draw: ImageDraw.ImageDraw, side: int, rng: np.random.Generator) -> None:
    floor = rng.uniform(0.7, 0.79)
    _band(draw, side, 0, floor, _tint(rng, (222, 198, 172)))
    x = rng.choice([rng.uniform(0.04, 0.12), rng.uniform(0.68, 0.76)])
    _box(draw, side, x, 0.1, 0.22, 0.26, (250, 250, 245))
    _box(draw, side, x + 0.025, 0.125, 0.17, 0.21, (140, 195, 235))
    _band(draw, side, floor - 0.025, floor, (250, 245, 235))
    _band(draw, side, floor, 1, _tint(rng, (140, 92, 58)))


def _sunset(draw: ImageDraw.ImageDraw, side: int, rng: np.random.Generator) -> None:
    horizon = rng.uniform(0.6, 0.7)
    bands = ((110, 70, 125), (190, 85, 105), (240, 125, 80), (252, 170, 85))
    for i, colour in enumerate(bands):
        _band(draw, side, horizon * i / 4, horizon * (i + 1) / 4, _tint(rng, colour, 6))
    _disc(draw, side, rng.uniform(0.1, 0.9), horizon - 0.02, 0.12, (255, 225, 120))
    _band(draw, side, horizon, 1, _tint(rng, (75, 50, 75), 6))


SCENES: dict[str, tuple[str, Painter]] = {
    "beach": ("on the beach", _beach),
    "field": ("in a field", _field),
    "night_street": ("on a street at night", _night_street),
    "snow": ("in the snow", _snow),
    "room": ("in a room", _room),
    "sunset": ("at sunset", _sunset),
}


def paint_scene(draw: ImageDraw.ImageDraw, side: int, name: str, rng: np.random.Generator) -> None:
    """Paint the named scene over the whole canvas of `side` pixels."""
    SCENES[name][1](draw, side, rng)
