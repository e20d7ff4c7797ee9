"""Every loss term by name, evaluated from plain JSON: what TypeScript compares its own values with."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, cast

import torch

from posetwin.errors import PosetwinError
from posetwin.losses.control_map import control_map
from posetwin.losses.delta_l import delta_l
from posetwin.losses.lower_bound import lower_bound
from posetwin.losses.lower_bound_distance import lower_bound_distance
from posetwin.losses.normalize_keypoints import normalize_keypoints
from posetwin.losses.one_step_image import one_step_image
from posetwin.losses.per_step import per_step
from posetwin.losses.pose_bound import pose_bound
from posetwin.losses.pose_residual import pose_residual
from posetwin.losses.primary_noise import primary_noise
from posetwin.losses.q import q
from posetwin.losses.sampler_step import sampler_step
from posetwin.losses.scene import scene
from posetwin.losses.score_difference import score_difference
from posetwin.losses.target_pose import target_pose
from posetwin.losses.total import total

TERMS: dict[str, Callable[..., torch.Tensor]] = {
    "normalize_keypoints": normalize_keypoints,
    "control_map": control_map,
    "sampler_step": sampler_step,
    "one_step_image": one_step_image,
    "primary_noise": primary_noise,
    "score_difference": score_difference,
    "pose_residual": pose_residual,
    "target_pose": target_pose,
    "q": q,
    "per_step": per_step,
    "total": total,
    "delta_l": delta_l,
    "lower_bound_distance": lower_bound_distance,
    "lower_bound": lower_bound,
    "pose_bound": pose_bound,
    "scene": scene,
}


def _plain(value: Any) -> Any:
    """JSON has no infinity: null stands for it."""
    if isinstance(value, list):
        return [_plain(item) for item in cast("list[Any]", value)]
    return math.inf if value is None else value


def _argument(value: Any, dtype: torch.dtype) -> Any:
    return torch.tensor(_plain(value), dtype=dtype) if isinstance(value, list) else value


def values(name: str, inputs: Mapping[str, Any], dtype: torch.dtype = torch.float64) -> list[float]:
    """What the term gives, flattened in row-major order.

    inputs: the term's arguments by their names, tensors as nested lists.
    Raises PosetwinError: unknown_value, wrong_type, not_a_number where a value is not finite, the term's own.
    """
    if name not in TERMS:
        raise PosetwinError("unknown_value", f"there is no loss term {name!r}", f"one of: {', '.join(TERMS)}")
    try:
        arguments = {key: _argument(value, dtype) for key, value in inputs.items()}
        result = torch.as_tensor(TERMS[name](**arguments), dtype=dtype)
    except (TypeError, ValueError, RuntimeError) as error:
        raise PosetwinError("wrong_type", f"{name} cannot be computed from these inputs: {error}") from error
    if not bool(result.isfinite().all()):
        raise PosetwinError("not_a_number", f"{name} is not finite for these inputs")
    return [float(item) for item in result.flatten()]


def evaluate(name: str, inputs: Mapping[str, Any], dtype: torch.dtype = torch.float64) -> float:
    """The mean of `values`, for terms with one value per sample the expectation over the batch. Raises as `values`."""
    found = values(name, inputs, dtype)
    return math.fsum(found) / len(found)
