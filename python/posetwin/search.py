"""Which trial of a sweep to run next, by Optuna (an optional package): the study is rebuilt for every question."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from posetwin.errors import PosetwinError

if TYPE_CHECKING:
    import optuna  # pyright: ignore[reportMissingImports] (may be absent)

Values = dict[str, float]


@dataclass(frozen=True)
class Axis:
    """Numbers from low to high; or, where `choices` is not 0, one of so many values, called by its index."""

    path: str
    low: float
    high: float
    log: bool
    kind: Literal["float", "int"]
    choices: int


@dataclass(frozen=True)
class Finished:
    """One trial: its value on each axis, and what the search has the least of; None where it came to no such value."""

    values: Values
    objective: float | None


def _import_optuna() -> Any:
    try:
        import optuna  # pyright: ignore[reportMissingImports] (may be absent)
    except ImportError as error:
        hint = "pip install optuna, or another `sweep.strategy`"
        raise PosetwinError("missing_package", f"`sweep.strategy: bayes` needs optuna: {error}", hint) from error
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    warnings.filterwarnings("ignore", category=optuna.exceptions.ExperimentalWarning)
    return optuna


def _distribution(axis: Axis) -> optuna.distributions.BaseDistribution:
    distributions = _import_optuna().distributions
    if axis.choices > 0:
        return distributions.CategoricalDistribution(range(axis.choices))
    if axis.kind == "int":
        return distributions.IntDistribution(int(axis.low), int(axis.high), log=axis.log)
    return distributions.FloatDistribution(axis.low, axis.high, log=axis.log)


def _typed(axis: Axis, value: float) -> float | int:
    return int(value) if axis.choices > 0 or axis.kind == "int" else value


def suggest(axes: list[Axis], seed: int, finished: list[Finished], count: int) -> list[Values]:
    """Where the next `count` trials of a search should be, by Optuna's TPE; the same answer to the same question.

    Trials without an objective count as worse than any other, so that the search leaves where they are. What is
    suggested together keeps apart (`constant_liar`). Raises PosetwinError: missing_package.
    """
    optuna = _import_optuna()
    # Numbers drawn before are not drawn again when more trials are finished.
    sampler = optuna.samplers.TPESampler(seed=(seed * 100_003 + len(finished)) % 2**32, constant_liar=True)
    study = optuna.create_study(sampler=sampler)
    distributions = {axis.path: _distribution(axis) for axis in axes}
    for trial in finished:
        known = {
            "params": {axis.path: _typed(axis, trial.values[axis.path]) for axis in axes},
            "distributions": distributions,
        }
        state = optuna.trial.TrialState.PRUNED if trial.objective is None else optuna.trial.TrialState.COMPLETE
        study.add_trial(optuna.trial.create_trial(state=state, value=trial.objective, **known))
    return [dict(study.ask(distributions).params) for _ in range(count)]
