"""A process that gets nowhere is ended with its stack. Each test watches a process of its own."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from pathlib import Path

PROGRAM = """
import ctypes, signal, sys
from posetwin import watchdog

def tell(error, stack):
    print(error.code, error.message, stack, sep="\\n", flush=True)

def gets_stuck():
    {stuck}

watchdog.report_to(tell)
with watchdog.watched({limit}, alone={alone}):
    watchdog.beat("before_forward", 3)
    gets_stuck()
print("ended by itself")
"""


def watch(stuck: str, limit: float = 0.3, alone: bool = True) -> subprocess.CompletedProcess[str]:
    program = textwrap.dedent(PROGRAM).format(stuck=stuck, limit=limit, alone=alone)
    environment = {"PYTHONPATH": str(Path(__file__).parents[2] / "python")}
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env=environment, timeout=60)


def test_a_process_without_progress_tells_where_it_is_stuck_and_ends() -> None:
    ended = watch("signal.pause()")
    assert ended.returncode == 1
    assert ended.stdout.startswith("timeout\ngot no further for 0.3 s after the moment before_forward of step 3\n")
    assert "gets_stuck" in ended.stdout


def test_one_that_waits_for_other_ranks_is_given_twice_the_time() -> None:
    ended = watch("watchdog.wait_for_others(); signal.pause()", alone=False)
    assert ended.returncode == 1
    assert ended.stdout.startswith("timeout\nwaited for other ranks for 0.6 s after the moment before_forward")


def test_one_that_the_others_have_come_to_is_not() -> None:
    ended = watch("watchdog.wait_for_others(); watchdog.go_on(); signal.pause()", alone=False)
    assert "got no further for 0.3 s" in ended.stdout


def test_code_that_never_lets_go_of_the_interpreter_is_logged_and_ended_too() -> None:
    # PyDLL calls into C with the interpreter held.
    ended = watch("ctypes.PyDLL(None).pause()")
    assert ended.returncode == 1
    assert ended.stdout == ""
    assert "gets_stuck" in ended.stderr


def test_one_that_goes_on_is_left_alone() -> None:
    ended = watch("[watchdog.beat('after_step', n) or __import__('time').sleep(0.05) for n in range(20)]")
    assert (ended.returncode, ended.stdout) == (0, "ended by itself\n")
