"""Processes that work on chunks side by side: they tell how far they are, and end with the one that started them."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from itertools import islice
from typing import Any, TypeVar

from posetwin.errors import PosetwinError
from posetwin.supervise import PARENT_PID, die_with_parent

Task = TypeVar("Task")
Result = TypeVar("Result")
Tell = Callable[[], None]
Work = Callable[[Any, Any, Tell], Any]

POLL_SECONDS = 0.5
# Enough that no process waits for the next task; a set may have tens of thousands.
TASKS_AHEAD = 2

_state: dict[str, Any] = {}


def _start(setup: Callable[[Any, int], Any], settings: Any, numbers: Any, done: Any, parent_pid: int) -> None:
    os.environ[PARENT_PID] = str(parent_pid)
    die_with_parent()
    # Ctrl-C reaches the whole group: the parent decides what is done about it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    with numbers.get_lock():
        number, numbers.value = numbers.value, numbers.value + 1
    _state.update(tools=setup(settings, number), done=done)


def _tell() -> None:
    done = _state["done"]
    with done.get_lock():
        done.value += 1


def _run(work: Work, task: Any) -> Any:
    return work(_state["tools"], task, _tell)


def _finished(pending: set[Future[Any]], tasks: Iterator[Any], submit: Callable[[Any], Future[Any]]) -> Iterator[Any]:
    finished, _ = wait(pending, timeout=POLL_SECONDS, return_when=FIRST_COMPLETED)
    for future in finished:
        pending.remove(future)
        pending.update(submit(task) for task in islice(tasks, 1))
        yield future.result()


def _died(error: BaseException) -> PosetwinError:
    return PosetwinError(
        "worker_died",
        f"a process that assembles pictures ended without a word: {error}",
        "most likely it was killed for lack of memory: lower num_workers; the same command goes on",
    )


def work_in_processes(
    num_workers: int,
    setup: Callable[[Any, int], Any],
    settings: Any,
    work: Work,
    tasks: Iterable[Task],
    progress: Callable[[int], None],
) -> Iterator[Any]:
    """The results of `work(tools, task, tell)` in the order in which they come.

    setup: (settings, number of the process) → tools, once a process. tell: called by `work` as it gets on; `progress`
    is called with the sum over all processes at least twice a second, and what it raises ends them.
    Raises what `work` raises, and PosetwinError: worker_died.
    """
    context = multiprocessing.get_context("spawn")
    numbers, done = context.Value("i", 0), context.Value("q", 0)
    initial = (setup, settings, numbers, done, os.getpid())
    pool = ProcessPoolExecutor(num_workers, mp_context=context, initializer=_start, initargs=initial)

    def submit(task: Task) -> Future[Any]:
        return pool.submit(_run, work, task)

    waiting = iter(tasks)
    try:
        pending = {submit(task) for task in islice(waiting, num_workers * TASKS_AHEAD)}
        while pending:
            yield from _finished(pending, waiting, submit)
            progress(done.value)
        pool.shutdown()
    except BrokenProcessPool as error:
        raise _died(error) from error
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
        for process in multiprocessing.active_children():
            process.terminate()
