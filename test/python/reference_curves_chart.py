"""The chart of the reference curves, an SVG of text alone: the same curves give the same bytes."""

from __future__ import annotations

import math
from typing import Any

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 300, 250, 52, 10, 48, 36
# Of t = 1, 2, 3, 4.
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#8a5aab")
TITLES = {
    "patent": "patent: trajectory, T = 3",
    "patent-scene": "patent+scene: noised, T = 2",
    "primary": "primary: Eq. 12, T = 4",
}


def _ticks(low: float, high: float) -> list[float]:
    """1, 2 and 5 times a power of ten, between both ends."""
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    return [digit * 10.0**power for power in powers for digit in (1, 2, 5) if low <= digit * 10.0**power <= high]


def _panel(name: str, curve: dict[str, list[Any]]) -> list[str]:
    """The objective over the steps on a logarithmic scale, a colour for each t."""
    values, steps = curve["objective"], len(curve["objective"])
    low, high = min(values) / 1.15, max(values) * 1.15

    def x(step: float) -> float:
        return LEFT + (step - 1) / (steps - 1) * (WIDTH - LEFT - RIGHT)

    def y(value: float) -> float:
        return TOP + math.log(high / value) / math.log(high / low) * (HEIGHT - TOP - BOTTOM)

    visited = [visits[0] for visits in curve["t"]]
    parts = [f'<text x="{LEFT}" y="16" font-weight="bold">{TITLES[name]}</text>']
    for place, t in enumerate(sorted(set(visited))):
        parts.append(f'<text x="{LEFT + 46 * place}" y="34" fill="{COLOURS[t - 1]}">t = {t}</text>')
    for tick in _ticks(low, high):
        at = y(tick)
        parts.append(f'<path d="M{LEFT} {at:.1f}H{WIDTH - RIGHT}" stroke="#ddd"/>')
        parts.append(f'<text x="{LEFT - 5}" y="{at + 4:.1f}" text-anchor="end">{tick:g}</text>')
    for step in (1, *range(10, steps + 1, 10)):
        parts.append(f'<text x="{x(step):.1f}" y="{HEIGHT - 18}" text-anchor="middle">{step}</text>')
    for t in sorted(set(visited)):
        own = [(x(k), y(value)) for k, (value, seen) in enumerate(zip(values, visited, strict=True), 1) if seen == t]
        line = " ".join(f"{a:.1f},{b:.1f}" for a, b in own)
        parts.append(f'<polyline points="{line}" fill="none" stroke="{COLOURS[t - 1]}" stroke-opacity="0.45"/>')
        parts += [f'<circle cx="{a:.1f}" cy="{b:.1f}" r="2.2" fill="{COLOURS[t - 1]}"/>' for a, b in own]
    parts.append(f'<text x="{(LEFT + WIDTH - RIGHT) / 2:g}" y="{HEIGHT - 3}" text-anchor="middle">step</text>')
    return parts


def chart(curves: dict[str, dict[str, list[Any]]]) -> str:
    """An SVG document, one panel for each curve, in the order given."""
    panels = [
        "\n".join([f'<g transform="translate({WIDTH * place} 0)">', *_panel(name, curve), "</g>"])
        for place, (name, curve) in enumerate(curves.items())
    ]
    width = WIDTH * len(panels)
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {HEIGHT}" role="img"'
    label = 'aria-label="What is minimised over 50 steps of the three reference experiments, by t"'
    style = 'font-family="sans-serif" font-size="11" fill="#222"'
    background = f'<rect width="{width}" height="{HEIGHT}" fill="#fff"/>'
    return "\n".join([f"{head} {label} {style}>", background, *panels, "</svg>", ""])
