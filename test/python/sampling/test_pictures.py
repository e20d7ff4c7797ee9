from __future__ import annotations

import json
import tarfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from diffusers import StableDiffusionPipeline
from PIL import Image
from tiny import DATASET, EVALUATE, Stack, ignore, make_job

import posetwin
from posetwin.contracts import BaselineResult, EvaluateResult, FigureResult
from posetwin.models.backbone import load_backbone
from posetwin.sampling.denoise import predict_noise
from posetwin.sampling.noise import draw_noise
from posetwin.sampling.sampler import SamplerSettings, generate, make_scheduler
from posetwin.stages import run

JUDGE = {"detector": {"kind": "mini"}, "judge": {"kind": "mini-judge"}, "evaluate": EVALUATE}


@pytest.fixture(scope="module")
def trained(stack: Stack) -> Path:
    output = stack.folder / "trained"
    run(stack.train_job(output, train={"max_train_steps": 2}), ignore)
    return output


def evaluate(stack: Stack, trained: Path, output: Path) -> EvaluateResult:
    spec = {"seed": 0, **stack.models, **JUDGE}
    baseline = output / "baseline"
    run(make_job("baseline", baseline, {"assemble": stack.assemble, "primary": stack.primary}, spec), ignore)
    inputs = {"assemble": stack.assemble, "baseline": baseline, "train": trained}
    run(make_job("evaluate", output, inputs, spec), ignore)
    return EvaluateResult.model_validate_json((output / "result.json").read_text())


def figure_spec(stack: Stack, **more: Any) -> dict[str, Any]:
    return {**stack.models, **JUDGE, "dataset": DATASET, **more}


def test_evaluation_judges_every_route_of_the_chosen_pairs(stack: Stack, trained: Path, tmp_path: Path) -> None:
    result = evaluate(stack, trained, tmp_path)
    assert [(pair.a, pair.b) for pair in result.pairs] == [(6, 7), (8, 9), (7, 6)]
    for pair in result.pairs:
        assert pair.text_only.scene_drift is None
        assert pair.primary.scene_drift is not None and pair.secondary.scene_drift is not None
        assert pair.text_only.scene_ssim is None
        assert -1 <= pair.primary.scene_ssim <= 1 and -1 <= pair.secondary.scene_ssim <= 1
        for image in (pair.image_a, pair.text_only.image, pair.primary.image, pair.secondary.image):
            assert Image.open(tmp_path / image).size == (64, 64)


def test_an_adapter_that_is_the_primary_is_judged_as_the_primary(stack: Stack, trained: Path, tmp_path: Path) -> None:
    evaluate(stack, trained, tmp_path / "first")
    baseline, untrained = tmp_path / "first" / "baseline", tmp_path / "untrained"
    untrained.mkdir()
    (untrained / "adapter").symlink_to(stack.primary)
    spec = {"seed": 0, **stack.models, **JUDGE}
    run(
        make_job(
            "evaluate",
            tmp_path / "second",
            {"assemble": stack.assemble, "baseline": baseline, "train": untrained},
            spec,
        ),
        ignore,
    )
    result = EvaluateResult.model_validate_json((tmp_path / "second" / "result.json").read_text())
    known = BaselineResult.model_validate_json((baseline / "result.json").read_text())
    for pair, before in zip(result.pairs, known.pairs, strict=True):
        assert pair.primary == before.primary
        assert pair.secondary.model_dump(exclude={"image"}) == pair.primary.model_dump(exclude={"image"})


def test_evaluation_gives_the_same_bytes_again(stack: Stack, trained: Path, tmp_path: Path) -> None:
    evaluate(stack, trained, tmp_path / "first")
    evaluate(stack, trained, tmp_path / "second")
    for path in (p for p in (tmp_path / "first").rglob("*") if p.is_file()):
        assert path.read_bytes() == (tmp_path / "second" / path.relative_to(tmp_path / "first")).read_bytes()


def test_the_figure_shows_text_only_primary_and_secondary(stack: Stack, trained: Path, tmp_path: Path) -> None:
    figures = {"prompt": "a girl, waving her left hand", "pose": "waving her left hand", "seed": 0}
    run(
        make_job(
            "figures", tmp_path, {"primary": stack.primary, "train": trained}, figure_spec(stack, figures=figures)
        ),
        ignore,
    )
    result = FigureResult.model_validate_json((tmp_path / "result.json").read_text())
    assert result.secondary is not None
    for name in (result.control, result.text_only.image, result.primary.image, result.secondary.image):
        assert Image.open(tmp_path / name).size == (64, 64)


def stack_files(stack: Stack) -> list[bytes]:
    """The first shard's, in their order: picture, control map, caption, keypoints."""
    with tarfile.open(stack.assemble / "shards" / "000000.tar") as tar:
        return [file.read() for member in tar if (file := tar.extractfile(member)) is not None]


def test_samples_differ_by_their_noise_and_a_control_map_may_stand_for_the_pose(
    stack: Stack, trained: Path, tmp_path: Path
) -> None:
    pose, (_, control, *_) = tmp_path / "pose.png", stack_files(stack)
    pose.write_bytes(control)
    wanted = {"prompt": "a girl", "pose": str(pose), "seed": 3, "num_images": 2}
    run(
        make_job("sample", tmp_path, {"primary": stack.primary, "train": trained}, figure_spec(stack, **wanted)), ignore
    )
    images = json.loads((tmp_path / "result.json").read_text())["images"]
    pixels = [np.asarray(Image.open(tmp_path / image["primary"]["image"])) for image in images]
    assert len(pixels) == 2
    assert not np.array_equal(pixels[0], pixels[1])


def test_text_only_is_what_diffusers_own_pipeline_samples(stack: Stack) -> None:
    backbone = load_backbone(stack.models["backbone"]["path"])
    noise = draw_noise(0, "test", [0], backbone.latent_shape(64))
    images = generate(backbone, ["a girl"], None, noise, SamplerSettings(3, 4.0))
    pipeline = StableDiffusionPipeline(
        vae=backbone.vae,
        text_encoder=backbone.text_encoder,
        tokenizer=backbone.tokenizer,
        unet=backbone.unet,
        scheduler=make_scheduler(backbone, 3),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )
    pipeline.set_progress_bar_config(disable=True)
    latents = pipeline(
        "a girl", height=64, width=64, num_inference_steps=3, guidance_scale=4.0, latents=noise, output_type="latent"
    ).images
    torch.testing.assert_close(images, backbone.decode_latents(latents), rtol=1e-4, atol=1e-4)


def test_features_enter_both_halves_of_guidance_and_survive_the_call(stack: Stack) -> None:
    backbone = load_backbone(stack.models["backbone"]["path"])
    latents, embeds = torch.randn(2, 4, 16, 16), torch.randn(2, 12, 16)
    negative, features = torch.randn(2, 12, 16), [torch.randn(2, 16, 16, 16), torch.randn(2, 32, 8, 8)]
    with torch.no_grad():
        unconditional = predict_noise(backbone.unet, latents, 500.5, negative, features)
        conditional = predict_noise(backbone.unet, latents, 500.5, embeds, features)
        guided = predict_noise(backbone.unet, latents, 500.5, embeds, features, 3.0, negative)
    assert len(features) == 2
    torch.testing.assert_close(guided, unconditional + 3 * (conditional - unconditional), rtol=1e-4, atol=1e-4)


def test_the_notebook_samples_with_an_adapter_from_a_folder(stack: Stack, trained: Path) -> None:
    adapter = posetwin.load_adapter(trained / "adapter")
    backbone = stack.models["backbone"]["path"]
    options = {"pose": "arms_up", "backbone": backbone, "num_inference_steps": 2}
    [first] = posetwin.sample("a girl", adapter=adapter, seed=0, **options)
    [other] = posetwin.sample("a girl", adapter=adapter, seed=1, **options)
    assert first.size == (64, 64)
    assert first.tobytes() != other.tobytes()
