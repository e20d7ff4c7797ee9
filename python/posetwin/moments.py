"""Named moments of a run: what a test can have a process killed at, and what the watchdog takes for progress.

A test sets ``POSETWIN_TEST_EVENT=<action>:<moment>:<step>[:<rank>]`` (rank 0 where none is given), for example
``kill:checkpoint_weights:50``. The actions:

- ``kill``: this process kills itself with SIGKILL;
- ``kill_launcher``: it kills torchrun, and does nothing more;
- ``kill_orchestrator``: it kills the orchestrator, and does nothing more;
- ``hang``: it does nothing more;
- ``freeze``: it is stopped with SIGSTOP, all its threads with it.

Without the variable a moment does nothing but tell the watchdog. Nothing else leads here.
"""

from __future__ import annotations

import os
import signal
from dataclasses import dataclass
from typing import NoReturn

from posetwin.watchdog import beat

VARIABLE = "POSETWIN_TEST_EVENT"
ORCHESTRATOR_PID = "POSETWIN_ORCHESTRATOR_PID"
ACTIONS = ("kill", "kill_launcher", "kill_orchestrator", "hang", "freeze")

# The closed list. `step` is the step under way, or of the checkpoint in question, or else the number of steps done.
MOMENTS = {
    # A training before its first step.
    "models_loaded": "models and data are there, no checkpoint is looked for",
    "checkpoint_found": "the newest whole checkpoint is chosen, nothing of it is loaded",
    "weights_loaded": "the adapter has the checkpoint's weights, the optimiser not yet its state",
    "checkpoint_loaded": "both are loaded",
    "training_ready": "the self-test and the first measurement are done",
    # A step.
    "before_forward": "the step has begun",
    "after_forward": "the loss at one t is computed, its gradient is not",
    "after_backward": "the gradients are there, the same on all ranks",
    "gradients_clipped": "the weights are as before the step",
    "optimizer_stepped": "the weights are new, nothing is told",
    "after_step": "the step is in the journal",
    # A boundary.
    "boundary_measured": "what is measured at the boundary is in the journal",
    "boundary_asked": "TypeScript is asked, its answer is not awaited yet",
    "boundary_answered": "the answer is in the journal of decisions, nothing is done about it",
    # What is looked at between two steps.
    "validation_started": "the step is in the journal, no held-out pair is looked at",
    "validation_batch": "a batch of this rank's held-out pairs is done",
    "validated": "all ranks' means are there, nothing is told",
    "best_written": "the best adapter's folder has a temporary name",
    "best_saved": "it has its name, the validation is not told",
    "sample_painted": "a picture is on the disk",
    # A checkpoint.
    "checkpoint_started": "the temporary folder is there and empty",
    "checkpoint_weights": "the weights are written",
    "checkpoint_optimizer": "the optimiser's state is written",
    "checkpoint_state": "the step is written: all but the manifest",
    "checkpoint_synced": "those files are flushed to the disk",
    "checkpoint_manifest": "the manifest is written, and not flushed",
    "checkpoint_sealed": "all is flushed, the folder has its temporary name",
    "checkpoint_renamed": "the folder has its name, the old ones are still there",
    "checkpoint_deleting": "an old one has lost its manifest and nothing else",
    "checkpoint_deleted": "the old ones are gone, the checkpoint is not told",
    # The end of a training.
    "training_done": "the last checkpoint is told",
    "adapter_written": "the adapter's folder has a temporary name",
    "adapter_saved": "it has its name, there is no result.json",
    "result_written": "result.json is there, the end is not told",
    # Listing the sources of pictures: `step` is the source's number.
    "index_listed": "all pictures of the source are in a temporary file",
    "index_written": "the list has its name",
    # A chunk of pictures: `step` is its number, or the id of the picture.
    "chunk_started": "nothing of the chunk is on the disk",
    "picture_stored": "the picture of this id is in the shard, which has a temporary name",
    "shard_written": "all pictures are in it",
    "shard_named": "the shard has its name",
    "chunk_table": "the chunk's table is written",
    "chunk_rejected": "what was left out is written",
    "chunk_recorded": "the chunk is in the journal: it counts as done",
    # The end of assembling: `step` is the number of chunks.
    "chunks_done": "all chunks are in the journal",
    "sources_verified": "annotations are compared with the detector",
    "duplicates_found": "pictures that are one are known",
    "samples_written": "samples.parquet has its name",
    "rejected_written": "rejected.jsonl has its name",
    "assembled": "result.json is there, the chunks' own tables too",
    "chunks_removed": "the chunks' own tables are gone",
    # The other stages.
    "progress": "a batch of a stage is done: `step` is how much is done by now",
}


@dataclass(frozen=True)
class _Event:
    action: str
    moment: str
    step: int
    rank: int


def _parse(text: str) -> _Event:
    """Raises ValueError: a test that names no moment would wait for it in vain."""
    action, moment, step, *rank = text.split(":")
    if action not in ACTIONS or moment not in MOMENTS or len(rank) > 1:
        raise ValueError(f"{VARIABLE}={text}: no <action>:<moment>:<step>[:<rank>]")
    return _Event(action, moment, int(step), int(rank[0]) if rank else 0)


_event: _Event | None = None


def arm() -> None:
    """Read the variable: done when this module is imported, and again by a test that forks."""
    global _event
    text = os.environ.get(VARIABLE)
    _event = None if text is None else _parse(text)


arm()


def at(moment: str, step: int) -> None:
    """The process is at this moment of this step."""
    # After the backward pass a GPU may still be waiting for the other ranks' gradients.
    if moment != "after_backward":
        beat(moment, step)
    if _event is not None:
        _act(_event, moment, step)


def _act(event: _Event, moment: str, step: int) -> None:
    if (event.moment, event.step, event.rank) != (moment, step, int(os.environ.get("RANK", "0"))):
        return
    if event.action == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    if event.action == "kill_launcher":
        os.kill(_launcher(), signal.SIGKILL)
    if event.action == "kill_orchestrator":
        os.kill(int(os.environ[ORCHESTRATOR_PID]), signal.SIGKILL)
    if event.action == "freeze":
        os.kill(os.getpid(), signal.SIGSTOP)
    _do_nothing_more()


def _launcher() -> int:
    """Raises ValueError without torchrun: this process's parent is then whatever started it."""
    if "TORCHELASTIC_RUN_ID" not in os.environ:
        raise ValueError(f"{VARIABLE}: there is no torchrun to kill")
    return os.getppid()


def _do_nothing_more() -> NoReturn:
    """Until a signal that is not caught."""
    while True:
        signal.pause()
