from __future__ import annotations

import json
import shutil
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import torch
from real_memory import CASES, RealStep, allocated_bytes, compare, full_size, question, training
from tiny import Stack, make_vae

from posetwin.adapters.t2i import load_adapter
from posetwin.bridge import dispatch
from posetwin.training.memory.estimate import Estimate, estimate
from posetwin.training.memory.ledger import Ledger

# The tolerance.
NEAR = 0.15


@cache
def _estimated(changes: str) -> Estimate:
    return estimate(training(**json.loads(changes)))


def estimated(**changes: Any) -> Estimate:
    return _estimated(json.dumps(changes))


def resident_bytes() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


@pytest.mark.parametrize("changes", CASES.values(), ids=CASES.keys())
def test_a_step_holds_what_hooks_and_the_allocator_see(changes: dict[str, Any]) -> None:
    found = compare(**changes)
    assert found.estimated_saved == pytest.approx(found.saved, rel=NEAR)
    assert found.estimated_peak == pytest.approx(found.peak, rel=NEAR)


def test_recomputed_activations_are_not_held() -> None:
    assert estimated(gradient_checkpointing=True).peaks["step"] < 0.8 * estimated().peaks["step"]


def test_the_gradient_gate_and_the_measurement_at_boundaries_are_counted() -> None:
    two = {"batch_size": 2}
    found, real = estimated(**two), RealStep(training(**two))
    without_state = real.standing_bytes() - found.optimizer
    assert found.peaks["self_test"] == pytest.approx(without_state + allocated_bytes(real.gate), rel=NEAR)
    one = RealStep(training(batch_size=1))
    one.step()
    measured = one.standing_bytes() + allocated_bytes(one.sides)
    assert found.peaks["gradient_sides"] == pytest.approx(measured, rel=NEAR)


ADAPTER = 77_369_280
PUBLISHED = {
    # U-Net, VAE and text encoder (of SDXL the first of its two) as their authors count them; then the adapter, of which
    # SDXL's begins with patches of 16 px instead of 8: 768 - 192 more channels go into a 3x3 convolution to 320.
    "sd15": (859_520_964 + 83_653_863 + 123_060_480, ADAPTER, 512),
    "sdxl": (2_567_463_684 + 83_653_863 + 123_060_480, ADAPTER + (768 - 192) * 320 * 9, 1024),
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_a_full_size_model_is_estimated_without_its_memory(name: str) -> None:
    frozen, trained, size = PUBLISHED[name]
    before = resident_bytes()
    found = estimated(**full_size(name, image_size=size))
    assert resident_bytes() - before < 0.2 * 2**30
    assert sum(found.frozen.values()) == pytest.approx(4 * frozen, rel=1e-3)
    assert sum(found.trained.values()) == 4 * trained
    assert found.optimizer == pytest.approx(2 * 4 * trained, rel=1e-3)
    assert found.gradients == 4 * trained
    assert found.peaks["step"] > 10 * 2**30


def test_memory_grows_in_proportion_to_the_samples_and_several_ranks_need_buckets() -> None:
    one, two = estimated(batch_size=8), estimated(batch_size=16)
    assert two.activations == pytest.approx(2 * one.activations, rel=0.01)
    assert estimated(batch_size=8, ranks=2).gradients == 2 * one.gradients


def test_an_average_costs_the_weights_once_more_and_8_bits_a_quarter_of_the_state() -> None:
    found, parameters = estimated(), load_adapter("mini").parameters()
    assert estimated(ema_decay=0.9).optimizer == pytest.approx(1.5 * found.optimizer)
    # What bitsandbytes itself keeps for the same weights, without its tables and scales.
    bitsandbytes = pytest.importorskip("bitsandbytes")
    weights = [torch.nn.Parameter(parameter.detach().clone()) for parameter in parameters]
    optimizer = bitsandbytes.optim.AdamW8bit(weights)
    for weight in weights:
        weight.grad = torch.ones_like(weight)
    optimizer.step()
    moments = [optimizer.state[weight][name] for weight in weights for name in ("state1", "state2")]
    assert estimated(use_8bit_adam=True).optimizer == sum(m.numel() * m.element_size() for m in moments)


def test_offloaded_models_are_not_estimated() -> None:
    value = ask(cpu_offload=True, gradient_checkpointing=True)["value"]
    assert (value["estimate"], "offloaded" in value["reason"]) == (None, True)


def test_the_primary_needs_neither_decoder_nor_detector() -> None:
    primary, secondary = estimated(stage="primary"), estimated()
    assert set(primary.peaks) == {"self_test", "step"}
    assert primary.activations < secondary.activations
    assert sum(primary.frozen.values()) < sum(secondary.frozen.values())


def ask(**changes: Any) -> dict[str, Any]:
    return json.loads(dispatch("estimate_memory", json.dumps(question(**changes))))


def changed(stack: Stack, folder: Path, part: str, **changes: Any) -> str:
    """A copy of the tiny backbone with other values in one config.json."""
    shutil.copytree(stack.models["backbone"]["path"], folder)
    path = folder / part / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))
    return str(folder)


def test_a_model_that_does_not_run_without_content_gives_a_reason(stack: Stack, tmp_path: Path) -> None:
    backbone = changed(stack, tmp_path / "model", "unet", class_embed_type="timestep")
    value = ask(backbone=backbone, adapter=stack.models["adapter"]["path"])["value"]
    assert value["estimate"] is None
    assert "class_labels" in value["reason"]


def test_a_folder_of_another_class_is_refused_as_wrong_weights(stack: Stack, tmp_path: Path) -> None:
    backbone = changed(stack, tmp_path / "model", "vae", _class_name="AsymmetricAutoencoderKL")
    assert ask(backbone=backbone)["error"]["code"] == "wrong_weights"


def test_a_folder_without_config_is_refused_as_missing_weights(tmp_path: Path) -> None:
    assert ask(backbone=str(tmp_path))["error"]["code"] == "missing_weights"


def test_an_image_size_that_does_not_suit_the_model_is_refused_as_out_of_range() -> None:
    assert ask(image_size=72)["error"]["code"] == "out_of_range"


def test_the_answer_is_in_mebibytes_and_knows_the_process() -> None:
    value = ask()["value"]
    assert value["process_mb"] > 100
    assert value["estimate"]["peaks_mb"]["step"] == pytest.approx(estimated().peaks["step"] / 2**20, rel=1e-6)


def test_a_ledger_counts_a_storage_once_and_forgets_it_when_nothing_holds_it() -> None:
    with Ledger() as ledger:
        row = torch.zeros(1000)
        view = row.view(10, 100)[2:]
        assert ledger.live["temporary"] == 4000
        ledger.own("trained", [view])
        assert (ledger.live["temporary"], ledger.live["trained"]) == (0, 4000)
        del row
        assert ledger.live["trained"] == 4000
        del view
        assert ledger.live["trained"] == 0
        assert ledger.peak == 4000
        vae = make_vae().requires_grad_(False)
        ledger.own("frozen", vae.parameters())
    assert ledger.live["frozen"] == sum(4 * p.numel() for p in vae.parameters())


def test_a_ledger_does_not_charge_what_runs_without_a_gradient_with_the_graph_beside_it() -> None:
    with Ledger() as ledger:
        weights = torch.zeros(1000, requires_grad=True)
        ledger.own("trained", [weights])
        ledger.restart()
        with ledger.watch_autograd():
            kept = weights.exp()
            with torch.no_grad():
                torch.zeros(250)
        assert (ledger.live["saved"], ledger.no_grad, ledger.peak) == (4000, 1000, 9000)
        del kept
