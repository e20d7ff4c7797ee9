"""`python -m posetwin.mini.evaluate [--out DIR] [--count N]`: what the mini models reach.

All pictures come from evaluation seeds, which training never draws. Prints a table, writes evaluation.json and contact
sheets. PCK@a is the share of keypoints, hidden ones included, within a times the picture's side of where they are.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from diffusers import T2IAdapter

from posetwin.control.dots import draw_dots
from posetwin.control.openpose import draw_openpose
from posetwin.keypoints.blazepose import BlazePoseDetector
from posetwin.keypoints.detector import KeypointDetector, Keypoints
from posetwin.keypoints.mini import load_mini_detector
from posetwin.mini.architecture import IMAGE_SIZE, ControlStyle
from posetwin.mini.attributes import read_poses, read_scenes, read_shirts, to_tensor
from posetwin.mini.captions import unseen_prompt
from posetwin.mini.data import to_unit
from posetwin.mini.poses import pose_names
from posetwin.mini.sampler import initial_noise, sample_images
from posetwin.mini.sheets import save_sheet
from posetwin.mini.world import EVALUATION_SEED, Drawn, empty_scene, sample_world
from posetwin.models.backbone import Backbone, load_backbone
from posetwin.shipped import ADAPTERS, WEIGHTS, checked_folder

Numbers = dict[str, float]
DETECTED = 0.5  # mean confidence above which a figure counts as found
BATCH = 50


@dataclass(frozen=True)
class Settings:
    """What is measured and how: count pictures, drawn by `steps` of DDIM with the given guidance scale."""

    out: Path
    weights: Path
    count: int
    steps: int
    guidance: float
    parts: tuple[str, ...] = ()


def control_images(keypoints: torch.Tensor, style: ControlStyle = "openpose") -> torch.Tensor:
    """(B, 18, 3) px, visibility -> control maps in [0, 1]: (B, 3, 64, 64) for `openpose`, (B, 1, 64, 64) for `dots`."""
    draw = draw_openpose if style == "openpose" else draw_dots
    maps = np.stack([draw(k, IMAGE_SIZE) for k in keypoints.double().numpy()])
    return torch.from_numpy(maps).reshape(*maps.shape[:3], -1).permute(0, 3, 1, 2).float() / 255


def keypoints_of(drawn: list[Drawn]) -> torch.Tensor:
    return torch.stack([torch.from_numpy(d.keypoints).float() for d in drawn])


def keypoint_numbers(found: torch.Tensor, given: torch.Tensor, size: int) -> Numbers:
    """Mean error in pixels and PCK. found (N, 18, 2), given (N, 18, 3) in pixels of a picture of `size`."""
    distance = (found - given[..., :2]).norm(dim=-1)
    shares = {f"pck_{a}": (distance < a * size).float().mean().item() for a in (0.05, 0.1)}
    return {"error_px": distance.mean().item(), **shares}


def _detected(found: Keypoints) -> Numbers:
    """Share of pictures in which a figure was found."""
    return {"detected": (found.confidence.mean(1) > DETECTED).float().mean().item()}


@torch.no_grad()
def _find(detector: KeypointDetector, images: torch.Tensor) -> Keypoints:
    found = [detector(part) for part in images.split(BATCH)]
    return Keypoints(torch.cat([f.xy for f in found]), torch.cat([f.confidence for f in found]))


@torch.no_grad()
def _rebuilt(backbone: Backbone, images: torch.Tensor) -> torch.Tensor:
    return torch.cat([backbone.decode_latents(backbone.encode_images(part)) for part in images.split(BATCH)]).clamp(
        -1, 1
    )


def _rows(images: torch.Tensor, columns: int, rows: int) -> list[torch.Tensor]:
    """Full rows of a contact sheet, as many as there are pictures for."""
    return [images[i * columns : (i + 1) * columns] for i in range(min(rows, len(images) // columns))] or [images]


def judge_detector(detector: KeypointDetector, backbone: Backbone, count: int) -> dict[str, Numbers]:
    """On drawn pictures, half of them of held-out postures; on their reconstructions; on scenes without a figure."""
    drawn = [sample_world(EVALUATION_SEED + i, split=("train", "held_out")[i % 2]) for i in range(count)]
    images, given = to_tensor(drawn), keypoints_of(drawn)
    empty = torch.stack([torch.from_numpy(empty_scene(EVALUATION_SEED + i)) for i in range(count)]).permute(0, 3, 1, 2)
    figures, through_vae = _find(detector, images), _find(detector, _rebuilt(backbone, images))
    size = images.shape[-1]
    return {
        "drawn": keypoint_numbers(figures.xy, given, size) | _detected(figures),
        "through_vae": keypoint_numbers(through_vae.xy, given, size) | _detected(through_vae),
        "empty_scenes": _detected(_find(detector, to_unit(empty))),
    }


def judge_vae(backbone: Backbone, settings: Settings) -> Numbers:
    images = to_tensor([sample_world(EVALUATION_SEED + i) for i in range(settings.count)])
    rebuilt = _rebuilt(backbone, images)
    save_sheet([images[:16], rebuilt[:16]], settings.out / "vae.png")
    error = (images - rebuilt).square().mean((1, 2, 3))
    return {"psnr_db": (10 * torch.log10(4 / error)).mean().item()}


def _agreement(images: torch.Tensor, keypoints: torch.Tensor, drawn: list[Drawn]) -> Numbers:
    read = {
        "shirt": read_shirts(images, keypoints), "scene": read_scenes(images), "pose": read_poses(keypoints)
    }  # fmt: skip
    return {k: sum(r == d.attributes[k] for r, d in zip(v, drawn, strict=True)) / len(drawn) for k, v in read.items()}


@dataclass(frozen=True)
class Posed:
    """A primary adapter and what it is given: (N, 1 or 3, H, W) control maps in [0, 1]."""

    adapter: T2IAdapter
    maps: torch.Tensor


@torch.no_grad()
def _samples(
    backbone: Backbone, prompts: list[str], size: int, settings: Settings, posed: Posed | None = None
) -> torch.Tensor:
    """(N, 3, H, W) pictures, in batches; the noise of picture i is the same whatever else is drawn."""
    noise, batches = initial_noise(backbone, len(prompts), size, EVALUATION_SEED), []
    for start in range(0, len(prompts), BATCH):
        chosen = slice(start, start + BATCH)
        state = None if posed is None else posed.adapter(posed.maps[chosen])
        images = sample_images(
            backbone, prompts[chosen], noise[chosen], adapter_state=state,
            num_inference_steps=settings.steps, guidance_scale=settings.guidance,
        )  # fmt: skip
        batches.append(images.clamp(-1, 1))
    return torch.cat(batches)


def _posed(settings: Settings, name: str, style: ControlStyle, keypoints: torch.Tensor) -> Posed:
    folder = checked_folder(ADAPTERS[name], settings.weights)
    adapter = T2IAdapter.from_pretrained(folder, low_cpu_mem_usage=False).eval()
    return Posed(adapter, control_images(keypoints, style))


def judge_text_to_image(backbone: Backbone, judge: KeypointDetector, settings: Settings) -> dict[str, Numbers]:
    """Share of pictures whose shirt, scene and pose are read as the text says; the same rules on drawn pictures."""
    names = pose_names("train")
    drawn = [sample_world(EVALUATION_SEED + i, pose=names[i % len(names)]) for i in range(settings.count)]
    size, reference = drawn[0].image.shape[0], to_tensor(drawn)
    images = _samples(backbone, [unseen_prompt(d.attributes, with_pose=True) for d in drawn], size, settings)
    found = _find(judge, images)
    save_sheet(_rows(images, 16, 5), settings.out / "text_to_image.png")
    return {
        "generated": _agreement(images, found.xy, drawn) | _detected(found),
        "drawn": _agreement(reference, _find(judge, reference).xy, drawn),
    }


def judge_primaries(backbone: Backbone, judge: KeypointDetector, settings: Settings) -> dict[str, Numbers]:
    """Held-out poses given as control maps of limbs and of dots, prompts without pose words; text only as baseline."""
    drawn = [sample_world(EVALUATION_SEED + i, split="held_out") for i in range(settings.count)]
    given, size = keypoints_of(drawn), drawn[0].image.shape[0]
    prompts = [unseen_prompt(d.attributes, with_pose=False) for d in drawn]
    limbs, dots = _posed(settings, "mini", "openpose", given), _posed(settings, "mini-dots", "dots", given)
    ways = {"text_only": None, "openpose": limbs, "dots": dots}
    images = {name: _samples(backbone, prompts, size, settings, posed) for name, posed in ways.items()}
    rows = [*(pictures[:16] for pictures in images.values()), limbs.maps[:16] * 2 - 1, to_tensor(drawn[:16])]
    save_sheet(rows, settings.out / "primary.png")
    numbers = {}
    for name, pictures in images.items():
        found = _find(judge, pictures)
        followed = _followed(pictures, given[..., :2], drawn)
        numbers[name] = keypoint_numbers(found.xy, given, size) | _detected(found) | followed
    return numbers


def _followed(images: torch.Tensor, keypoints: torch.Tensor, drawn: list[Drawn]) -> Numbers:
    """Shirt and scene only: a held-out pose has no name among those that are read."""
    return {k: v for k, v in _agreement(images, keypoints, drawn).items() if k != "pose"}


def _seconds_for_one_picture(backbone: Backbone) -> Numbers:
    noise = initial_noise(backbone, 1, 64, EVALUATION_SEED)
    started = time.perf_counter()
    sample_images(backbone, ["a girl in a red shirt, on the beach"], noise, num_inference_steps=50)
    return {"seconds": time.perf_counter() - started}


def evaluate(settings: Settings) -> dict[str, dict[str, Numbers]]:
    """All numbers, by model; writes the contact sheets."""
    weights = settings.weights
    backbone = load_backbone("mini" if weights == WEIGHTS else str(checked_folder("backbone", weights)))
    judge = load_mini_detector("mini-judge", weights)
    parts: dict[str, Callable[[], dict[str, Numbers]]] = {
        "vae": lambda: {"drawn": judge_vae(backbone, settings)},
        "detector": lambda: judge_detector(load_mini_detector("mini", weights), backbone, settings.count),
        "judge": lambda: judge_detector(judge, backbone, settings.count),
        "blazepose": lambda: judge_detector(BlazePoseDetector("full"), backbone, settings.count),
        "text_to_image": lambda: judge_text_to_image(backbone, judge, settings),
        "primary": lambda: judge_primaries(backbone, judge, settings),
        "speed": lambda: {"50 steps": _seconds_for_one_picture(backbone)},
    }
    numbers: dict[str, dict[str, Numbers]] = {}
    for name in settings.parts or tuple(parts):
        numbers[name] = parts[name]()
        _print_table({name: numbers[name]})
    return numbers


def _print_table(numbers: dict[str, dict[str, Numbers]]) -> None:
    for model, parts in numbers.items():
        for part, values in parts.items():
            line = "  ".join(f"{name} {value:.3f}" for name, value in values.items())
            print(f"{model:14} {part:12} {line}", flush=True)


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m posetwin.mini.evaluate", description=__doc__)
    parser.add_argument(
        "parts", nargs="*", help="vae detector judge blazepose text_to_image primary speed; all by default"
    )
    parser.add_argument("--out", type=Path, default=Path(".posetwin/mini/evaluation"))
    parser.add_argument("--weights", type=Path, default=WEIGHTS, help="folder laid out as the shipped weights are")
    parser.add_argument("--count", type=int, default=500, help="pictures per measurement")
    parser.add_argument("--steps", type=int, default=20, help="sampling steps")
    parser.add_argument("--guidance", type=float, default=4.0, help="guidance scale")
    parser.add_argument("--threads", type=int, default=2, help="CPU threads")
    arguments = parser.parse_args(argv)
    torch.set_num_threads(arguments.threads)
    arguments.out.mkdir(parents=True, exist_ok=True)
    options = {k: v for k, v in vars(arguments).items() if k != "threads"}
    numbers = evaluate(Settings(**{**options, "parts": tuple(arguments.parts)}))
    (arguments.out / "evaluation.json").write_text(json.dumps(numbers, indent=2) + "\n")


if __name__ == "__main__":
    main()
