"""The gradient self-test of a training before its first step (audit, point 11): see gradient_gate."""

from __future__ import annotations

from posetwin.errors import PosetwinError
from posetwin.training.gradient_gate import Tested, check_gradients, find_fault
from posetwin.training.sinks import Emit
from posetwin.training.task import Task
from posetwin.watchdog import beat

SAMPLES, STEPS = 2, 3


def is_hopeless(task: Task, indices: range, emit: Emit) -> bool:
    """Tests the first `SAMPLES` of these samples at a few t: true where the schedule leaves nothing to train with, of
    which a warning tells. Raises PosetwinError: dead_gradient where the detector or the loss is at fault."""
    tested, parameters, results = indices[:SAMPLES], list(task.adapter.parameters()), list[Tested]()
    for t in task.denoiser.steps.spread(STEPS):
        beat("self_test", t)
        results += check_gradients(task.gate_terms(tested, t), task.used_terms, parameters, t)
    for result in results:
        emit({"type": "gradient_gate", **vars(result)})
    fault = find_fault(results)
    if fault is None:
        return False
    _refuse_broken_instrument(task, tested, fault)
    message = f"{fault}; decoder and detector work on clean pictures, so it is the schedule that leaves no gradient"
    emit({"type": "warning", "code": "dead_gradient", "message": message})
    return True


def _refuse_broken_instrument(task: Task, indices: range, fault: str) -> None:
    instrument = task.instrument(indices)
    if instrument is not None:
        compute, depends_on = instrument
        if find_fault(check_gradients(compute, tuple(compute()), depends_on, 0)) is None:
            return
    hint = "no step from the adapter to the loss may leave torch or round: check the detector"
    raise PosetwinError("dead_gradient", fault, hint)
