import math

import pytest

optuna = pytest.importorskip("optuna")

from posetwin.search import Axis, Finished, suggest  # noqa: E402 (only where optuna is)

RATE = Axis("train.learning_rate", 1e-6, 1e-1, log=True, kind="float", choices=0)
STEPS = Axis("schedule.num_steps", 4, 50, log=False, kind="int", choices=0)
SCHEDULE = Axis("schedule", 0, 0, log=False, kind="float", choices=3)
AXES = [RATE, STEPS, SCHEDULE]


def _finish(values: dict[str, float]) -> Finished:
    """A bowl with its bottom at a rate of 1e-3, 20 steps and the second schedule."""
    away = (math.log10(values[RATE.path]) + 3) ** 2 + ((values[STEPS.path] - 20) / 20) ** 2
    return Finished(values, away + (values[SCHEDULE.path] != 1))


def _search(seed: int, count: int, batch: int = 1) -> list[Finished]:
    finished: list[Finished] = []
    while len(finished) < count:
        finished += [_finish(values) for values in suggest(AXES, seed, finished, batch)]
    return finished


def test_suggestions_lie_on_their_axes() -> None:
    for values in suggest(AXES, 0, [], 20):
        assert 1e-6 <= values[RATE.path] <= 1e-1
        assert values[STEPS.path] in range(4, 51)
        assert values[SCHEDULE.path] in (0, 1, 2)


def test_the_same_question_has_the_same_answer_and_another_seed_another_one() -> None:
    finished = _search(0, 12)
    assert suggest(AXES, 0, finished, 2) == suggest(AXES, 0, finished, 2)
    assert suggest(AXES, 0, finished, 2) != suggest(AXES, 1, finished, 2)


def test_what_is_suggested_together_or_one_after_the_other_is_not_the_same() -> None:
    rates = [trial.values[RATE.path] for trial in _search(0, 15, batch=3)]
    assert len(set(rates)) == len(rates)


def test_later_trials_are_better_than_the_first_ones() -> None:
    def mean(trials: list[Finished]) -> float:
        return sum(trial.objective or 0 for trial in trials) / len(trials)

    found = _search(0, 50)
    assert mean(found[-20:]) < mean(found[:10]) / 2


def test_it_leaves_where_trials_came_to_nothing() -> None:
    bad = [Finished({RATE.path: 10 ** -(1 + i / 10)}, None) for i in range(10)]
    good = [Finished({RATE.path: 10 ** -(4 + i / 10)}, 1.0 + i) for i in range(10)]
    rates = [values[RATE.path] for values in suggest([RATE], 0, bad + good, 10)]
    assert sum(rate < 1e-2 for rate in rates) >= 8
