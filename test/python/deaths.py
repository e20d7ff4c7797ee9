"""Jobs that a test kills at a named moment."""

from __future__ import annotations

import multiprocessing
import os
import time
from pathlib import Path
from typing import Any

from tiny import ignore

from posetwin import moments
from posetwin.stages import run


def _run_in_session(job: dict[str, Any], event: str) -> None:
    os.setsid()
    os.environ[moments.VARIABLE] = event
    moments.arm()
    run(job, ignore)


def _session(pid: int) -> list[int]:
    """The living processes of a session, by the sixth field of /proc/<pid>/stat."""
    stats = [(int(path.parent.name), path) for path in Path("/proc").glob("[0-9]*/stat")]
    found = []
    for process, path in stats:
        try:
            fields = path.read_text().rpartition(") ")[2].split()
        except OSError:  # gone meanwhile
            continue
        if int(fields[3]) == pid and fields[0] != "Z":
            found.append(process)
    return found


def run_and_die(job: dict[str, Any], event: str) -> int | None:
    """Run a job in a process of its own under POSETWIN_TEST_EVENT; how it ended, when nothing of it is left."""
    process = multiprocessing.get_context("fork").Process(target=_run_in_session, args=(job, event))
    process.start()
    process.join()
    assert process.pid is not None
    # What it started is told of its death by the kernel, and may need a moment to go.
    deadline = time.monotonic() + 10
    while _session(process.pid) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert _session(process.pid) == []
    return process.exitcode
