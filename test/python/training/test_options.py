"""Options that change how a step is computed and not what: parts, checkpointing, layout, attention, precision."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from diffusers.optimization import get_scheduler
from safetensors.torch import load_file
from tiny import TRAIN, Stack, ignore

from posetwin.contracts import Train
from posetwin.stages import run
from posetwin.training import set_up
from posetwin.training.loop import Trainer
from posetwin.training.order import learning_rate
from posetwin.training.secondary import SecondaryTask
from posetwin.training.world import World

Weights = dict[str, torch.Tensor]
METHOD = {"objective": "patent+scene", "latents": {"source": "noised", "state": "own"}}


def trainer_of(stack: Stack, output: Path, dtype: torch.dtype, **train: Any) -> Trainer:
    job = stack.parsed(stack.train_job(output, method=METHOD, train={"max_train_steps": 2, **train}))
    return set_up.make_trainer(job, World(0, 1, torch.device("cpu")), ignore, lambda: False, dtype)


def trained(stack: Stack, output: Path, dtype: torch.dtype = torch.float64, **train: Any) -> Weights:
    trainer = trainer_of(stack, output, dtype, **train)
    assert trainer.train() == ("done", 2)
    return {name: tensor.clone() for name, tensor in trainer.task.adapter.state_dict().items()}


@pytest.fixture(scope="module")
def plain(stack: Stack) -> Weights:
    return trained(stack, stack.folder / "plain")


@pytest.mark.parametrize(
    "option",
    [
        {"gradient_accumulation_steps": 2},
        {"gradient_accumulation_steps": 4},
        {"gradient_checkpointing": True},
        {"attention": "eager"},
        {"attention": "sliced"},
        {"channels_last": True},
        {"gradient_accumulation_steps": 2, "gradient_checkpointing": True, "channels_last": True},
        {"gradient_checkpointing": True, "cpu_offload": True},
    ],
    ids=str,
)
def test_the_step_is_the_same_to_rounding(stack: Stack, tmp_path: Path, plain: Weights, option: dict[str, Any]) -> None:
    found = trained(stack, tmp_path, **option)
    assert max(float((found[name] - plain[name]).abs().max()) for name in plain) <= 1e-9


def test_a_compiled_unet_gives_the_same_step(
    stack: Stack, tmp_path: Path, plain: Weights, monkeypatch: pytest.MonkeyPatch
) -> None:
    compiled, original = [], torch.nn.Module.compile

    def trace(self: torch.nn.Module) -> None:
        compiled.append(type(self).__name__)
        # What torch traces and differentiates, without the minutes that making machine code of it takes.
        original(self, backend="aot_eager")

    monkeypatch.setattr(torch.nn.Module, "compile", trace)
    found = trained(stack, tmp_path, compile=True)
    assert compiled == ["UNet2DConditionModel"]
    assert max(float((found[name] - plain[name]).abs().max()) for name in plain) <= 1e-9


def test_gradient_checkpointing_keeps_fewer_activations(stack: Stack, tmp_path: Path) -> None:
    kept = {}
    for checkpointing in (False, True):
        task = trainer_of(stack, tmp_path, torch.float32, gradient_checkpointing=checkpointing).task
        compute, sizes = task.gate_terms(range(2), 2), []
        with torch.autograd.graph.saved_tensors_hooks(lambda x, s=sizes: s.append(x.numel()) or x, lambda x: x):
            compute()
        kept[checkpointing] = sum(sizes)
    assert kept[True] < 0.7 * kept[False]


def test_bf16_holds_the_frozen_models_in_half_and_trains_float32_weights(stack: Stack, tmp_path: Path) -> None:
    trainer = trainer_of(stack, tmp_path, torch.float32, mixed_precision="bf16")
    assert isinstance(trainer.task, SecondaryTask)
    backbone = trainer.task.objective.denoiser.backbone
    assert {backbone.unet.dtype, backbone.vae.dtype} == {torch.bfloat16}
    assert trainer.train() == ("done", 2)
    after = trainer.task.adapter.state_dict()
    assert {tensor.dtype for tensor in after.values()} == {torch.float32}
    start = load_file(stack.primary / "diffusion_pytorch_model.safetensors")
    assert any(not torch.equal(after[name], start[name]) for name in start)


def test_bf16_gives_nearly_the_gradient_of_float32(stack: Stack, tmp_path: Path) -> None:
    gradients = {}
    for precision in ("no", "bf16"):
        task = trainer_of(stack, tmp_path, torch.float32, mixed_precision=precision).task
        task.accumulate(task.adapter, range(4), 1, 0.25)
        gradients[precision] = torch.cat([p.grad.flatten() for p in task.adapter.parameters() if p.grad is not None])
    cosine = torch.nn.functional.cosine_similarity(gradients["no"], gradients["bf16"], dim=0)
    # Random networks: rounding to 8 bits of mantissa turns their gradient by some degrees.
    assert float(cosine) > 0.9


def test_an_interrupted_run_with_accumulation_goes_on_to_the_same_bits(stack: Stack, tmp_path: Path) -> None:
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    train = {"max_train_steps": 4, "checkpointing_steps": 2, "gradient_accumulation_steps": 2}
    run(stack.train_job(whole, method=METHOD, train=train), ignore)
    events: list[dict[str, Any]] = []
    job = stack.train_job(broken, method=METHOD, train=train)
    run(job, events.append, stop_requested=lambda: any(e["type"] == "step" for e in events))
    run(job, ignore)
    left, right = (load_file(f / "adapter" / "diffusion_pytorch_model.safetensors") for f in (whole, broken))
    assert all(torch.equal(left[name], right[name]) for name in left)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("constant", {}),
        ("linear", {}),
        ("cosine", {}),
        ("cosine_with_restarts", {"lr_num_cycles": 3}),
        ("polynomial", {"lr_power": 2.0}),
    ],
)
def test_learning_rates_are_those_of_diffusers(name: str, options: dict[str, Any]) -> None:
    steps, warmup = 20, 4
    changes = {"lr_scheduler": name, "max_train_steps": steps, "lr_warmup_steps": warmup, "learning_rate": 0.5}
    train = Train.model_validate_json(json.dumps({**TRAIN, **changes, **options}))
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.5)
    theirs = get_scheduler(
        "constant_with_warmup" if name == "constant" else name,
        optimizer,
        num_warmup_steps=warmup,
        num_training_steps=steps,
        num_cycles=options.get("lr_num_cycles", 1),
        power=options.get("lr_power", 1.0),
    )
    for step in range(1, steps + 1):
        expected = optimizer.param_groups[0]["lr"]
        # Their first step is made with a rate of 0, ours with the first share of the warm-up.
        if step > warmup:
            # Their polynomial ends at 1e-7 instead of 0.
            assert learning_rate(step, train) == pytest.approx(expected, abs=1e-7)
        optimizer.step()
        theirs.step()
