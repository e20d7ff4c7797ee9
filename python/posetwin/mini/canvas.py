"""A supersampled canvas: filled shapes in frame fractions, and a fourth channel that marks the figure."""

from __future__ import annotations

import math

import cv2
import numpy as np

Colour = tuple[int, int, int]

SUPERSAMPLING = 4
_SHIFT = 3  # fractional bits of the coordinates that OpenCV fills with
_ARC = np.linspace(0, math.pi, 8)
_HALF_CIRCLE = np.stack([np.cos(_ARC), np.sin(_ARC)], axis=1)


def hull(points: np.ndarray) -> np.ndarray:
    """(N, 2) -> (M, 2) convex hull."""
    return cv2.convexHull(points.astype(np.float32))[:, 0, :].astype(np.float64)


def capsule(a: np.ndarray, b: np.ndarray, radius_a: float, radius_b: float) -> np.ndarray:
    """(16, 2) outline of a tapered limb with round ends, frame fractions."""
    along = b - a
    along = along / max(float(np.hypot(*along)), 1e-9)
    across = np.array([-along[1], along[0]])
    turn = np.stack([across, along])
    return np.concatenate([b + radius_b * (_HALF_CIRCLE @ turn), a - radius_a * (_HALF_CIRCLE @ turn)])


class Canvas:
    """Paints on (side, side, 4) uint8: red, green, blue, and 255 where `figure` shapes lie. Coordinates in [0, 1]."""

    def __init__(self, size: int) -> None:
        self.size, self.side = size, size * SUPERSAMPLING
        self.pixels = np.zeros((self.side, self.side, 4), np.uint8)

    def polygon(self, points: np.ndarray | list[tuple[float, float]], colour: Colour, *, figure: bool = False) -> None:
        """A convex polygon."""
        corners = np.round(np.asarray(points) * (self.side << _SHIFT)).astype(np.int32)
        cv2.fillConvexPoly(self.pixels, corners, (*colour, 255 * figure), cv2.LINE_8, _SHIFT)

    def disc(self, x: float, y: float, radius: float, colour: Colour, *, figure: bool = False) -> None:
        one = self.side << _SHIFT
        centre, r = (round(float(x) * one), round(float(y) * one)), round(float(radius) * one)
        cv2.circle(self.pixels, centre, r, (*colour, 255 * figure), -1, cv2.LINE_8, _SHIFT)

    def box(self, x: float, y: float, width: float, height: float, colour: Colour) -> None:
        left, top, right, bottom = (
            min(max(round(float(v) * self.side), 0), self.side) for v in (x, y, x + width, y + height)
        )
        self.pixels[top:bottom, left:right, :3] = colour

    def gradient(self, top: float, bottom: float, upper: Colour, lower: Colour) -> None:
        """A band of rows that fades from one colour into another."""
        first, last = round(top * self.side), min(round(bottom * self.side), self.side)
        share = np.linspace(0, 1, last - first)[:, None]
        rows = np.array(upper) + share * (np.array(lower) - np.array(upper))
        self.pixels[first:last, :, :3] = np.round(rows).astype(np.uint8)[:, None]

    def shrink(self) -> tuple[np.ndarray, np.ndarray]:
        """(size, size, 3) uint8 picture and (size, size) bool mask: at least half of the pixel is figure."""
        small = cv2.resize(self.pixels, (self.size, self.size), interpolation=cv2.INTER_AREA)
        return np.ascontiguousarray(small[..., :3]), small[..., 3] >= 128
