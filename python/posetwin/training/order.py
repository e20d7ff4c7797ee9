"""What each step sees, as pure functions of (seed, step): resuming needs no generator's state, only the step."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from posetwin.contracts import Train
from posetwin.sampling.noise import derived_seed
from posetwin.training.permutation import permuted, round_keys


def global_indices(step: int, global_batch_size: int) -> range:
    """The global sample indices of a step (1 is the first), the same for any number of ranks."""
    return range((step - 1) * global_batch_size, step * global_batch_size)


def share_of_rank(indices: range, rank: int, world_size: int) -> range:
    """The contiguous part that one rank computes; parts differ in length by at most one."""
    bounds = [len(indices) * r // world_size for r in (rank, rank + 1)]
    return indices[bounds[0] : bounds[1]]


def position_in_epoch(seed: int, global_index: int, length: int) -> int:
    """Which pair a global sample index stands for: each epoch is a permutation by (seed, epoch), of millions too."""
    epoch, place = divmod(global_index, length)
    return permuted(place, length, round_keys(seed, "order", epoch))


def step_t(seed: int, step: int, trainable: Sequence[int]) -> int:
    """The t of a step: every `len(trainable)` steps visit each trainable t once, in a random order."""
    cycle, place = divmod(step - 1, len(trainable))
    return trainable[permuted(place, len(trainable), round_keys(seed, "t", cycle))]


def cubic_t(seed: int, step: int, trainable: Sequence[int]) -> int:
    """The t of a step where noisy ones are preferred: (1 - u³) of the way up, u uniform by (seed, step).

    Mou et al., 2023 (T2I-Adapter), section 3.3: what the condition decides is decided early in sampling, at high t.
    """
    u = derived_seed(seed, "t", step) / 2**63
    return trainable[min(int((1 - u**3) * len(trainable)), len(trainable) - 1)]


def drawn_step(seed: int, step: int, bank_steps: int, cycle: int) -> int:
    """The step whose batch, t and noise this one has: itself, or with a bank of `bank_steps` one of the first so many.

    Each later round is a permutation of the first by (seed, round). It moves whole cycles of `cycle` steps, so that
    every cycle still visits each t once. bank_steps: a multiple of cycle, or 0 for no bank.
    """
    if step <= bank_steps or bank_steps == 0:
        return step
    number, place = divmod(step - 1, bank_steps)
    moved, rest = divmod(place, cycle)
    return permuted(moved, bank_steps // cycle, round_keys(seed, "bank", number)) * cycle + rest + 1


# What is left of the rate after a fraction of the steps, 0 at the first: the schedules of diffusers.optimization.
_DECAY: dict[str, Callable[[float, Train], float]] = {
    "constant": lambda progress, train: 1.0,
    "linear": lambda progress, train: 1 - progress,
    "cosine": lambda progress, train: 0.5 * (1 + math.cos(math.pi * progress)),
    "cosine_with_restarts": lambda progress, train: (
        0.5 * (1 + math.cos(math.pi * (progress * train.lr_num_cycles % 1)))
    ),
    "polynomial": lambda progress, train: (1 - progress) ** train.lr_power,
}


def learning_rate(step: int, train: Train) -> float:
    """Linear warm-up over `lr_warmup_steps`, then the chosen decay; step 1 is the first, the rate is above 0 always."""
    warmup = train.lr_warmup_steps
    if step <= warmup:
        return train.learning_rate * step / warmup
    progress = (step - 1 - warmup) / max(1, train.max_train_steps - warmup)
    return train.learning_rate * _DECAY[train.lr_scheduler](progress, train)
