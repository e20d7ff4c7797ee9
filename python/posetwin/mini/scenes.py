"""Backgrounds of the mini world. Each painter varies horizon, props and tints with its generator.

Large calm areas where figures stand, structure around them: what the scene's drift is measured on.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from posetwin.mini.canvas import Canvas, Colour

Painter = Callable[[Canvas, np.random.Generator], None]

# Outlines of the figure are drawn towards this colour: dark by day, moonlight by night.
DAY_RIM: Colour = (30, 24, 34)
NIGHT_RIM: Colour = (196, 206, 236)


def _tint(rng: np.random.Generator, colour: Colour, spread: int = 10) -> Colour:
    r, g, b = (min(max(c + int(d), 0), 255) for c, d in zip(colour, rng.integers(-spread, spread + 1, 3), strict=True))
    return r, g, b


def _side(rng: np.random.Generator, low: float, high: float) -> float:
    """A place near the left or the right edge, `low` to `high` away from it."""
    x = rng.uniform(low, high)
    return float(x if rng.random() < 0.5 else 1 - x)


def _cloud(canvas: Canvas, rng: np.random.Generator, colour: Colour) -> None:
    x, y, r = rng.uniform(0, 1), rng.uniform(0.06, 0.26), rng.uniform(0.035, 0.06)
    for dx, dy, share in ((-1.2, 0.25, 0.75), (0, 0, 1), (1.2, 0.2, 0.8)):
        canvas.disc(x + dx * r, y + dy * r, r * share, colour)


def _hill(canvas: Canvas, rng: np.random.Generator, base: float, colour: Colour) -> None:
    x, height, width = rng.uniform(0, 1), rng.uniform(0.12, 0.24), rng.uniform(0.3, 0.5)
    canvas.polygon([(x - width, base), (x, base - height), (x + width, base)], colour)


def _fir(canvas: Canvas, x: float, base: float, height: float, colour: Colour) -> None:
    canvas.box(x - 0.014, base - 0.12 * height, 0.028, 0.12 * height, (92, 66, 46))
    for share, width in ((0.1, 0.34), (0.36, 0.26), (0.62, 0.18)):
        low = base - share * height
        canvas.polygon([(x - width * height, low), (x, low - 0.42 * height), (x + width * height, low)], colour)


def _beach(canvas: Canvas, rng: np.random.Generator) -> None:
    sea, sand = rng.uniform(0.4, 0.5), rng.uniform(0.58, 0.68)
    canvas.gradient(0, sea, _tint(rng, (116, 190, 244)), _tint(rng, (196, 228, 250)))
    canvas.disc(rng.uniform(0.08, 0.92), rng.uniform(0.1, 0.2), 0.07, (255, 240, 150))
    canvas.gradient(sea, sand, _tint(rng, (26, 108, 186)), _tint(rng, (70, 168, 214)))
    canvas.gradient(sand, 1, _tint(rng, (246, 226, 172), 6), _tint(rng, (226, 196, 136), 6))
    if rng.random() < 0.6:
        _palm(canvas, _side(rng, 0.06, 0.16), sand + rng.uniform(0.02, 0.14))
    if rng.random() < 0.5:
        _parasol(canvas, rng, _side(rng, 0.1, 0.2), sand + 0.1)
    else:
        x = rng.uniform(0.1, 0.9)
        canvas.polygon([(x - 0.07, sea), (x, sea - 0.16), (x, sea)], (250, 250, 250))
        canvas.box(x - 0.07, sea, 0.13, 0.03, (150, 70, 50))


def _palm(canvas: Canvas, x: float, base: float) -> None:
    lean = 0.05 if x < 0.5 else -0.05
    top = base - 0.46
    trunk = [(x - 0.022, base), (x + lean - 0.014, top), (x + lean + 0.014, top), (x + 0.022, base)]
    canvas.polygon(trunk, (140, 98, 60))
    for dx, dy in ((-0.16, 0.06), (-0.12, -0.05), (0.02, -0.1), (0.13, -0.04), (0.16, 0.07)):
        tip = (x + lean + dx, top + dy)
        canvas.polygon([(x + lean - 0.03, top - 0.02), tip, (x + lean + 0.03, top + 0.03)], (46, 132, 66))


def _parasol(canvas: Canvas, rng: np.random.Generator, x: float, base: float) -> None:
    colour = ((226, 70, 60), (70, 120, 220), (250, 190, 40))[rng.integers(3)]
    low, high = base - 0.22, base - 0.32
    canvas.box(x - 0.009, base - 0.3, 0.018, 0.3, (240, 240, 235))
    canvas.polygon([(x - 0.15, low), (x - 0.08, high), (x + 0.08, high), (x + 0.15, low)], colour)
    canvas.polygon([(x - 0.04, low), (x, high), (x + 0.04, low)], (250, 246, 236))


def _forest(canvas: Canvas, rng: np.random.Generator) -> None:
    floor = rng.uniform(0.62, 0.7)
    canvas.gradient(0, floor, _tint(rng, (150, 196, 150)), _tint(rng, (206, 226, 176)))
    for x in np.arange(rng.uniform(0, 0.14), 1.05, 0.17):
        width, tint = rng.uniform(0.02, 0.03), _tint(rng, (146, 166, 126), 8)
        canvas.box(x - width / 2, 0, width, floor, tint)
    canvas.gradient(floor, 1, _tint(rng, (128, 168, 84)), _tint(rng, (96, 136, 66)))
    for x in (rng.uniform(0.0, 0.14), rng.uniform(0.86, 1.0)):
        width = rng.uniform(0.07, 0.1)
        canvas.box(x - width / 2, 0, width, floor + rng.uniform(0.03, 0.09), _tint(rng, (112, 78, 52), 8))
    for x in np.arange(rng.uniform(-0.1, 0.05), 1.1, 0.22):
        canvas.disc(x, rng.uniform(-0.05, 0.03), rng.uniform(0.12, 0.17), _tint(rng, (58, 122, 62), 12))


def _street(canvas: Canvas, rng: np.random.Generator) -> None:
    pavement = rng.uniform(0.66, 0.73)
    canvas.gradient(0, pavement, _tint(rng, (156, 198, 236)), _tint(rng, (214, 228, 240)))
    walls = ((204, 128, 104), (222, 186, 130), (176, 190, 200), (228, 214, 190))
    _houses(canvas, rng, pavement, walls, (112, 136, 168), 1.0)
    canvas.box(0, pavement, 1, 1 - pavement, _tint(rng, (190, 188, 184), 6))
    canvas.box(0, pavement, 1, 0.018, (150, 148, 146))
    kerb = rng.uniform(0.9, 0.95)
    canvas.box(0, kerb, 1, 1 - kerb, (108, 108, 116))
    if rng.random() < 0.6:
        x = _side(rng, 0.05, 0.14)
        canvas.box(x - 0.012, 0.24, 0.024, pavement - 0.2, (64, 70, 78))
        canvas.disc(x, 0.23, 0.04, (250, 240, 190))


def _houses(
    canvas: Canvas, rng: np.random.Generator, base: float, walls: tuple[Colour, ...], glass: Colour, lit: float
) -> None:
    x = -rng.uniform(0, 0.16)
    while x < 1:
        width, top = rng.uniform(0.22, 0.34), rng.uniform(0.1, 0.34)
        canvas.box(x, top, width - 0.012, base - top, _tint(rng, walls[rng.integers(len(walls))], 8))
        for wy in np.arange(top + 0.05, base - 0.12, 0.17):
            for wx in (x + 0.2 * width, x + 0.62 * width):
                if rng.random() < lit:
                    canvas.box(wx, wy, 0.22 * width, 0.09, glass)
        x += width


def _room(canvas: Canvas, rng: np.random.Generator) -> None:
    floor = rng.uniform(0.68, 0.76)
    wall = ((228, 208, 184), (196, 214, 206), (214, 204, 226), (238, 224, 180))[rng.integers(4)]
    canvas.gradient(0, floor, _tint(rng, wall, 6), _tint(rng, wall, 6))
    x = _side(rng, 0.17, 0.22)
    canvas.box(x - 0.12, 0.1, 0.24, 0.3, (250, 250, 246))
    canvas.box(x - 0.1, 0.12, 0.2, 0.26, _tint(rng, (150, 200, 238)))
    canvas.box(x - 0.008, 0.12, 0.016, 0.26, (250, 250, 246))
    canvas.box(0, floor - 0.03, 1, 0.03, (248, 244, 236))
    canvas.gradient(floor, 1, _tint(rng, (176, 124, 82)), _tint(rng, (142, 96, 60)))
    if rng.random() < 0.6:
        _plant(canvas, 1 - x, floor + 0.06)
    else:
        canvas.box(1 - x - 0.1, 0.14, 0.2, 0.16, (110, 80, 56))
        canvas.box(1 - x - 0.08, 0.16, 0.16, 0.12, _tint(rng, (214, 150, 110), 40))


def _plant(canvas: Canvas, x: float, base: float) -> None:
    for dx, dy in ((-0.09, -0.26), (0.0, -0.32), (0.09, -0.25), (-0.05, -0.32), (0.06, -0.31)):
        canvas.polygon([(x - 0.03, base - 0.1), (x + dx, base + dy), (x + 0.03, base - 0.1)], (58, 138, 80))
    rim = base - 0.12
    canvas.polygon([(x - 0.06, rim), (x + 0.06, rim), (x + 0.045, base), (x - 0.045, base)], (188, 96, 62))


def _stadium(canvas: Canvas, rng: np.random.Generator) -> None:
    pitch = rng.uniform(0.56, 0.64)
    canvas.gradient(0, 0.2, _tint(rng, (120, 176, 230)), _tint(rng, (176, 210, 240)))
    top = rng.uniform(0.14, 0.22)
    canvas.box(0, top, 1, pitch - top, _tint(rng, (128, 130, 146), 8))
    crowd = ((226, 80, 70), (240, 200, 80), (240, 240, 240), (80, 120, 210), (60, 60, 70))
    for row in np.arange(top + 0.06, pitch - 0.13, 0.11):
        for column in np.arange(rng.uniform(0, 0.1), 1.02, 0.1):
            canvas.disc(column, row, 0.026, crowd[rng.integers(5)])
    canvas.box(0, pitch - 0.085, 1, 0.085, (244, 244, 244))
    x = -rng.uniform(0, 0.3)
    while x < 1:
        canvas.box(x, pitch - 0.075, 0.26, 0.065, crowd[rng.integers(4)])
        x += 0.3
    canvas.box(0, pitch, 1, 1 - pitch, _tint(rng, (92, 172, 76), 6))
    for y in np.arange(pitch, 1, 0.18):
        canvas.box(0, y, 1, 0.09, (108, 188, 88))
    canvas.box(0, rng.uniform(0.88, 0.94), 1, 0.018, (240, 246, 236))


def _night(canvas: Canvas, rng: np.random.Generator) -> None:
    ground = rng.uniform(0.66, 0.73)
    canvas.gradient(0, ground, _tint(rng, (18, 22, 62), 6), _tint(rng, (48, 54, 108), 6))
    for x, y in rng.uniform(0, 1, (9, 2)):
        canvas.disc(x, 0.34 * y, 0.008, (230, 232, 246))
    x = rng.uniform(0.1, 0.9)
    canvas.disc(x, 0.13, 0.065, (244, 240, 206))
    canvas.disc(x + 0.03, 0.115, 0.055, (26, 30, 72))
    _houses(canvas, rng, ground, ((30, 32, 66), (36, 34, 58), (26, 36, 70)), (250, 208, 100), 0.5)
    canvas.gradient(ground, 1, _tint(rng, (62, 64, 92), 6), _tint(rng, (48, 50, 76), 6))


def _snow(canvas: Canvas, rng: np.random.Generator) -> None:
    ground = rng.uniform(0.58, 0.68)
    canvas.gradient(0, ground, _tint(rng, (158, 186, 220)), _tint(rng, (214, 226, 240)))
    for _ in range(2):
        x, height, width = rng.uniform(0, 1), rng.uniform(0.24, 0.38), rng.uniform(0.26, 0.4)
        peak, snowline, share = ground - height, ground - 0.7 * height, 0.3 * width
        canvas.polygon([(x - width, ground), (x, peak), (x + width, ground)], _tint(rng, (128, 148, 184), 8))
        canvas.polygon([(x - share, snowline), (x, peak), (x + share, snowline)], (244, 248, 252))
    canvas.gradient(ground, 1, _tint(rng, (246, 250, 254), 3), _tint(rng, (220, 232, 246), 4))
    for x in (rng.uniform(0.02, 0.16), rng.uniform(0.84, 0.98)):
        _fir(canvas, x, ground + rng.uniform(0.02, 0.1), rng.uniform(0.32, 0.46), _tint(rng, (46, 104, 88), 8))
    for x, y in rng.uniform(0, 1, (12, 2)):
        canvas.disc(x, 0.6 * y, 0.011, (252, 252, 255))


def _desert(canvas: Canvas, rng: np.random.Generator) -> None:
    ground = rng.uniform(0.6, 0.68)
    canvas.gradient(0, ground, _tint(rng, (238, 120, 74), 8), _tint(rng, (252, 206, 128), 8))
    canvas.disc(rng.uniform(0.1, 0.9), ground - rng.uniform(0.06, 0.24), 0.1, (255, 236, 150))
    for _ in range(2):
        _hill(canvas, rng, ground, _tint(rng, (186, 92, 66), 8))
    canvas.gradient(ground, 1, _tint(rng, (234, 176, 112), 6), _tint(rng, (206, 140, 84), 6))
    x, base = _side(rng, 0.07, 0.15), ground + rng.uniform(0.03, 0.1)
    green = _tint(rng, (62, 124, 76), 8)
    canvas.box(x - 0.028, base - 0.32, 0.056, 0.32, green)
    canvas.box(x - 0.09, base - 0.24, 0.03, 0.1, green)
    canvas.box(x - 0.09, base - 0.17, 0.09, 0.035, green)
    canvas.box(x + 0.06, base - 0.28, 0.03, 0.12, green)
    canvas.box(x, base - 0.19, 0.09, 0.035, green)


# Name: how captions say it, and who paints it.
SCENES: dict[str, tuple[tuple[str, ...], Painter]] = {
    "beach": (("on the beach", "at the beach", "by the sea"), _beach),
    "forest": (("in a forest", "in the woods"), _forest),
    "street": (("on a street", "in the city"), _street),
    "room": (("in a room", "at home"), _room),
    "stadium": (("in a stadium", "on a sports field"), _stadium),
    "night": (("at night", "under the moon"), _night),
    "snow": (("in the snow", "in winter"), _snow),
    "desert": (("in the desert", "in a desert at sunset"), _desert),
}


def rim_of(scene: str) -> Colour:
    """The colour that the figure's outlines lean to in this scene."""
    return NIGHT_RIM if scene == "night" else DAY_RIM


def paint_scene(canvas: Canvas, name: str, rng: np.random.Generator) -> None:
    """Paint the named scene over the whole canvas."""
    SCENES[name][1](canvas, rng)
