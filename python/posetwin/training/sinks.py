"""Where a training's events go beside the orchestrator: the journal, and TensorBoard."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from posetwin.data.journal import append_lines, cut_torn_line
from posetwin.training.world import World

if TYPE_CHECKING:
    from torch.utils.tensorboard.writer import SummaryWriter

Event = dict[str, Any]
Emit = Callable[[Event], None]
Scalars = dict[str, float]


def _finite(event: Event) -> Event:
    """JSON has no NaN: null stands for it, as on standard output."""
    return {k: None if isinstance(v, float) and not math.isfinite(v) else v for k, v in event.items()}


def _means(visits: list[Event]) -> Scalars:
    """Terms, L_t and confidence over the visited t; what is not finite at one of them is left out."""
    rows = [{**visit["terms"], "L_t": visit["loss"], "confidence": visit["confidence"]} for visit in visits]
    columns = {name: [row[name] for row in rows] for name in rows[0]}
    return {name: sum(column) / len(column) for name, column in columns.items() if None not in column}


def scalars_of(event: Event) -> tuple[int, Scalars]:
    """What TensorBoard shows of an event, by name, and the step that it stands at; nothing for most of them."""
    if event["type"] == "gradients":
        sides = {name: event[name] for name in ("cosine", "noise_norm", "pose_norm")}
        return event["step"], {f"gradients/{k}/t{event['t']}": v for k, v in sides.items() if v is not None}
    if event["type"] not in ("step", "primary_step"):
        return 0, {}
    terms = _means(event["visits"]) if event["type"] == "step" else {"primary_noise": event["primary_noise"]}
    rest = {name: event[name] for name in ("objective", "grad_norm", "learning_rate", "duration_ms") if name in event}
    named = {**{f"terms/{k}": v for k, v in terms.items()}, **{f"train/{k}": v for k, v in rest.items()}}
    return event["step"], {name: value for name, value in named.items() if value is not None}


class Sinks:
    """An emit that also writes every event of rank 0 to `folder`/events.jsonl and its numbers to `folder`/tensorboard.

    A resumed training goes on in the same journal (readers take the last event of each step) and in a TensorBoard file
    of its own, which takes back the steps that are done again. Use it in a `with` statement.
    """

    def __init__(self, emit: Emit, folder: Path, world: World) -> None:
        self._emit, self._folder, self._is_main = emit, folder, world.is_main
        self._journal = folder / "events.jsonl"
        self._writer: SummaryWriter | None = None
        if self._is_main:
            cut_torn_line(self._journal)

    def __call__(self, event: Event) -> None:
        self._emit(event)
        if self._is_main:
            plain = _finite(event)
            append_lines(self._journal, [{**plain, "time": time.time()}])
            self._draw(plain)

    def _draw(self, event: Event) -> None:
        if event["type"] == "started":
            self._writer = _writer(self._folder / "tensorboard", event["resumed_from"])
        step, scalars = scalars_of(event)
        for name, value in scalars.items():
            if self._writer is not None:
                self._writer.add_scalar(name, value, step)

    def __enter__(self) -> Sinks:
        return self

    def __exit__(self, *_: object) -> None:
        if self._writer is not None:
            self._writer.close()


def _writer(folder: Path, resumed_from: int) -> SummaryWriter:
    # TensorBoard is slow to import and of no use to ranks other than the first.
    from torch.utils.tensorboard.writer import SummaryWriter

    return SummaryWriter(str(folder), purge_step=resumed_from + 1 if resumed_from else None)
