"""Golden vectors for every loss term: 50-digit decimals and plain loops, written from the equations alone.

Imports nothing of the product. `python test/golden/losses/make_golden.py` rewrites the JSON files beside it.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from decimal import ROUND_FLOOR, Decimal, getcontext
from pathlib import Path
from typing import Any

getcontext().prec = 50
D = Decimal
Case = tuple[dict[str, Any], list[Decimal]]
random_numbers = random.Random(117392675)


def draw(*shape: int, low: float = -1.0, high: float = 1.0) -> Any:
    """Nested lists of six-digit decimals, which JSON carries without loss."""
    if not shape:
        return round(random_numbers.uniform(low, high), 6)
    return [draw(*shape[1:], low=low, high=high) for _ in range(shape[0])]


def flat(value: Any) -> list[Decimal]:
    return [x for item in value for x in flat(item)] if isinstance(value, list) else [D(str(value))]


def mean(values: list[Decimal]) -> Decimal:
    return sum(values, D(0)) / len(values)


def d(value: Any) -> Decimal:
    return D(str(value))


def squared(first: Any, second: Any, mask: Any) -> list[Decimal]:
    """Mean over visible keypoints of the squared distance, by hand."""
    result = []
    for p, q, m in zip(first, second, mask, strict=True):
        seen = [(d(a[0]) - d(b[0])) ** 2 + (d(a[1]) - d(b[1])) ** 2 for a, b, s in zip(p, q, m, strict=True) if s]
        result.append(mean(seen))
    return result


MASK = [[1, 1, 0, 1], [0, 1, 0, 0], [1, 1, 1, 1]]
A0, B0, A, B = (draw(3, 4, 2, low=0.0, high=1.0) for _ in range(4))
ALPHAS = [0.999, 0.95, 0.7]
ALPHAS_CUMPROD = [0.9985, 0.43, 0.0061]
PREVIOUS = [1, 0.5, 0.02]
LATENTS, NOISE, EPS, EPS_B = (draw(3, 2, 2, 3, low=-2.0, high=2.0) for _ in range(4))


def target_pose() -> list[Case]:
    return [({"pred_keypoints_b": B, "keypoints_b": B0, "mask": MASK}, squared(B, B0, MASK))]


def pose_residual() -> list[Case]:
    inputs = {"pred_keypoints_b": B, "pred_keypoints_a": A, "mask": MASK, "keypoints_a": A0, "keypoints_b": B0}
    plain = squared(B, A, MASK)
    rest = [p - c for p, c in zip(plain, squared(B0, A0, MASK), strict=True)]
    expected = {"plain": plain, "absolute": [abs(r) for r in rest], "squared": [r * r for r in rest]}
    return [({**inputs, "reading": reading}, found) for reading, found in expected.items()]


def elementwise(first: Any, second: Any) -> list[Decimal]:
    return [
        mean([(x - y) ** 2 for x, y in zip(flat(p), flat(q), strict=True)]) for p, q in zip(first, second, strict=True)
    ]


def score_difference() -> list[Case]:
    squares = elementwise(EPS, EPS_B)
    each = [s / (1 - d(a)) for s, a in zip(squares, ALPHAS_CUMPROD, strict=True)]
    one = [s / (1 - d(0.43)) for s in squares]
    inputs = {"noise_pred_a": EPS, "noise_pred_b": EPS_B}
    return [({**inputs, "alphas_cumprod": ALPHAS_CUMPROD}, each), ({**inputs, "alphas_cumprod": 0.43}, one)]


def primary_noise() -> list[Case]:
    squares = elementwise(NOISE, EPS)
    w = [(1 - d(a)) / (2 * d(a) * (1 - d(c))) for a, c in zip(ALPHAS, ALPHAS_CUMPROD, strict=True)]
    inputs = {"noise": NOISE, "noise_pred": EPS, "alphas": ALPHAS, "alphas_cumprod": ALPHAS_CUMPROD}
    weighted = [x * s for x, s in zip(w, squares, strict=True)]
    return [({**inputs, "reading": "w(t)"}, weighted), ({**inputs, "reading": "simple"}, squares)]


def scene() -> list[Case]:
    image_a, image_b = draw(3, 3, 2, 4), draw(3, 3, 2, 4)
    pixels = [[[1, 0, 1, 1], [0, 0, 1, 0]], [[0] * 4, [0] * 4], [[1] * 4, [1] * 4]]
    expected = []
    for a, b, m, c in zip(image_a, image_b, pixels, ALPHAS_CUMPROD, strict=True):
        seen = [abs(d(a[k][y][x]) - d(b[k][y][x])) for k in range(3) for y in range(2) for x in range(4) if m[y][x]]
        expected.append(d(c).sqrt() * mean(seen) if seen else D(0))
    inputs = {"image_a": image_a, "image_b": image_b, "scene_mask": pixels, "alphas_cumprod": ALPHAS_CUMPROD}
    return [(inputs, expected)]


def delta_l() -> list[Case]:
    return [({"keypoints_a": A0, "keypoints_b": B0, "mask": MASK}, squared(A0, B0, MASK))]


def lower_bound_distance() -> list[Case]:
    return [({"pred_keypoints_a": A, "keypoints_b": B0, "mask": MASK}, squared(A, B0, MASK))]


def lower_bound() -> list[Case]:
    distance = [0.02, 0.5, 0.0]
    by_hand = [min_over_b(d(x), d("2006.7763")) for x in distance]
    per_step = [min_over_b(d(x), d(q)) for x, q in zip(distance, [1, 30, 2400], strict=True)]
    return [({"distance": distance, "q": 2006.7763}, by_hand), ({"distance": distance, "q": [1, 30, 2400]}, per_step)]


def min_over_b(distance: Decimal, q: Decimal) -> Decimal:
    """q·x² + (√distance - x)², the point between b_0 and a at x from b_0, at its stationary point."""
    x = distance.sqrt() / (q + 1)
    return q * x * x + (distance.sqrt() - x) ** 2


def pose_bound() -> list[Case]:
    """The bound as printed in the audit, for L = (1 + τ)·D: [1/(Q+1) + √((τ + 1/(Q+1))/(Q+1))]·√D."""
    cases: list[Case] = []
    for q, tau, distance in (("2007", "0.0004", "0.04"), ("30", "0.0004", "0.04"), ("7", "0.5", "0.09")):
        n, t, x = d(q) + 1, d(tau), d(distance)
        bound = (1 / n + ((t + 1 / n) / n).sqrt()) * x.sqrt()
        loss = float((1 + t) * x)
        cases.append(({"losses": [loss, loss], "distance": [float(x), float(x)], "q": float(d(q))}, [bound]))
    losses, distances, qs = [D("0.05"), D("0.3")], [D("0.04"), D("0.25")], [D(3), D(20)]
    steps = list(zip(losses, distances, qs, strict=True))
    near = mean([x / (q + 1) ** 2 for _, x, q in steps]).sqrt()
    far = mean([(v - q * x / (q + 1)) / (q + 1) for v, x, q in steps]).sqrt()
    cases.append(({"losses": [0.05, 0.3], "distance": [0.04, 0.25], "q": [3, 20]}, [near + far]))
    return cases


def per_step() -> list[Case]:
    target, residual = [0.001, 0.02, 0.0], [0.3, 0.07, 0.5]
    expected = [d("30.2966") * d(t) + d(r) for t, r in zip(target, residual, strict=True)]
    each = [d(q) * d(t) + d(r) for q, t, r in zip([7, 8.5, 9], target, residual, strict=True)]
    inputs = {"target_pose": target, "pose_residual": residual}
    return [({**inputs, "q": 30.2966}, expected), ({**inputs, "q": [7, 8.5, 9]}, each)]


def total() -> list[Case]:
    losses = draw(7, low=0.0, high=2.0)
    return [
        ({"losses": losses, "reading": "mean"}, [mean(flat(losses))]),
        ({"losses": losses, "reading": "sum"}, [sum(flat(losses), D(0))]),
    ]


def q() -> list[Case]:
    odds = [4.5, 2.25, 0.5, 0.0]
    cases: list[Case] = [
        ({"odds": odds, "reading": "expectation"}, [D("3.625")]),
        ({"odds": odds, "reading": "printed-sum"}, [D(21)]),
        ({"odds": odds, "reading": "per-step"}, [D(9), D("4.5"), D(1), D(0)]),
        ({"odds": odds, "reading": 12.5}, [D("12.5")]),
        ({"odds": [None, 2, 1], "reading": "expectation"}, [D(3)]),
        ({"odds": [None, 2, 1], "reading": "printed-sum"}, [D(14)]),
    ]
    return cases


def normalize_keypoints() -> list[Case]:
    pixels = draw(2, 3, 2, low=0.0, high=64.0)
    cases: list[Case] = []
    for width, height, bias in ((64, 48, [0, 0]), (640, 512, [0.5, -0.25])):
        frame = [D(width), D(height)]
        found = [(d(p[k]) - d(bias[k]) * frame[k]) / frame[k] for person in pixels for p in person for k in (0, 1)]
        cases.append(({"keypoints": pixels, "width": width, "height": height, "bias": bias}, found))
    return cases


def control_map() -> list[Case]:
    """Dots by hand in pixels, with whole pixels, an edge, points beyond it and one that is not drawn."""
    people = [
        [["2.7", "3.2"], ["5", "1"], ["7", "4.5"], ["-1.5", "9"], ["4.2", "6.1"]],
        [["3", "2"], ["3.9", "2.999"], ["0.0", "4"], ["6", "0.5"], ["1", "1"]],
    ]
    mask = [[1, 1, 1, 1, 0], [1, 1, 0, 1, 1]]
    cases: list[Case] = []
    for reading, w, h, bias, radius in (
        ("square", 7, 7, [0, 0], 0),
        ("square", 7, 7, [0.3, -0.2], 2),
        ("image", 9, 5, [-0.45, 0.7], 1),
        ("image", 6, 11, [0, 0], 0),
    ):
        given = [[[float(d(x) / w - d(bias[0])), float(d(y) / h - d(bias[1]))] for x, y in p] for p in people]
        found = [
            D(0) if any(touches(point, x, y, w, h, radius) for point, s in zip(p, m, strict=True) if s) else D(255)
            for p, m in zip(people, mask, strict=True)
            for y in range(h)
            for x in range(w)
        ]
        frame = {"width": w, "height": h, "bias": bias, "radius": radius, "reading": reading}
        cases.append(({"keypoints": given, "mask": mask, **frame}, found))
    return cases


def touches(point: list[str], x: int, y: int, width: int, height: int, radius: int) -> bool:
    """Whether the pixel x, y lies within `radius` of the pixel that the point, moved into the frame, falls on."""
    at = [
        min(max(int(d(p).to_integral_value(ROUND_FLOOR)), 0), n - 1)
        for p, n in zip(point, (width, height), strict=True)
    ]
    return (at[0] - x) ** 2 + (at[1] - y) ** 2 <= radius**2


def one_step_image() -> list[Case]:
    inputs = {"latents": LATENTS, "noise": NOISE, "noise_pred": EPS, "alphas_cumprod": ALPHAS_CUMPROD}
    cases: list[Case] = []
    for reading, start in (("x_t", LATENTS), ("as-printed", NOISE)):
        found = [
            (x - (1 - d(c)).sqrt() * e) / d(c).sqrt()
            for s, n, c in zip(start, EPS, ALPHAS_CUMPROD, strict=True)
            for x, e in zip(flat(s), flat(n), strict=True)
        ]
        cases.append(({**inputs, "reading": reading}, found))
    return cases


def sampler_step() -> list[Case]:
    inputs = {
        "latents": LATENTS,
        "noise_pred": EPS,
        "alphas_cumprod": ALPHAS_CUMPROD,
        "alphas_cumprod_prev": PREVIOUS,
    }
    cases: list[Case] = []
    for reading in ("ddim", "as-printed"):
        found = []
        for s, n, c, p in zip(LATENTS, EPS, ALPHAS_CUMPROD, PREVIOUS, strict=True):
            noise = (1 - (d(p) if reading == "ddim" else d(c))).sqrt()
            for x, e in zip(flat(s), flat(n), strict=True):
                found.append(d(p).sqrt() * (x - (1 - d(c)).sqrt() * e) / d(c).sqrt() + noise * e)
        cases.append(({**inputs, "reading": reading}, found))
    return cases


TERMS: list[Callable[[], list[Case]]] = [
    normalize_keypoints,
    control_map,
    sampler_step,
    one_step_image,
    primary_noise,
    score_difference,
    pose_residual,
    target_pose,
    q,
    per_step,
    total,
    delta_l,
    lower_bound_distance,
    lower_bound,
    pose_bound,
    scene,
]


def main() -> None:
    for term in TERMS:
        cases = [{"inputs": inputs, "values": [float(value) for value in values]} for inputs, values in term()]
        text = json.dumps({"term": term.__name__, "cases": cases}, indent=1)
        Path(__file__).with_name(f"{term.__name__}.json").write_text(text + "\n")


if __name__ == "__main__":
    main()
