"""Each term's gradient with respect to the adapter, through all that lies between, against differences in float64.

adapter -> U-Net -> (one-step image or state -> decoder -> (detector -> normalised keypoints)) -> term, with the shipped
mini models. ReLU and |.| have kinks, so steps are short enough to cross next to none of them.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import NamedTuple

import numpy as np
import pytest
import torch

from posetwin.adapters.t2i import clone_for_training, features_of, load_adapter
from posetwin.contracts import MiniDetector
from posetwin.control.openpose import draw_openpose
from posetwin.control.silhouette import silhouette
from posetwin.keypoints.loading import load_detector
from posetwin.losses import (
    keypoint_mask,
    normalize_keypoints,
    one_step_image,
    pose_residual,
    primary_noise,
    sampler_step,
    scene,
    score_difference,
    target_pose,
)
from posetwin.mini.world import sample_world
from posetwin.models.backbone import load_backbone
from posetwin.sampling.denoise import predict_noise

DTYPE, SIZE, BIAS = torch.float64, 64, (0.1, -0.2)
ALPHAS, ALPHAS_CUMPROD, ALPHAS_CUMPROD_PREV, TIMESTEP = 0.97, 0.3, 0.45, 430.25
# Along one random direction of 574,032 a term changes little; along its own gradient it bends within a thousandth. A
# long step meets the kinks of a ReLU, a short one float64's rounding: the derivative is what some step agrees with.
RANDOM_STEPS, GRADIENT_STEPS, TOLERANCE = (1e-4, 1e-5, 3e-6), (1e-6, 1e-7, 3e-8), 1e-6

Terms = dict[str, torch.Tensor]
Components = list[torch.Tensor]


class Slope(NamedTuple):
    """A term's derivative along one direction: by autograd, and by central differences of several steps."""

    gradient: float
    differences: list[float]


def tensor(pixels: np.ndarray) -> torch.Tensor:
    """(H, W, 3) uint8 -> (1, 3, 64, 64) in [0, 1]."""
    return torch.tensor(np.moveaxis(pixels, -1, 0)[None], dtype=DTYPE) / 255


class Route:
    """One of the two figures: what the adapter is given, the latent of its picture noised at t, its keypoints."""

    def __init__(self, seed: int, stack: Models) -> None:
        drawn = sample_world(seed, size=SIZE)
        self.control = tensor(draw_openpose(drawn.keypoints, SIZE))
        clean = stack.backbone.encode_images(2 * tensor(drawn.image) - 1)
        self.latents = ALPHAS_CUMPROD**0.5 * clean + (1 - ALPHAS_CUMPROD) ** 0.5 * stack.noise
        given = torch.tensor(drawn.keypoints[None], dtype=DTYPE)
        self.keypoints = normalize_keypoints(given[..., :2], SIZE, SIZE, BIAS)
        self.visibility, self.figure = given[..., 2], silhouette(drawn.keypoints, SIZE, 2)


class Models:
    """The shipped stack in float64; only `adapter`, a copy of the primary, has a gradient."""

    def __init__(self) -> None:
        self.backbone, self.primary = load_backbone("mini", DTYPE), load_adapter("mini", DTYPE)
        self.adapter = clone_for_training(self.primary)
        self.detector = load_detector(MiniDetector(kind="mini"), dtype=DTYPE)
        self.noise = torch.randn(
            1, *self.backbone.latent_shape(SIZE), generator=torch.Generator().manual_seed(0), dtype=DTYPE
        )
        self.embeds = self.backbone.encode_prompt(["a girl, waving her left hand"])
        self.a, self.b = Route(1, self), Route(4, self)

    def noise_pred(self, route: Route, adapter: torch.nn.Module) -> torch.Tensor:
        features = features_of(adapter, route.control, 1.0)
        return predict_noise(self.backbone.unet, route.latents, TIMESTEP, self.embeds, features)


@cache
def models() -> Models:
    return Models()


def one_step(latents: torch.Tensor, noise_pred: torch.Tensor) -> torch.Tensor:
    return one_step_image(latents, models().noise, noise_pred, ALPHAS_CUMPROD, "x_t")


def one_step_as_printed(latents: torch.Tensor, noise_pred: torch.Tensor) -> torch.Tensor:
    return one_step_image(latents, models().noise, noise_pred, ALPHAS_CUMPROD, "as-printed")


def state(latents: torch.Tensor, noise_pred: torch.Tensor) -> torch.Tensor:
    return sampler_step(latents, noise_pred, ALPHAS_CUMPROD, ALPHAS_CUMPROD_PREV, "ddim")


PICTURES = {"one_step x_t": one_step, "one_step as-printed": one_step_as_printed, "state": state}
POSE_READINGS = ("plain", "absolute", "squared")
PICTURE_TERMS = ("target_pose", *(f"pose_residual {reading}" for reading in POSE_READINGS), "scene")
NOISE_TERMS = ("score_difference", "primary_noise w(t)", "primary_noise simple")


def view(route: Route, adapter: torch.nn.Module, picture: str) -> tuple[torch.Tensor, torch.Tensor]:
    """Z_·,t: (1, 3, 64, 64), and the keypoints found in it, normalised: (1, 18, 2)."""
    latents = PICTURES[picture](route.latents, models().noise_pred(route, adapter))
    image = models().backbone.decode_latents(latents)
    return image, normalize_keypoints(models().detector(image).xy, SIZE, SIZE, BIAS)


def picture_terms(picture: str) -> Callable[[], Terms]:
    """The terms that look at the picture of route B, whose adapter is trained; route A stays as it is."""
    a, b = models().a, models().b
    mask = keypoint_mask(a.visibility, b.visibility)
    outside = torch.from_numpy(~(a.figure | b.figure))[None]
    with torch.no_grad():
        image_a, found_a = view(a, models().primary, picture)

    def compute() -> Terms:
        image_b, found_b = view(b, models().adapter, picture)
        residuals = [pose_residual(found_b, found_a, mask, a.keypoints, b.keypoints, r) for r in POSE_READINGS]
        values = (target_pose(found_b, b.keypoints, mask), *residuals, scene(image_a, image_b, outside, ALPHAS_CUMPROD))
        return {name: value.sum() for name, value in zip(PICTURE_TERMS, values, strict=True)}

    return compute


def noise_terms() -> Terms:
    """The terms of ε_θ alone: Eq. 18 trains the secondary on B_0, Eq. 12 the primary on A_0."""
    with torch.no_grad():
        of_a = models().noise_pred(models().a, models().primary)
    as_primary, as_secondary = (models().noise_pred(route, models().adapter) for route in (models().a, models().b))
    weighted = [primary_noise(models().noise, as_primary, ALPHAS, ALPHAS_CUMPROD, r) for r in ("w(t)", "simple")]
    values = (score_difference(of_a, as_secondary, ALPHAS_CUMPROD), *weighted)
    return {name: value.sum() for name, value in zip(NOISE_TERMS, values, strict=True)}


def inner(first: Components, second: Components) -> float:
    return float(torch.stack([(x * y).sum() for x, y in zip(first, second, strict=True)]).sum())


def unit(components: Components) -> Components:
    length = inner(components, components) ** 0.5
    return [component / length for component in components]


def random_direction(parameters: list[torch.nn.Parameter]) -> Components:
    generator = torch.Generator().manual_seed(5)
    return unit([torch.randn(p.shape, generator=generator, dtype=DTYPE) for p in parameters])


@torch.no_grad()
def differences(
    compute: Callable[[], Terms], parameters: list[torch.nn.Parameter], direction: Components, step: float
) -> dict[str, float]:
    """Central differences of all terms; the parameters are put back bit for bit."""
    before, values = [parameter.clone() for parameter in parameters], []
    for signed in (step, -step):
        for parameter, start, component in zip(parameters, before, direction, strict=True):
            parameter.copy_(start + signed * component)
        values.append(compute())
    for parameter, start in zip(parameters, before, strict=True):
        parameter.copy_(start)
    return {name: float(values[0][name] - values[1][name]) / (2 * step) for name in values[0]}


def measure(compute: Callable[[], Terms]) -> dict[str, list[Slope]]:
    """Each term's slopes: along one random direction, and along the gradient of each kind of term, its own among them.

    The readings of one term have parallel gradients, so that one of them stands for all.
    """
    parameters = list(models().adapter.parameters())
    gradients = {
        name: list(torch.autograd.grad(term, parameters, retain_graph=True)) for name, term in compute().items()
    }
    kinds = {name.split()[0]: unit(gradient) for name, gradient in gradients.items()}
    directions = [(random_direction(parameters), RANDOM_STEPS), *((kind, GRADIENT_STEPS) for kind in kinds.values())]
    found = [
        (direction, [differences(compute, parameters, direction, step) for step in steps])
        for direction, steps in directions
    ]
    return {
        name: [Slope(inner(gradient, direction), [one[name] for one in each]) for direction, each in found]
        for name, gradient in gradients.items()
    }


@cache
def measured(picture: str) -> dict[str, list[Slope]]:
    return measure(picture_terms(picture))


@cache
def measured_noise() -> dict[str, list[Slope]]:
    return measure(noise_terms)


def check(slopes: list[Slope]) -> None:
    for gradient, found in slopes:
        assert min(abs(gradient / difference - 1) for difference in found) <= TOLERANCE
        assert gradient != 0


@pytest.mark.parametrize("picture", PICTURES)
@pytest.mark.parametrize("term", PICTURE_TERMS)
def test_a_term_of_the_picture_has_the_gradient_of_its_path(term: str, picture: str) -> None:
    check(measured(picture)[term])


@pytest.mark.parametrize("term", NOISE_TERMS)
def test_a_term_of_the_noise_has_the_gradient_of_its_path(term: str) -> None:
    check(measured_noise()[term])


def test_no_other_part_of_the_stack_has_a_gradient() -> None:
    frozen = [models().backbone.unet, models().backbone.vae, models().primary, models().detector]
    assert not any(p.requires_grad for part in frozen if isinstance(part, torch.nn.Module) for p in part.parameters())
