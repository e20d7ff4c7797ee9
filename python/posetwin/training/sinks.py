"""Where a training's events go beside the orchestrator: the journal, and the trackers."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from posetwin.data.journal import append_lines, cut_torn_line
from posetwin.training.trackers import Scalars, Tracker
from posetwin.training.world import World

Event = dict[str, Any]
Emit = Callable[[Event], None]
MakeTrackers = Callable[[int], list[Tracker]]


def _finite(event: Event) -> Event:
    """JSON has no NaN: null stands for it, as on standard output."""
    return {k: None if isinstance(v, float) and not math.isfinite(v) else v for k, v in event.items()}


def _means(visits: list[Event]) -> Scalars:
    """Terms, L_t and confidence over the visited t; what is not finite at one of them is left out."""
    rows = [{**visit["terms"], "L_t": visit["loss"], "confidence": visit["confidence"]} for visit in visits]
    columns = {name: [row[name] for row in rows] for name in rows[0]}
    return {name: sum(column) / len(column) for name, column in columns.items() if None not in column}


def _present(prefix: str, values: Mapping[str, float | None]) -> Scalars:
    return {f"{prefix}/{name}": value for name, value in values.items() if value is not None}


def _of_step(event: Event) -> Scalars:
    terms = _means(event["visits"]) if event["type"] == "step" else {"primary_noise": event["primary_noise"]}
    rest = {name: event[name] for name in ("objective", "grad_norm", "learning_rate", "duration_ms") if name in event}
    return {**_present("terms", terms), **_present("train", rest)}


_SCALARS: dict[str, Callable[[Event], Scalars]] = {
    "step": _of_step,
    "primary_step": _of_step,
    "gradients": lambda event: {
        f"{name}/t{event['t']}": value
        for name, value in _present(
            "gradients", {name: event[name] for name in ("cosine", "noise_norm", "pose_norm")}
        ).items()
    },
    "validation": lambda event: _present("validation", {**event["terms"], "objective": event["objective"]}),
    "loss_scale": lambda event: {"train/loss_scale": event["loss_scale"]},
}


def scalars_of(event: Event) -> tuple[int, Scalars]:
    """What trackers show of an event, by name, and the step that it stands at; nothing for most of them."""
    made = _SCALARS.get(event["type"])
    return (0, {}) if made is None else (event["step"], made(event))


class Sinks:
    """An emit that also writes every event of rank 0 to `folder`/events.jsonl and tells the trackers its numbers.

    A resumed training goes on in the same journal: readers take the last event of each step. trackers: makes them once
    it is known from which step training goes on. Use it in a `with` statement.
    """

    def __init__(self, emit: Emit, folder: Path, world: World, trackers: MakeTrackers) -> None:
        self._emit, self._is_main, self._make_trackers = emit, world.is_main, trackers
        self._journal = folder / "events.jsonl"
        self._trackers: list[Tracker] = []
        if self._is_main:
            cut_torn_line(self._journal)

    def __call__(self, event: Event) -> None:
        self._emit(event)
        if self._is_main:
            plain = _finite(event)
            append_lines(self._journal, [{**plain, "time": time.time()}])
            self._track(plain)

    def _track(self, event: Event) -> None:
        if event["type"] == "started":
            self._trackers = self._make_trackers(event["resumed_from"])
        step, scalars = scalars_of(event)
        for tracker in self._trackers:
            if scalars:
                tracker.log(step, scalars)
            if event["type"] == "samples":
                tracker.show(event["step"], sorted(Path(event["path"]).glob("*.png")))

    def __enter__(self) -> Sinks:
        return self

    def __exit__(self, *_: object) -> None:
        for tracker in self._trackers:
            tracker.close()
