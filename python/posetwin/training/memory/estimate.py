"""The memory of one rank of a training, found without any."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch._subclasses.fake_tensor import FakeTensorMode

from posetwin.training.memory.ledger import Ledger
from posetwin.training.memory.rehearsal import Rehearsal
from posetwin.training.memory.task import Training, empty_task


@dataclass(frozen=True)
class Estimate:
    """Bytes on one rank.

    peaks: the most at once in each part of the training that may need the most: `step`, `self_test` before the first
    step, `gradient_sides` at every boundary. frozen, trained: parameters and buffers by dtype. activations: what a step
    holds when a backward pass begins, beyond all that stands; saved: so much of it as saved-tensor hooks see. no_grad:
    the most that the parts of a step without a gradient hold.
    """

    peaks: dict[str, int]
    frozen: dict[str, int]
    trained: dict[str, int]
    gradients: int
    optimizer: int
    batch: int
    activations: int
    saved: int
    no_grad: int


def _by_dtype(tensors: Iterable[torch.Tensor]) -> dict[str, int]:
    sizes: Counter[str] = Counter()
    for tensor in tensors:
        sizes[str(tensor.dtype).removeprefix("torch.")] += tensor.numel() * tensor.element_size()
    return dict(sizes)


def estimate(training: Training) -> Estimate:
    """What each part of the training needs on one rank.

    Raises PosetwinError: missing_weights, wrong_weights, out_of_range, singular_schedule, and whatever a model raises
    that does not run on tensors without content.
    """
    if training.train.cpu_offload:
        raise NotImplementedError("how much of offloaded models visits the device at once is not estimated")
    mode, ledger, peaks = FakeTensorMode(), Ledger(), dict[str, int]()
    task, frozen = empty_task(training, mode, ledger)
    parameters = list(task.adapter.parameters())
    for parameter in parameters:
        parameter.register_post_accumulate_grad_hook(lambda p: ledger.own("gradients", [p.grad]))
    rehearsal = Rehearsal(training, task, ledger, peaks)
    with mode, ledger:
        rehearsal.self_test()
        # Ranks exchange their gradients through buckets that are as large again.
        buckets = [torch.empty_like(parameter) for parameter in parameters] if training.ranks > 1 else []
        ledger.own("gradients", buckets)
        state = rehearsal.optimizer_state()
        rehearsal.step()
        most, activations, no_grad = ledger.most.copy(), ledger.kept, ledger.no_grad
        rehearsal.gradient_sides()
    del state
    return Estimate(
        peaks=peaks,
        frozen=_by_dtype(frozen),
        trained=_by_dtype(parameters),
        gradients=most["gradients"],
        optimizer=most["optimizer"],
        batch=most["batch"],
        activations=activations,
        saved=most["saved"],
        no_grad=no_grad,
    )
