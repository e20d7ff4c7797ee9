"""The stages `baseline` and `evaluate`: held-out pairs under text only and the primary, then under the secondary; one
text and one ε a pair."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
from diffusers.models.adapter import T2IAdapter

from posetwin.adapters.t2i import features_of, in_channels
from posetwin.contracts import BaselinePair, BaselineResult, EvaluatedPair, EvaluateResult, JudgedImage
from posetwin.data.assembled import Assembled, IndexedPair
from posetwin.data.images import read_pixels, to_model, to_pixels
from posetwin.data.journal import write_png
from posetwin.data.pairs import choose_pairs
from posetwin.metrics.scene import scene_drift, scene_mask
from posetwin.metrics.similarity import scene_similarity
from posetwin.mini.captions import named_attributes
from posetwin.models.backbone import Backbone
from posetwin.sampling.judge import Beside, Judges
from posetwin.sampling.noise import draw_noise
from posetwin.sampling.sampler import SamplerSettings, generate

Progress = Callable[[int, int, str], None]


@dataclass(frozen=True)
class Evaluation:
    """Everything that stays the same over the batches. adapter: the primary, or in `evaluate` the secondary."""

    folder: Path
    assembled: Assembled
    backbone: Backbone
    adapter: T2IAdapter
    conditioning_scale: float
    settings: SamplerSettings
    judges: Judges
    seed: int
    batch_size: int


@dataclass(frozen=True)
class Batch:
    """Some of the chosen pairs, with their numbers among them. noise: (B, *latent shape)."""

    numbers: list[int]
    pairs: list[IndexedPair]
    noise: torch.Tensor

    @property
    def a(self) -> list[int]:
        return [pair.a for pair in self.pairs]

    @property
    def b(self) -> list[int]:
        return [pair.b for pair in self.pairs]


def _choose(evaluation: Evaluation, count: int) -> list[IndexedPair]:
    pairs = evaluation.assembled.pairs("held_out")
    return [pairs[position] for position in choose_pairs(pairs, count)]


def _batches(evaluation: Evaluation, pairs: list[IndexedPair]) -> Iterator[Batch]:
    """The noise is a function of the seed and a pair's number alone."""
    shape = evaluation.backbone.latent_shape(evaluation.assembled.image_size)
    for start in range(0, len(pairs), evaluation.batch_size):
        batch = pairs[start : start + evaluation.batch_size]
        numbers = list(range(start, start + len(batch)))
        yield Batch(numbers, batch, draw_noise(evaluation.seed, "evaluate", numbers, shape))


def _paint(evaluation: Evaluation, batch: Batch, route: str, poses: list[int] | None) -> tuple[list[str], torch.Tensor]:
    """Names of the files and (B, 3, H, W) in [-1, 1], as they are read from there. poses: the samples whose control
    maps the adapter is given; None for the text alone."""
    features = None if poses is None else _features(evaluation, poses)
    prompts = [pair.prompt for pair in batch.pairs]
    images = generate(evaluation.backbone, prompts, features, batch.noise, evaluation.settings)
    names = [f"images/{number:04d}-{route}.png" for number in batch.numbers]
    pixels = to_pixels(images)
    for name, picture in zip(names, pixels, strict=True):
        write_png(evaluation.folder / name, picture)
    return names, to_model(pixels)


@torch.no_grad()
def _features(evaluation: Evaluation, indices: list[int]) -> list[torch.Tensor]:
    backbone, adapter = evaluation.backbone, evaluation.adapter
    controls = evaluation.assembled.controls(indices, in_channels(adapter)).to(backbone.device, backbone.dtype)
    return features_of(adapter, controls, evaluation.conditioning_scale)


def _attributes(assembled: Assembled, pair: IndexedPair) -> dict[str, str]:
    """What the pair's text, a caption of A or B, names of that picture."""
    told = pair.a if assembled.captions[pair.a] == pair.prompt else pair.b
    return named_attributes(pair.prompt, assembled.attributes(told))


def _judge(
    evaluation: Evaluation, batch: Batch, names: list[str], images: torch.Tensor, images_a: torch.Tensor | None
) -> list[JudgedImage]:
    """images_a: the primary with A_0, against which the scene drifts; None where nothing was given pose A."""
    keypoints = evaluation.assembled.keypoints
    before, target = keypoints[batch.a], keypoints[batch.b]
    beside = Beside([_attributes(evaluation.assembled, pair) for pair in batch.pairs])
    if images_a is not None:
        mask = scene_mask(before.numpy(), target.numpy(), evaluation.assembled.image_size)
        drift, ssim = scene_drift(images_a, images, mask), scene_similarity(images_a, images, mask)
        beside = Beside(beside.attributes, drift, ssim)
    return evaluation.judges.judge_images(names, images, target, beside)


def _baseline_batch(evaluation: Evaluation, batch: Batch) -> list[BaselinePair]:
    names_a, images_a = _paint(evaluation, batch, "image_a", batch.a)
    text_only = _judge(evaluation, batch, *_paint(evaluation, batch, "text_only", None), None)
    primary = _judge(evaluation, batch, *_paint(evaluation, batch, "primary", batch.b), images_a)
    assembled = evaluation.assembled
    return [
        BaselinePair(
            a=int(assembled.ids[pair.a]),
            b=int(assembled.ids[pair.b]),
            prompt=pair.prompt,
            pose=assembled.poses[pair.b],
            image_a=names_a[row],
            text_only=text_only[row],
            primary=primary[row],
        )
        for row, pair in enumerate(batch.pairs)
    ]


def evaluate_baseline(evaluation: Evaluation, count: int, progress: Progress) -> BaselineResult:
    """Sample and judge `count` held-out pairs with no adapter and with the primary; pictures go to `folder`/images."""
    (evaluation.folder / "images").mkdir(parents=True, exist_ok=True)
    pairs = _choose(evaluation, count)
    results: list[BaselinePair] = []
    for batch in _batches(evaluation, pairs):
        results += _baseline_batch(evaluation, batch)
        progress(len(results), len(pairs), "pairs")
    return BaselineResult(image_size=evaluation.assembled.image_size, pairs=results)


def _link_images(source: Path, target: Path) -> None:
    """The same pictures in a second folder, without a second copy where the file system can do so."""
    target.mkdir(parents=True, exist_ok=True)
    for path in source.iterdir():
        linked = target / path.name
        linked.unlink(missing_ok=True)
        try:
            os.link(path, linked)
        except OSError:
            shutil.copyfile(path, linked)


def _evaluate_batch(evaluation: Evaluation, batch: Batch, baseline: BaselineResult) -> list[EvaluatedPair]:
    pairs = [baseline.pairs[number] for number in batch.numbers]
    images_a = torch.stack([to_model(read_pixels(evaluation.folder / pair.image_a)) for pair in pairs])
    secondary = _judge(evaluation, batch, *_paint(evaluation, batch, "secondary", batch.b), images_a)
    return [EvaluatedPair(**pair.model_dump(), secondary=judged) for pair, judged in zip(pairs, secondary, strict=True)]


def evaluate_secondary(evaluation: Evaluation, baseline: Path, progress: Progress) -> EvaluateResult:
    """The pairs of the stage folder `baseline`, sampled and judged with the secondary as well; all pictures lie in
    `folder`/images."""
    _link_images(baseline / "images", evaluation.folder / "images")
    known = BaselineResult.model_validate_json((baseline / "result.json").read_text())
    pairs = _choose(evaluation, len(known.pairs))
    results: list[EvaluatedPair] = []
    for batch in _batches(evaluation, pairs):
        results += _evaluate_batch(evaluation, batch, known)
        progress(len(results), len(pairs), "pairs")
    return EvaluateResult(image_size=known.image_size, pairs=results)
