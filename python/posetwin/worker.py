"""A training process: reads job.json, runs its stage, tells what happens as JSON lines on standard output.

``python -m posetwin.supervise -m posetwin.worker job.json``, alone or as one of torchrun's ranks.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import math
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import Any, TextIO

from posetwin.errors import PosetwinError, describe_failure
from posetwin.supervise import die_with_parent
from posetwin.watchdog import report_to

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None

Event = dict[str, Any]
_stop_requested = False


def stop_requested() -> bool:
    """True once SIGTERM or SIGINT has come: the stage saves a checkpoint at its next step and returns."""
    return _stop_requested


def _request_stop(_signal: int, _frame: FrameType | None) -> None:
    global _stop_requested
    _stop_requested = True


def rank() -> int:
    return int(os.environ.get("RANK", "0"))


def _finite(value: Any) -> Any:
    """JSON has no NaN and no infinity: they become null."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(item) for item in value]
    return value


class EventStream:
    """Whole JSON lines on the standard output that this process was started with.

    Whatever libraries print goes to standard error from here on.

    lock_path: any file that all ranks can open; ranks share one pipe, and a long line is not written in one piece.
    """

    def __init__(self, lock_path: Path) -> None:
        self._lock_path = lock_path
        self._out: TextIO = os.fdopen(os.dup(1), "w", encoding="utf-8", newline="\n")
        os.dup2(2, 1)

    def emit(self, event: Event) -> None:
        """Writes one event, with its time, from rank 0 alone: what the stages are given."""
        if rank() == 0:
            self.write(event)

    def write(self, event: Event) -> None:
        line = json.dumps(_finite({**event, "time": time.time()}), allow_nan=False)
        with self._line_lock():
            self._out.write(line + "\n")
            self._out.flush()

    @contextlib.contextmanager
    def _line_lock(self) -> Iterator[None]:
        if fcntl is None or not self._lock_path.exists():
            yield
            return
        with self._lock_path.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield


def _report_hung(events: EventStream) -> Callable[[PosetwinError, str], None]:
    def report(error: PosetwinError, stack: str) -> None:
        events.write({"type": "error", "rank": rank(), **describe_failure(error, "timeout"), "traceback": stack})

    return report


def _run_stage(job_path: Path, events: EventStream) -> None:
    report_to(_report_hung(events))
    try:
        job = json.loads(job_path.read_text(encoding="utf-8"))
        # Named here and not above: an import that fails is reported like any other failure.
        importlib.import_module("posetwin.stages").run(job, events.emit, stop_requested)
    except Exception as error:
        events.write({"type": "error", "rank": rank(), **describe_failure(error, "worker_failed")})
        raise


def _recorded(run: Callable[[Path, EventStream], None]) -> Callable[[Path, EventStream], None]:
    """Under torchrun the failing rank leaves its traceback in a file that the launcher passes on."""
    if "TORCHELASTIC_RUN_ID" not in os.environ:
        return run
    from torch.distributed.elastic.multiprocessing.errors import record

    return record(run)


def main(argv: list[str]) -> None:
    """argv: the program's name and the path of job.json."""
    die_with_parent()
    signal.signal(signal.SIGTERM, _request_stop)
    signal.signal(signal.SIGINT, _request_stop)
    job_path = Path(argv[1])
    _recorded(_run_stage)(job_path, EventStream(job_path))


if __name__ == "__main__":
    # The stages import posetwin.worker by its name: the flag must live there and not in a second copy, __main__.
    importlib.import_module("posetwin.worker").main(sys.argv)
