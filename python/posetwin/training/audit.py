"""The stage `audit`: what the derivation takes for granted, measured on the run's own models (points 4-6, 10)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import torch

from posetwin.contracts import AuditAtT, AuditResult, DetectorFloor
from posetwin.losses import normalize_keypoints, target_pose
from posetwin.metrics.keypoints import detected_persons
from posetwin.training.routes import Batch, noised_states
from posetwin.training.secondary import SecondaryTask, logged
from posetwin.training.set_up import DETECT_BATCH

Progress = Callable[[int, int, str], None]


@dataclass
class Sums:
    """Sums over samples of each number at each t."""

    by_t: dict[int, dict[str, float]] = field(default_factory=dict)

    def add(self, t: int, values: dict[str, torch.Tensor]) -> None:
        row = self.by_t.setdefault(t, {})
        for name, per_sample in values.items():
            row[name] = row.get(name, 0.0) + float(per_sample.double().sum())

    def means(self, count: int) -> list[dict[str, float]]:
        return [{"t": t, **{n: s / count for n, s in row.items()}} for t, row in sorted(self.by_t.items())]


def _mean_product(first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
    """⟨first, second⟩ as a mean over a latent's elements: (B,)."""
    return (first * second).flatten(1).mean(dim=1)


def noised_numbers(noise: torch.Tensor, noise_pred_a: torch.Tensor, noise_pred_b: torch.Tensor) -> dict[str, Any]:
    """‖x‖², ‖y‖², ⟨x, y⟩ of x = ε_θ,A - ε and y = ε_θ,B - ε in Eq. 34: (B,) each, means over a latent's elements."""
    x, y = noise_pred_a - noise, noise_pred_b - noise
    return {
        "noise_error_a": _mean_product(x, x),
        "noise_error_b": _mean_product(y, y),
        "inner_product": _mean_product(x, y),
    }


def _on_noised(task: SecondaryTask, batch: Batch, features_b: list[torch.Tensor], t: int) -> dict[str, torch.Tensor]:
    objective = task.objective
    states = noised_states(objective.denoiser, batch, t)
    noise_pred_a = objective.denoiser.route(batch, states.a, t, batch.features_a)
    b = objective.view(batch, states.b, features_b, t)
    numbers = noised_numbers(batch.noise, noise_pred_a, b.noise_pred)
    return {**numbers, "noised_target_pose": target_pose(b.keypoints, batch.keypoints_b, batch.mask)}


def _on_own_states(
    task: SecondaryTask, batch: Batch, features_b: list[torch.Tensor], threshold: float, sums: Sums
) -> None:
    given = batch.mask.unsqueeze(-1).expand(-1, -1, 3)
    for t, seen in task.walk(batch, features_b):
        found = {
            f"detection_rate_{route}": detected_persons(view.confidence.to(given), given, threshold)
            for route, view in (("a", seen.a), ("b", seen.b))
        }
        sums.add(t, {**found, **{name: seen.terms[name] for name in ("target_pose", "score_difference")}})


@torch.no_grad()
def _detector_floor(task: SecondaryTask, indices: Iterable[int], threshold: float) -> DetectorFloor:
    """How far the detector of the loss is from the annotations on the pictures themselves."""
    assembled, size = task.batches.assembled, task.batches.assembled.image_size
    chosen = list(indices)
    errors, persons = [], []
    for start in range(0, len(chosen), DETECT_BATCH):
        batch = chosen[start : start + DETECT_BATCH]
        found = task.objective.detector(assembled.images(batch).to(task.batches.device))
        given = assembled.keypoints[batch]
        xy = [normalize_keypoints(p.double().cpu(), size, size, (0.0, 0.0)) for p in (found.xy, given[..., :2])]
        errors.append(target_pose(xy[0], xy[1], (given[..., 2] > 0).double()))
        persons.append(detected_persons(found.confidence.double().cpu(), given, threshold))
    return DetectorFloor(
        num_images=len(chosen),
        squared_error=logged(float(torch.cat(errors).mean())),
        detection_rate=float(torch.cat(persons).double().mean()),
    )


@torch.no_grad()
def audit(
    task: SecondaryTask, num_pairs: int, batch_size: int, detection_threshold: float, progress: Progress
) -> AuditResult:
    """Means over the first `num_pairs` quintuples of the training order, at every trainable t; the detector on the
    pictures that these quintuples hold."""
    count, sums = min(num_pairs, len(task.batches.pairs)), Sums()
    for start in range(0, count, batch_size):
        batch = task.batches.gather(range(start, min(start + batch_size, count)))
        features_b = task.features(task.adapter, batch.controls_b)
        _on_own_states(task, batch, features_b, detection_threshold, sums)
        for t in task.trainable:
            sums.add(t, _on_noised(task, batch, features_b, t))
        progress(min(start + batch_size, count), count, "pairs")
    rows = [{k: logged(v) for k, v in row.items()} for row in sums.means(count)]
    pictures = sorted({index for i in range(count) for index in task.batches.pictures(i)})
    return AuditResult(
        num_pairs=count,
        per_t=[AuditAtT.model_validate(row) for row in rows],
        detector=_detector_floor(task, pictures, detection_threshold),
    )
