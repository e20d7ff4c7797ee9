"""`python -m posetwin.mini.evaluate [--out DIR] [--count N]`: what the shipped mini models reach.

All pictures come from evaluation seeds, which training never draws. Prints a table, writes evaluation.json and contact
sheets. PCK@a is the share of keypoints within a times the picture's side of where they should be.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import torch
from diffusers import T2IAdapter

from posetwin.keypoints.detector import KeypointDetector, Keypoints
from posetwin.keypoints.mini import load_mini_detector
from posetwin.mini.attributes import read_poses, read_scenes, read_shirts, to_tensor
from posetwin.mini.captions import PRONOUNS
from posetwin.mini.data import to_unit
from posetwin.mini.poses import POSES, pose_names
from posetwin.mini.sampler import initial_noise, sample_images
from posetwin.mini.scenes import SCENES
from posetwin.mini.sheets import save_sheet
from posetwin.mini.stages.primary import control_images
from posetwin.mini.world import EVALUATION_SEED, Drawn, empty_scene, sample_world
from posetwin.models.backbone import Backbone, load_backbone
from posetwin.shipped import checked_folder

Numbers = dict[str, float]
DETECTED = 0.5  # mean confidence above which a figure counts as found


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
def judge_detector(detector: KeypointDetector, backbone: Backbone, count: int) -> dict[str, Numbers]:
    drawn = [sample_world(EVALUATION_SEED + i, split=("train", "held_out")[i % 2]) for i in range(count)]
    images, given = to_tensor(drawn), keypoints_of(drawn)
    rebuilt = backbone.decode_latents(backbone.encode_images(images))
    empty = torch.stack([torch.from_numpy(empty_scene(EVALUATION_SEED + i)) for i in range(count)]).permute(0, 3, 1, 2)
    figures, through_vae = detector(images), detector(rebuilt)
    size = images.shape[-1]
    return {
        "drawn": keypoint_numbers(figures.xy, given, size) | _detected(figures),
        "through_vae": keypoint_numbers(through_vae.xy, given, size) | _detected(through_vae),
        "empty_scenes": _detected(detector(to_unit(empty))),
    }


def judge_vae(backbone: Backbone, count: int, out: Path) -> Numbers:
    images = to_tensor([sample_world(EVALUATION_SEED + i) for i in range(count)])
    rebuilt = backbone.decode_latents(backbone.encode_images(images)).clamp(-1, 1)
    save_sheet([images[:12], rebuilt[:12]], out / "vae.png")
    error = (images - rebuilt).square().mean((1, 2, 3))
    return {"psnr_db": (10 * torch.log10(4 / error)).mean().item()}


def _full_prompt(drawn: Drawn, *, with_pose: bool) -> str:
    subject, scene = drawn.attributes["subject"], SCENES[drawn.attributes["scene"]][0]
    pose = POSES[drawn.attributes["pose"]].phrases[0].format(**PRONOUNS[subject])
    named = f" {pose}," if with_pose else ""
    return f"a {subject} in a {drawn.attributes['shirt']} shirt,{named} {scene}"


def _agreement(images: torch.Tensor, keypoints: torch.Tensor, drawn: list[Drawn]) -> Numbers:
    read = {
        "shirt": read_shirts(images, keypoints), "scene": read_scenes(images), "pose": read_poses(keypoints)
    }  # fmt: skip
    return {k: sum(r == d.attributes[k] for r, d in zip(v, drawn, strict=True)) / len(drawn) for k, v in read.items()}


@torch.no_grad()
def judge_text_to_image(backbone: Backbone, judge: KeypointDetector, count: int, out: Path) -> dict[str, Numbers]:
    """Share of pictures whose shirt, scene and pose are read as the text says; the same rules on drawn pictures."""
    names = pose_names("train")
    drawn = [sample_world(EVALUATION_SEED + i, pose=names[i % len(names)]) for i in range(count)]
    noise = initial_noise(backbone, count, drawn[0].image.shape[0], EVALUATION_SEED)
    images = sample_images(backbone, [_full_prompt(d, with_pose=True) for d in drawn], noise)
    found = judge(images)
    reference = to_tensor(drawn)
    save_sheet([images[i : i + 13] for i in range(0, min(count, 52) - 12, 13)], out / "text_to_image.png")
    return {
        "generated": _agreement(images.clamp(-1, 1), found.xy, drawn) | _detected(found),
        "drawn": _agreement(reference, judge(reference).xy, drawn),
    }


@torch.no_grad()
def judge_primary(backbone: Backbone, judge: KeypointDetector, count: int, out: Path) -> dict[str, Numbers]:
    """Held-out poses given as control maps, prompts without pose words; text only as the baseline."""
    adapter = T2IAdapter.from_pretrained(checked_folder("adapter"), low_cpu_mem_usage=False).eval()
    drawn = [sample_world(EVALUATION_SEED + i, split="held_out") for i in range(count)]
    given, size = keypoints_of(drawn), drawn[0].image.shape[0]
    maps, noise = control_images(given), initial_noise(backbone, count, size, EVALUATION_SEED)
    prompts = [_full_prompt(d, with_pose=False) for d in drawn]
    plain = sample_images(backbone, prompts, noise)
    posed = sample_images(backbone, prompts, noise, adapter_state=adapter(maps))
    save_sheet([plain[:12], posed[:12], maps[:12] * 2 - 1, to_tensor(drawn[:12])], out / "primary.png")
    found = {"text_only": judge(plain), "primary": judge(posed)}
    return {name: keypoint_numbers(f.xy, given, size) | _detected(f) for name, f in found.items()}


def evaluate(out: Path, count: int) -> dict[str, dict[str, Numbers]]:
    """All numbers, by model; writes the contact sheets into `out`."""
    backbone, judge = load_backbone("mini"), load_mini_detector("mini-judge")
    return {
        "vae": {"drawn": judge_vae(backbone, 4 * count, out)},
        "detector": judge_detector(load_mini_detector("mini"), backbone, 4 * count),
        "judge": judge_detector(judge, backbone, 4 * count),
        "text_to_image": judge_text_to_image(backbone, judge, count, out),
        "primary": judge_primary(backbone, judge, count, out),
    }


def _print_table(numbers: dict[str, dict[str, Numbers]]) -> None:
    for model, parts in numbers.items():
        for part, values in parts.items():
            line = "  ".join(f"{name} {value:.3f}" for name, value in values.items())
            print(f"{model:14} {part:12} {line}")


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m posetwin.mini.evaluate", description=__doc__)
    parser.add_argument("--out", type=Path, default=Path(".posetwin/mini/evaluation"))
    parser.add_argument("--count", type=int, default=52, help="generated pictures per measurement")
    parser.add_argument("--threads", type=int, default=2, help="CPU threads")
    arguments = parser.parse_args(argv)
    torch.set_num_threads(arguments.threads)
    arguments.out.mkdir(parents=True, exist_ok=True)
    numbers = evaluate(arguments.out, arguments.count)
    (arguments.out / "evaluation.json").write_text(json.dumps(numbers, indent=2) + "\n")
    _print_table(numbers)


if __name__ == "__main__":
    main()
