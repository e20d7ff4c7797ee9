"""The step boundaries at which TypeScript decides whether training goes on."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from posetwin.moments import at
from posetwin.training.sinks import Emit

POLL_SECONDS = 0.02


def read_decision(journal: Path, step: int) -> str | None:
    """`continue` or `stop` where decisions.jsonl answers this step; a line still being written is not read."""
    if not journal.is_file():
        return None
    lines = journal.read_text(encoding="utf-8").split("\n")[:-1]
    answers = {record["step"]: record["decision"] for record in map(json.loads, filter(None, lines))}
    return answers.get(step)


def wait_for_decision(journal: Path, step: int, ask: Callable[[], None], interrupted: Callable[[], bool]) -> str | None:
    """An answer that is there already (a resumed or replayed run) is taken at once; otherwise `ask`, then wait.

    None where the process was asked to stop before an answer came.
    """
    answer = read_decision(journal, step)
    if answer is None:
        ask()
        at("boundary_asked", step)
    while answer is None and not interrupted():
        time.sleep(POLL_SECONDS)
        answer = read_decision(journal, step)
    if answer is not None:
        at("boundary_answered", step)
    return answer


@dataclass(frozen=True)
class Boundaries:
    """Where TypeScript is asked whether training goes on: at every multiple of `steps`, by the journal `decisions`.
    measure: what is measured and told there, and before the first step, given the steps done."""

    steps: int
    decisions: Path
    measure: Callable[[int], None]

    def is_at(self, step: int) -> bool:
        return step % self.steps == 0

    def ask(self, step: int, emit: Emit, interrupted: Callable[[], bool]) -> str | None:
        """See `wait_for_decision`."""
        return wait_for_decision(self.decisions, step, lambda: emit({"type": "boundary", "step": step}), interrupted)
