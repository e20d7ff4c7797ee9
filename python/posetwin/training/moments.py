"""Named moments of training at which a test may have the process killed."""

from __future__ import annotations

import os
import signal

VARIABLE = "POSETWIN_TEST_EVENT"


def at(moment: str, step: int) -> None:
    """Kill this process with SIGKILL if POSETWIN_TEST_EVENT is ``kill:<moment>:<step>``; otherwise nothing.

    Moments: ``after_step`` and ``during_checkpoint`` (all files but the manifest are written).
    """
    if os.environ.get(VARIABLE) == f"kill:{moment}:{step}":
        os.kill(os.getpid(), signal.SIGKILL)
