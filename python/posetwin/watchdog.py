"""Ends a process that gets nowhere, with its stack: one rank that hangs would let all others wait in silence.

Every rank watches itself. One that waits for the others in a collective operation is not the one that hangs: it is
given twice the time, and by then the culprit has told and left.
"""

from __future__ import annotations

import faulthandler
import os
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

from posetwin.errors import PosetwinError

Report = Callable[[PosetwinError, str], None]
HINT = "the stack shows what it was doing: look at its device, its disk and its network"


class _Seen(NamedTuple):
    moment: str
    step: int
    time: float
    waiting: bool


_seen = _Seen("started", 0, time.monotonic(), False)
_report: Report | None = None


def report_to(report: Report) -> None:
    """Who is told the error and the main thread's stack of a hung process. Without it nothing is watched."""
    global _report
    _report = report


def beat(moment: str, step: int) -> None:
    """The process got as far as this."""
    global _seen
    _seen = _Seen(moment, step, time.monotonic(), False)


def wait_for_others() -> None:
    """From now to the next beat, or `go_on`, the process depends on the other ranks."""
    global _seen
    _seen = _seen._replace(time=time.monotonic(), waiting=True)


def go_on() -> None:
    """The others have come."""
    global _seen
    _seen = _seen._replace(time=time.monotonic(), waiting=False)


def _main_stack() -> str:
    return "".join(traceback.format_stack(sys._current_frames().get(threading.main_thread().ident or 0)))


def _log_unless_renewed(limit_s: float, alone: bool) -> None:
    """Where code outside Python never lets the thread below run again, the stacks go to the log at least."""
    faulthandler.dump_traceback_later(1.5 * limit_s, exit=alone)


def _watch(limit_s: float, alone: bool, ended: threading.Event, report: Report) -> None:
    while not ended.wait(min(limit_s / 20, 1)):
        _log_unless_renewed(limit_s, alone)
        moment, step, since, waiting = _seen
        allowed_s = limit_s * (2 if waiting else 1)
        if time.monotonic() - since > allowed_s:
            what = "waited for other ranks" if waiting else "got no further"
            message = f"{what} for {allowed_s:g} s after the moment {moment} of step {step}"
            report(PosetwinError("timeout", message, HINT), _main_stack())
            os._exit(1)


@contextmanager
def watched(limit_s: float, alone: bool) -> Iterator[None]:
    """While this lasts, `limit_s` without a beat end the process in `timeout`. alone: there are no other ranks."""
    if _report is None:
        yield
        return
    beat("started", 0)
    ended = threading.Event()
    watch = threading.Thread(target=_watch, args=(limit_s, alone, ended, _report), daemon=True)
    _log_unless_renewed(limit_s, alone)
    watch.start()
    try:
        yield
    finally:
        ended.set()
        watch.join()
        faulthandler.cancel_dump_traceback_later()
