"""How many floating-point operations a step of a training takes, counted while its code runs on tensors without
content."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.utils.flop_counter import FlopCounterMode, sdpa_backward_flop_count, sdpa_flop_count

from posetwin.training.memory.ledger import Ledger
from posetwin.training.memory.task import AnyTask, Training, at_first_t, empty_task, step_of_first_t
from posetwin.training.secondary import SecondaryTask
from posetwin.training.steps import Steps

_Shape = tuple[int, ...]


def _attention(query: _Shape, key: _Shape, value: _Shape, *_rest: Any, **_named: Any) -> int:
    return sdpa_flop_count(query, key, value)


def _attention_backward(grad_out: _Shape, query: _Shape, key: _Shape, value: _Shape, *_rest: Any, **_named: Any) -> int:
    return sdpa_backward_flop_count(grad_out, query, key, value)


# torch's own table knows attention on GPUs alone.
_ON_CPU = {
    torch.ops.aten._scaled_dot_product_flash_attention_for_cpu: _attention,
    torch.ops.aten._scaled_dot_product_flash_attention_for_cpu_backward: _attention_backward,
}


@dataclass(frozen=True)
class Pass:
    """One part of one route. backward: with what gradient checkpointing computes again."""

    forward: int
    backward: int


@dataclass(frozen=True)
class Flops:
    """Of one part of a rank's share of a step, two for a multiply-add; of convolutions, matrix products and attention,
    which leaves out a few per cent.

    parts: `adapter`, `unet`, and for the secondary `decoder` and `detector`. first_t: a step that sees one t and starts
    there. further_t: what each t more that it comes by adds. step: the mean over the schedule.
    """

    parts: dict[str, Pass]
    first_t: int
    further_t: int
    step: float


def _counted(run: Callable[[], object]) -> int:
    with FlopCounterMode(display=False, custom_mapping=_ON_CPU) as counter:
        run()
    return counter.get_total_flops()


def _pass(run: Callable[[], Sequence[torch.Tensor]]) -> Pass:
    """Backward to all that `run` depends on and that wants a gradient."""
    outputs: list[torch.Tensor] = []
    forward = _counted(lambda: outputs.extend(run()))
    ones = [torch.ones_like(output) for output in outputs]
    return Pass(forward, _counted(lambda: torch.autograd.backward(outputs, ones)))


def _leaf(tensor: torch.Tensor) -> torch.Tensor:
    return tensor.detach().requires_grad_()


def _parts(task: AnyTask, training: Training) -> dict[str, Pass]:
    """Each from new leaves, so that a gradient goes through it alone."""
    batch, denoiser = task.batches.gather(range(training.batch_size)), task.denoiser

    def adapt() -> list[torch.Tensor]:
        return task.features(task.adapter, batch.controls_b)

    t, features, latents = denoiser.steps.trainable[0], [_leaf(feature) for feature in adapt()], _leaf(batch.latents_b)
    image = torch.empty(len(latents), 3, training.image_size, training.image_size, requires_grad=True)
    parts = {
        "adapter": _pass(adapt),
        "unet": _pass(lambda: [denoiser.route(batch, batch.noise, t, features)]),
    }
    if not isinstance(task, SecondaryTask):
        return parts
    look = task.objective.look
    return {
        **parts,
        "decoder": _pass(lambda: [denoiser.backbone.decode_latents(latents)]),
        "detector": _pass(lambda: [look(image)[0]]),
    }


def _step(task: AnyTask, training: Training) -> int:
    number = step_of_first_t(task)
    return _counted(lambda: task.accumulate(task.adapter, range(training.batch_size), number, 1.0))


def _mean_further(training: Training) -> float:
    """How many t a step comes by on average beyond its first: `per-step` those above one t, drawn uniformly."""
    most = len(Steps(training.schedule, training.method).trainable) - 1
    return most if training.method.update == "per-trajectory" else most / 2


def count_flops(training: Training) -> Flops:
    """What one part of a rank's share of a step takes; in proportion to `training.batch_size`.

    Raises PosetwinError: missing_weights, wrong_weights, out_of_range, singular_schedule, and whatever a model raises
    that does not run on tensors without content.
    """
    mode, ledger = FakeTensorMode(), Ledger()
    task, _ = empty_task(training, mode, ledger)
    with mode, ledger:
        parts = _parts(task, training)
        first = _step(at_first_t(task, training) if isinstance(task, SecondaryTask) else task, training)
        further = _step(task, training) - first
    return Flops(parts, first, further, first + further * _mean_further(training))
