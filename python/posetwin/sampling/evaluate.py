"""The stage `evaluate`: held-out pairs under text only, the primary and the secondary, one text and one ε a pair."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from diffusers.models.adapter import T2IAdapter

from posetwin.adapters.t2i import features_of, in_channels
from posetwin.contracts import EvaluatedPair, EvaluateResult, JudgedImage
from posetwin.data.assembled import Assembled, IndexedPair
from posetwin.data.images import to_pixels
from posetwin.data.journal import write_png
from posetwin.data.pairs import choose_pairs
from posetwin.metrics.scene import scene_drift, scene_mask
from posetwin.metrics.similarity import scene_similarity
from posetwin.mini.captions import named_attributes
from posetwin.models.backbone import Backbone
from posetwin.sampling.judge import Beside, Judges
from posetwin.sampling.noise import draw_noise
from posetwin.sampling.sampler import SamplerSettings, generate


@dataclass(frozen=True)
class Evaluation:
    """Everything that stays the same over the batches."""

    folder: Path
    assembled: Assembled
    backbone: Backbone
    primary: T2IAdapter
    secondary: T2IAdapter
    conditioning_scale: float
    settings: SamplerSettings
    judges: Judges
    seed: int


@torch.no_grad()
def _features(evaluation: Evaluation, adapter: T2IAdapter, indices: list[int]) -> list[torch.Tensor]:
    backbone = evaluation.backbone
    controls = evaluation.assembled.controls(indices, in_channels(adapter)).to(backbone.device, backbone.dtype)
    return features_of(adapter, controls, evaluation.conditioning_scale)


def _sample_routes(evaluation: Evaluation, pairs: list[IndexedPair], noise: torch.Tensor) -> dict[str, torch.Tensor]:
    """(B, 3, H, W) by route; `image_a` is the primary with A_0, the others are given B_0 or no pose at all."""
    a, b = [pair.a for pair in pairs], [pair.b for pair in pairs]
    features = {
        "image_a": _features(evaluation, evaluation.primary, a),
        "text_only": None,
        "primary": _features(evaluation, evaluation.primary, b),
        "secondary": _features(evaluation, evaluation.secondary, b),
    }
    prompts = [pair.prompt for pair in pairs]
    return {
        route: generate(evaluation.backbone, prompts, maps, noise, evaluation.settings)
        for route, maps in features.items()
    }


def _save(folder: Path, numbers: list[int], route: str, images: torch.Tensor) -> list[str]:
    names = [f"images/{number:04d}-{route}.png" for number in numbers]
    for name, pixels in zip(names, to_pixels(images), strict=True):
        write_png(folder / name, pixels)
    return names


def _named_attributes(assembled: Assembled, pair: IndexedPair) -> dict[str, str]:
    """What the pair's text, a caption of A or B, names of that picture."""
    told = pair.a if assembled.captions[pair.a] == pair.prompt else pair.b
    return named_attributes(pair.prompt, assembled.samples[told]["attributes"])


def _judge_routes(
    evaluation: Evaluation, numbers: list[int], pairs: list[IndexedPair], images: dict[str, torch.Tensor]
) -> tuple[list[str], dict[str, list[JudgedImage]]]:
    keypoints = evaluation.assembled.keypoints
    before, target = keypoints[[pair.a for pair in pairs]], keypoints[[pair.b for pair in pairs]]
    mask = scene_mask(before.numpy(), target.numpy(), evaluation.assembled.image_size)
    names = {route: _save(evaluation.folder, numbers, route, pictures) for route, pictures in images.items()}
    image_a, judged = images["image_a"].clamp(-1, 1), {}
    attributes = [_named_attributes(evaluation.assembled, pair) for pair in pairs]
    for route in ("text_only", "primary", "secondary"):
        beside = Beside(attributes)
        if route != "text_only":
            image_b = images[route].clamp(-1, 1)
            drift, ssim = scene_drift(image_a, image_b, mask), scene_similarity(image_a, image_b, mask)
            beside = Beside(attributes, drift, ssim)
        judged[route] = evaluation.judges.judge_images(names[route], images[route], target, beside)
    return names["image_a"], judged


def _evaluate_batch(evaluation: Evaluation, numbers: list[int], pairs: list[IndexedPair]) -> list[EvaluatedPair]:
    shape = evaluation.backbone.latent_shape(evaluation.assembled.image_size)
    noise = draw_noise(evaluation.seed, "evaluate", numbers, shape)
    image_a, judged = _judge_routes(evaluation, numbers, pairs, _sample_routes(evaluation, pairs, noise))
    samples = evaluation.assembled.samples
    return [
        EvaluatedPair(
            a=samples[pair.a]["id"],
            b=samples[pair.b]["id"],
            prompt=pair.prompt,
            pose=samples[pair.b]["pose"],
            image_a=image_a[row],
            **{route: records[row] for route, records in judged.items()},
        )
        for row, pair in enumerate(pairs)
    ]


def evaluate(
    evaluation: Evaluation, count: int, batch_size: int, progress: Callable[[int, int, str], None]
) -> EvaluateResult:
    """Sample and judge `count` held-out pairs; pictures go to `folder`/images. The noise is a function of the seed
    and a pair's number alone."""
    (evaluation.folder / "images").mkdir(parents=True, exist_ok=True)
    pairs = evaluation.assembled.pairs("held_out")
    chosen = [pairs[position] for position in choose_pairs(pairs, count)]
    results: list[EvaluatedPair] = []
    for start in range(0, len(chosen), batch_size):
        batch = chosen[start : start + batch_size]
        results += _evaluate_batch(evaluation, list(range(start, start + len(batch))), batch)
        progress(len(results), len(chosen), "pairs")
    return EvaluateResult(image_size=evaluation.assembled.image_size, pairs=results)
