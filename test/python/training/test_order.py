from __future__ import annotations

import json

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny import TRAIN

from posetwin.contracts import Train
from posetwin.sampling.noise import draw_noise
from posetwin.training.order import global_indices, learning_rate, position_in_epoch, share_of_rank, step_t


def train(**changes: object) -> Train:
    return Train.model_validate_json(json.dumps({**TRAIN, **changes}))


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 40), st.integers(1, 8), st.integers(1, 100))
def test_the_shares_of_the_ranks_are_the_batch_in_order(size: int, ranks: int, step: int) -> None:
    indices = global_indices(step, size)
    shares = [share_of_rank(indices, rank, ranks) for rank in range(ranks)]
    assert [index for share in shares for index in share] == list(indices)
    assert max(map(len, shares)) - min(map(len, shares)) <= 1


def test_an_epoch_visits_every_pair_once_and_the_next_in_another_order() -> None:
    epochs = [[position_in_epoch(3, 10 * epoch + i, 10) for i in range(10)] for epoch in range(2)]
    assert sorted(epochs[0]) == sorted(epochs[1]) == list(range(10))
    assert epochs[0] != epochs[1]


def test_a_place_in_an_epoch_of_millions_is_found_without_listing_them() -> None:
    length = 1_800_000_000
    epochs = [[position_in_epoch(3, epoch * length + i, length) for i in range(500)] for epoch in range(2)]
    for places in epochs:
        assert len(set(places)) == 500
        assert 0 <= min(places) < max(places) < length
    assert epochs[0] != epochs[1]


def test_a_cycle_visits_every_trainable_t_once() -> None:
    trainable = [2, 3, 5, 7]
    assert sorted(step_t(0, step, trainable) for step in range(5, 9)) == trainable


def test_noise_depends_on_seed_and_index_alone() -> None:
    both = draw_noise(1, "noise", [4, 9], (2, 3))
    assert torch.equal(both[1], draw_noise(1, "noise", [9], (2, 3))[0])
    assert not torch.equal(both[0], both[1])
    assert not torch.equal(both[1], draw_noise(2, "noise", [9], (2, 3))[0])


def test_the_learning_rate_warms_up_and_decays() -> None:
    # Worked out by hand: 2 of 6 steps of warm-up, then cos² from 1 towards 0 over the other 4.
    rates = [learning_rate(step, train(learning_rate=1.0)) for step in range(1, 7)]
    expected = [0.5, 1.0, 1.0, 0.8535533905932737, 0.5, 0.1464466094067262]
    assert rates == pytest.approx(expected, abs=1e-12)
    assert learning_rate(5, train(learning_rate=1.0, lr_scheduler="linear")) == pytest.approx(0.5)
    assert learning_rate(6, train(learning_rate=1.0, lr_scheduler="constant")) == 1.0
