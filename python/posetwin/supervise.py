"""Runs what must not outlive the process that asked for it: ``-m module args…``, or a program, ``-- srun …``.

Standard library alone, and runnable by its path, because it also guards pip before anything is installed.
"""

from __future__ import annotations

import ctypes
import os
import runpy
import signal
import sys
import threading
import time

PARENT_PID = "POSETWIN_PARENT_PID"
_PR_SET_PDEATHSIG = 1
_POLL_SECONDS = 0.5


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _end_when_gone(parent_pid: int, first_ppid: int) -> None:
    while _is_alive(parent_pid) and os.getppid() == first_ppid:
        time.sleep(_POLL_SECONDS)
    os._exit(128 + signal.SIGTERM)


def die_with_parent() -> None:
    """Ends this process as soon as the process named in POSETWIN_PARENT_PID is gone, even after ``kill -9``.

    On Linux the kernel does it. Elsewhere, and when a wrapper stands between the two, a thread looks twice a second.
    """
    parent_pid = int(os.environ.get(PARENT_PID, "0"))
    if parent_pid in (0, os.getpid()) or os.name == "nt":
        return
    first_ppid = os.getppid()
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        # The parent may have gone before the call above: then our parent is another process by now.
        if os.getppid() == parent_pid:
            return
    if not _is_alive(parent_pid):
        os._exit(128 + signal.SIGTERM)
    threading.Thread(target=_end_when_gone, args=(parent_pid, first_ppid), daemon=True).start()


def _become(command: list[str]) -> None:
    """The kernel keeps the promise of `die_with_parent` for the program, too. What that starts, here or on another
    machine, has parents of its own."""
    os.environ[PARENT_PID] = "0"
    os.execvp(command[0], command)


def main(argv: list[str]) -> None:
    if len(argv) < 3 or argv[1] not in ("-m", "--"):
        raise SystemExit("usage: supervise.py -m module [arguments], or -- program [arguments]")
    die_with_parent()
    if argv[1] == "--":
        _become(argv[2:])
    # Whatever the module starts has this process as its parent.
    os.environ[PARENT_PID] = str(os.getpid())
    # Started by its path, this folder comes first on sys.path and would shadow other packages' names.
    if sys.path and os.path.abspath(sys.path[0]) == os.path.dirname(os.path.abspath(__file__)):
        del sys.path[0]
    sys.argv = argv[2:]
    runpy.run_module(argv[2], run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main(sys.argv)
