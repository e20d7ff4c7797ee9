"""The shipped mini models load, fit together and are the files that were shipped."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import torch
from diffusers import T2IAdapter

from posetwin.errors import PosetwinError
from posetwin.keypoints.mini import load_mini_detector
from posetwin.mini.attributes import to_tensor
from posetwin.mini.data import to_unit
from posetwin.mini.evaluate import control_images, keypoint_numbers, keypoints_of
from posetwin.mini.world import EVALUATION_SEED, empty_scene, sample_world
from posetwin.models.backbone import Backbone, load_backbone
from posetwin.shipped import WEIGHTS, checked_folder

EVALUATED = [sample_world(EVALUATION_SEED + i, split=("train", "held_out")[i % 2]) for i in range(32)]


@pytest.fixture(scope="module")
def backbone() -> Backbone:
    torch.set_num_threads(1)
    return load_backbone("mini")


def test_all_weights_together_are_at_most_30_megabytes() -> None:
    assert sum(p.stat().st_size for p in WEIGHTS.rglob("*") if p.is_file()) <= 30e6


@pytest.mark.parametrize("part", ["backbone", "adapter", "detector", "judge"])
def test_every_part_passes_its_hash_check(part: str) -> None:
    assert checked_folder(part) == WEIGHTS / part


def test_a_flipped_byte_is_wrong_weights(tmp_path: Path) -> None:
    shutil.copytree(WEIGHTS, tmp_path / "weights")
    file = tmp_path / "weights" / "detector" / "model.safetensors"
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes(content)
    with pytest.raises(PosetwinError) as caught:
        checked_folder("detector", tmp_path / "weights")
    assert caught.value.code == "wrong_weights"
    assert checked_folder("judge", tmp_path / "weights").is_dir()


def test_a_deleted_file_is_missing_weights(tmp_path: Path) -> None:
    shutil.copytree(WEIGHTS, tmp_path / "weights")
    (tmp_path / "weights" / "judge" / "model.safetensors").unlink()
    with pytest.raises(PosetwinError) as caught:
        checked_folder("judge", tmp_path / "weights")
    assert caught.value.code == "missing_weights"


def test_a_folder_that_is_no_model_is_missing_weights(tmp_path: Path) -> None:
    with pytest.raises(PosetwinError) as caught:
        load_backbone(str(tmp_path))
    assert caught.value.code == "missing_weights"
    assert "unet" in caught.value.message


def test_the_backbone_is_frozen_and_in_eval_mode(backbone: Backbone) -> None:
    for module in (backbone.text_encoder, backbone.vae, backbone.unet):
        assert not module.training
        assert not any(p.requires_grad for p in module.parameters())


def test_a_path_loads_the_same_as_the_name(backbone: Backbone) -> None:
    other = load_backbone(str(WEIGHTS / "backbone"))
    assert torch.equal(other.unet.conv_in.weight, backbone.unet.conv_in.weight)


def test_shapes_fit_together(backbone: Backbone) -> None:
    channels = backbone.unet.config["in_channels"]
    assert backbone.latent_shape(64) == (channels, 16, 16)
    assert backbone.encode_prompt(["a girl, waving her left hand"]).shape == (1, 24, 96)
    latents = backbone.encode_images(torch.zeros(2, 3, 64, 64))
    assert latents.shape == (2, channels, 16, 16)
    assert backbone.decode_latents(latents).shape == (2, 3, 64, 64)


def test_a_size_that_the_unet_cannot_halve_is_refused(backbone: Backbone) -> None:
    with pytest.raises(PosetwinError) as caught:
        backbone.latent_shape(68)
    assert caught.value.code == "out_of_range"


def test_any_text_can_be_encoded_and_long_texts_are_cut(backbone: Backbone) -> None:
    texts = ["", "naïve 東京 zebra 🏏", "a girl " * 40]
    embeds = backbone.encode_prompt(texts)
    assert embeds.shape == (3, 24, 96)
    assert embeds.isfinite().all()


def test_latents_have_about_unit_deviation(backbone: Backbone) -> None:
    assert backbone.encode_images(to_tensor(EVALUATED)).std().item() == pytest.approx(1, abs=0.15)


def test_the_vae_keeps_pictures_recognisable(backbone: Backbone) -> None:
    images = to_tensor(EVALUATED)
    rebuilt = backbone.decode_latents(backbone.encode_images(images)).clamp(-1, 1)
    error = (images - rebuilt).square().mean((1, 2, 3))
    assert (10 * torch.log10(4 / error)).mean().item() >= 26


def test_decoding_is_differentiable_and_does_not_clamp(backbone: Backbone) -> None:
    latents = (
        3 * torch.randn(1, *backbone.latent_shape(64), generator=torch.Generator().manual_seed(0))
    ).requires_grad_()
    image = backbone.decode_latents(latents)
    image.square().sum().backward()
    assert latents.grad is not None and (latents.grad.flatten(1).abs().sum(1) > 0).all()
    assert image.abs().max() > 1


def test_adapter_features_add_to_the_unet(backbone: Backbone) -> None:
    adapter = T2IAdapter.from_pretrained(checked_folder("adapter"), low_cpu_mem_usage=False).eval()
    features = adapter(control_images(keypoints_of(EVALUATED[:2])))
    widths = backbone.unet.config["block_out_channels"]
    assert [tuple(f.shape[1:]) for f in features] == [(w, n, n) for w, n in zip(widths, (16, 8, 4), strict=True)]
    embeds, latents = backbone.encode_prompt(["a girl", "a boy"]), torch.zeros(2, *backbone.latent_shape(64))
    plain = backbone.unet(latents, 500, embeds).sample
    posed = backbone.unet(latents, 500, embeds, down_intrablock_additional_residuals=list(features)).sample
    assert posed.shape == plain.shape
    assert not torch.allclose(posed, plain)


@pytest.mark.parametrize("name", ["mini", "mini-judge"])
def test_a_detector_finds_keypoints_on_pictures_it_never_saw(name: str) -> None:
    found = load_mini_detector(name)(to_tensor(EVALUATED))
    assert keypoint_numbers(found.xy, keypoints_of(EVALUATED), 64)["pck_0.1"] > 0.95


@pytest.mark.parametrize("name", ["mini", "mini-judge"])
def test_a_detector_is_sure_of_figures_and_not_of_empty_scenes(name: str) -> None:
    detector = load_mini_detector(name)
    scenes = torch.stack([torch.from_numpy(empty_scene(EVALUATION_SEED + i)) for i in range(32)]).permute(0, 3, 1, 2)
    assert detector(to_tensor(EVALUATED)).confidence.mean() > 0.9
    assert detector(to_unit(scenes)).confidence.mean() < 0.1


@pytest.mark.parametrize("name", ["mini", "mini-judge"])
def test_a_detector_answers_in_pixels_of_the_given_image(name: str) -> None:
    detector, image = load_mini_detector(name), to_tensor(EVALUATED[:1])
    wide = torch.nn.functional.interpolate(image, (128, 256), mode="bilinear")
    ratio = detector(wide).xy / detector(image).xy
    assert ratio[..., 0].mean().item() == pytest.approx(4, abs=0.1)
    assert ratio[..., 1].mean().item() == pytest.approx(2, abs=0.05)


@pytest.mark.parametrize("name", ["mini", "mini-judge"])
def test_a_detector_is_frozen_and_passes_gradients_to_the_image(name: str) -> None:
    detector, image = load_mini_detector(name), to_tensor(EVALUATED[:2]).requires_grad_()
    detector(image).xy.sum().backward()
    assert image.grad is not None and (image.grad.flatten(1).abs().sum(1) > 0).all()
    assert not any(p.requires_grad for p in detector.parameters())
