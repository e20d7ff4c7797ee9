from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from typing import Any

import pytest
import torch
from diffusers.models.attention_processor import Attention
from real_memory import RealStep, full_size, question, training
from tiny import Stack
from torch import nn

from posetwin.bridge import dispatch
from posetwin.training.memory.flops import Flops, Pass, count_flops

NOISED = {"latents": {"source": "noised", "state": "own"}}


@cache
def counted(changes: str = "{}") -> Flops:
    return count_flops(training(batch_size=1, **json.loads(changes)))


def counted_with(**changes: Any) -> Flops:
    return counted(json.dumps(changes))


@pytest.fixture()
def tiny(stack: Stack) -> dict[str, Any]:
    return {part: stack.models[part]["path"] for part in ("backbone", "adapter")}


def by_hand(modules: list[nn.Module], run: Callable[[], Any]) -> int:
    """Two for every multiply-add of the convolutions, linear layers and attention that `run` goes through, from the
    shapes that hooks see."""
    sums: list[int] = []

    def of_layer(layer: Any, _given: Any, output: torch.Tensor) -> None:
        sums.append(2 * output.numel() * layer.weight[0].numel())

    def of_attention(layer: Any, args: tuple[torch.Tensor, ...], given: dict[str, Any], _output: Any) -> None:
        queries = args[0].shape[1]
        keys = queries if given.get("encoder_hidden_states") is None else given["encoder_hidden_states"].shape[1]
        # Q·Kᵀ and its product with V.
        sums.append(2 * 2 * len(args[0]) * queries * keys * layer.inner_dim)

    layers = [layer for module in modules for layer in module.modules()]
    hooks = [one.register_forward_hook(of_layer) for one in layers if isinstance(one, (nn.Conv2d, nn.Linear))]
    attention = [one for one in layers if isinstance(one, Attention)]
    hooks += [one.register_forward_hook(of_attention, with_kwargs=True) for one in attention]
    with torch.no_grad():
        run()
    for hook in hooks:
        hook.remove()
    return sum(sums)


def test_every_part_of_the_mini_models_is_counted_as_by_hand() -> None:
    task, found = RealStep(training(batch_size=1)).task, counted_with().parts
    batch, objective = task.batches.gather(range(1)), task.objective
    backbone, detector = objective.denoiser.backbone, objective.detector
    assert isinstance(detector, nn.Module)
    features = task.features(task.adapter, batch.controls_b)
    runs: dict[str, tuple[nn.Module, Callable[[], Any]]] = {
        "adapter": (task.adapter, lambda: task.features(task.adapter, batch.controls_b)),
        "unet": (backbone.unet, lambda: objective.denoiser.route(batch, batch.noise, 1, features)),
        "decoder": (backbone.vae, lambda: backbone.decode_latents(batch.latents_a)),
        "detector": (detector, lambda: objective.look(torch.zeros(1, 3, 64, 64))),
    }
    assert {name: by_hand([module], run) for name, (module, run) in runs.items()} == {
        name: part.forward for name, part in found.items()
    }
    # Of a frozen convolution only the gradient to its input is computed, which takes as much as the way there.
    assert found["decoder"] == Pass(found["decoder"].forward, found["decoder"].forward)
    # Of a trained one both; the control map wants none: 48 channels of 16x16 into a 3x3 convolution to 64.
    first = 2 * 16 * 16 * 48 * 3 * 3 * 64
    assert found["adapter"].backward == 2 * found["adapter"].forward - first


def test_stable_diffusion_takes_what_others_have_counted() -> None:
    found = counted_with(**full_size("sd15", image_size=512, attention="eager"), **NOISED).parts
    # Multiply-adds at 512 px by thop, which does not look into attention (Nota-NetsPresso/BK-SDM, issue 53). Q·Kᵀ and
    # its product with V are added here, for self- and cross-attention: 5 blocks of 64x64, 32x32 and 16x16, one of 8x8.
    blocks = [(64**2, 320, 5), (32**2, 640, 5), (16**2, 1280, 5), (8**2, 1280, 1)]
    attention = sum(2 * n * (n + 77) * width * count for n, width, count in blocks)
    assert found["unet"].forward == pytest.approx(2 * (338_749_194_240 + attention), rel=2e-3)
    decoder_attention = 2 * 64**4 * 512
    assert found["decoder"].forward == pytest.approx(2 * (1_240_079_532_032 + decoder_attention), rel=2e-3)


@pytest.mark.parametrize("changes", [{}, {"gradient_checkpointing": True}], ids=["kept", "computed twice"])
def test_a_step_at_one_t_is_both_routes_and_the_way_back_of_one(tiny: dict[str, Any], changes: dict[str, Any]) -> None:
    found = counted_with(**tiny, **changes)
    adapter, *frozen = (found.parts[name] for name in ("adapter", "unet", "decoder", "detector"))
    assert found.first_t == adapter.forward + adapter.backward + sum(2 * one.forward + one.backward for one in frozen)


def test_checkpointing_computes_the_way_there_once_more(tiny: dict[str, Any]) -> None:
    kept, twice = counted_with(**tiny).parts, counted_with(**tiny, gradient_checkpointing=True).parts
    for name in ("decoder", "detector"):
        assert twice[name].backward == pytest.approx(kept[name].backward + kept[name].forward, rel=0.05)


def test_the_t_on_the_way_cost_what_the_readings_do_there(tiny: dict[str, Any]) -> None:
    walk, visit = counted_with(**tiny), counted_with(**tiny, update="per-trajectory")
    adapter = walk.parts["adapter"]
    assert walk.further_t == 2 * walk.parts["unet"].forward
    assert visit.further_t == visit.first_t - adapter.forward - adapter.backward
    assert counted_with(**tiny, **NOISED).further_t == 0
    # The schedule has four t: a step `per-step` comes by one and a half on average beyond its first.
    assert walk.step == walk.first_t + 1.5 * walk.further_t
    assert visit.step == visit.first_t + 3 * visit.further_t


def test_the_primary_takes_one_route_without_a_picture(tiny: dict[str, Any]) -> None:
    found = counted_with(**tiny, stage="primary")
    assert set(found.parts) == {"adapter", "unet"}
    assert found.step == sum(part.forward + part.backward for part in found.parts.values())


def test_the_answer_holds_whole_numbers_by_part(tiny: dict[str, Any]) -> None:
    value = json.loads(dispatch("count_flops", json.dumps(question(batch_size=1, **tiny))))["value"]
    assert value["reason"] == ""
    assert value["flops"]["parts"]["unet"]["forward"] == counted_with(**tiny).parts["unet"].forward
