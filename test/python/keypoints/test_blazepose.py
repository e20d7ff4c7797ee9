"""BlazePose in torch: what it finds, and that it is differentiable. The graphs are compared in test_tflite.py."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from skier import pck, skier_image, skier_keypoints

from posetwin.errors import PosetwinError
from posetwin.keypoints.blazepose import BlazePoseDetector, Regions, Variant
from posetwin.keypoints.blazepose.weights import FOLDER_VARIABLE


@pytest.fixture(scope="module")
def full() -> BlazePoseDetector:
    return BlazePoseDetector("full")


def _as_batch(*images: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(np.stack(images)).movedim(-1, 1).float() / 127.5 - 1


def _packaged_picture(package: str, path: str) -> np.ndarray:
    spec = importlib.util.find_spec(package)
    file = Path(spec.origin).parent / path if spec and spec.origin else None
    if file is None or not file.is_file():
        pytest.skip(f"{package} with {path} is not installed")
    return np.array(Image.open(file).convert("RGB"))


@pytest.mark.parametrize(("variant", "at_least"), [("lite", 0.9), ("full", 0.9), ("heavy", 0.9)])
def test_a_skier_is_found_within_a_fifth_of_the_torso(variant: Variant, at_least: float) -> None:
    detected = BlazePoseDetector(variant).detect_keypoints(skier_image())
    assert pck(detected, skier_keypoints()) >= at_least
    assert (detected[:, 2] > 0.5).all()


def test_the_person_detector_finds_one_skier(full: BlazePoseDetector) -> None:
    (person,) = full.detect_people(skier_image())
    nose = skier_keypoints()[0, :2]
    assert person.score > 0.9
    assert (person.box[:2] < nose).all() and (nose < person.box[2:]).all()


def test_two_people_in_one_photo_are_two(full: BlazePoseDetector) -> None:
    image = skier_image()
    assert len(full.detect_people(np.concatenate([image[:, 200:560], image[:, 200:560]], axis=1))) == 2


def test_a_turned_photo_gives_turned_keypoints(full: BlazePoseDetector) -> None:
    image, target = skier_image(), skier_keypoints()
    turned = full.detect_keypoints(np.ascontiguousarray(np.rot90(image)))
    # A quarter turn counter-clockwise: (x, y) → (y, width - x).
    back = np.stack([image.shape[1] - turned[:, 1], turned[:, 0]], axis=1)
    assert pck(back, target) >= 0.9


def test_images_of_a_batch_do_not_see_each_other(full: BlazePoseDetector) -> None:
    image = skier_image()
    batch = _as_batch(image, np.full_like(image, 127), image[:, ::-1])
    with torch.no_grad():
        together = full(batch)
        alone = full(batch[2:])
    assert torch.allclose(together.xy[2], alone.xy[0], atol=1e-2)
    assert torch.allclose(together.confidence[2], alone.confidence[0], atol=1e-4)


@pytest.mark.parametrize("value", [0, 127, 255])
def test_a_blank_image_has_no_person_and_finite_keypoints(full: BlazePoseDetector, value: int) -> None:
    blank = np.full((90, 120, 3), value, np.uint8)
    keypoints = full.detect_keypoints(blank)
    assert full.detect_people(blank) == []
    assert (keypoints[:, 2] == 0).all() and np.isfinite(keypoints).all()


@pytest.mark.parametrize(
    ("package", "path"),
    [
        ("skimage", "data/astronaut.png"),
        ("skimage", "data/camera.png"),
        ("matplotlib", "mpl-data/sample_data/grace_hopper.jpg"),
    ],
)
def test_people_in_photos_of_installed_packages_are_found(full: BlazePoseDetector, package: str, path: str) -> None:
    picture = _packaged_picture(package, path)
    nose, right_shoulder, left_shoulder = full.detect_keypoints(picture)[[0, 2, 5]]
    assert min(nose[2], right_shoulder[2], left_shoulder[2]) > 0.9
    assert right_shoulder[0] < left_shoulder[0]
    assert nose[1] < min(right_shoulder[1], left_shoulder[1])


@pytest.mark.parametrize(
    ("package", "path"),
    [
        ("scipy", "ndimage/tests/dots.png"),
        ("networkx", "drawing/tests/baseline/test_house_with_colors.png"),
        ("skimage", "data/chelsea.png"),
        ("skimage", "data/coffee.png"),
        ("sklearn", "datasets/images/flower.jpg"),
    ],
)
def test_pictures_of_installed_packages_without_a_person_have_none(
    full: BlazePoseDetector, package: str, path: str
) -> None:
    assert (full.detect_keypoints(_packaged_picture(package, path))[:, 2] == 0).all()


def test_the_gradient_agrees_with_finite_differences(full: BlazePoseDetector) -> None:
    """float64, central differences along a smooth direction; the kinks of ReLU6 leave less than 1 %."""
    exact = BlazePoseDetector("lite").double()
    images = _as_batch(skier_image()).double().requires_grad_()
    regions = exact.find_regions(images)
    weights = torch.linspace(-1, 1, 36, dtype=torch.float64).view(1, 18, 2)

    def objective(x: torch.Tensor) -> torch.Tensor:
        return (exact(x, regions).xy * weights).sum()

    (gradient,) = torch.autograd.grad(objective(images), images)
    assert gradient.isfinite().all() and gradient.abs().max() > 0
    direction = gradient / gradient.norm()
    step = 1e-5
    with torch.no_grad():
        difference = (objective(images + step * direction) - objective(images - step * direction)) / (2 * step)
    assert difference.item() == pytest.approx(gradient.norm().item(), rel=0.01)


def test_every_joint_moves_with_the_image(full: BlazePoseDetector) -> None:
    images = _as_batch(skier_image()).requires_grad_()
    xy = full(images).xy
    for joint in (0, 4, 10, 13):
        (gradient,) = torch.autograd.grad(xy[0, joint].sum(), images, retain_graph=True)
        assert gradient.isfinite().all() and gradient.norm() > 0


def test_a_given_region_is_used_as_it_is(full: BlazePoseDetector) -> None:
    """The square that people are found in is not looked for again, so a shifted picture shifts the answer."""
    images = _as_batch(skier_image())
    regions = full.find_regions(images)
    moved = regions._replace(centre=regions.centre + 16)
    with torch.no_grad():
        before = full(images, regions).xy
        after = full(torch.nn.functional.pad(images, (16, 0, 16, 0), value=-1), moved).xy
    assert torch.allclose(after, before + 16, atol=0.05)


def test_an_image_without_a_person_gives_a_finite_gradient(full: BlazePoseDetector) -> None:
    images = torch.zeros(2, 3, 64, 64, requires_grad=True)
    full(images).xy.sum().backward()
    assert images.grad is not None and images.grad.isfinite().all()


def test_autocast_does_not_coarsen_the_keypoints(full: BlazePoseDetector) -> None:
    images = torch.zeros(1, 3, 64, 64)
    with torch.no_grad():
        plain = full(images).xy
        with torch.autocast("cpu", torch.bfloat16):
            cast = full(images).xy
    assert torch.equal(plain, cast)


def test_nothing_of_it_can_be_trained(full: BlazePoseDetector) -> None:
    assert list(full.parameters()) == [] and not full.training


def test_an_unknown_variant_is_refused_with_unknown_value() -> None:
    with pytest.raises(PosetwinError) as caught:
        BlazePoseDetector("huge")  # pyright: ignore[reportArgumentType]
    assert caught.value.code == "unknown_value"


def test_an_image_of_another_form_is_refused_with_bad_image(full: BlazePoseDetector) -> None:
    with pytest.raises(PosetwinError) as caught:
        full.detect_people(np.zeros((8, 8)))
    assert caught.value.code == "bad_image"


def test_a_folder_without_weights_ends_in_missing_weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path))
    with pytest.raises(PosetwinError) as caught:
        BlazePoseDetector("lite")
    assert caught.value.code == "missing_weights" and "npm ci" in (caught.value.hint or "")


def test_a_region_is_the_square_around_the_body_circle() -> None:
    """MediaPipe: 2 × 1.25 × the distance from mid-hip to the rim; a body lying to the right is turned by 90°."""
    from posetwin.keypoints.blazepose.regions import regions_from_points

    centre, rim = torch.tensor([[50.0, 60.0]]), torch.tensor([[90.0, 60.0]])
    region: Regions = regions_from_points(centre, rim, torch.tensor([True]))
    assert region.size.item() == pytest.approx(100)
    assert region.angle.item() == pytest.approx(np.pi / 2)
