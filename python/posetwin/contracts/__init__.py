"""The shapes that cross between TypeScript and Python, generated from the zod schemas in ``orchestrator/contracts``.

``parse_job`` reads what the orchestrator wrote; models are written with ``model_dump_json()``.
"""

from __future__ import annotations

from functools import cache

from pydantic import TypeAdapter, ValidationError

from posetwin.contracts import _generated
from posetwin.contracts._generated import *  # noqa: F403
from posetwin.contracts._generated import Job
from posetwin.contracts.base import Contract
from posetwin.errors import PosetwinError

__all__ = ["Contract", "parse_job"]
__all__ += _generated.__all__


@cache
def _job_adapter() -> TypeAdapter[Job]:
    return TypeAdapter(Job)


def parse_job(text: str | bytes) -> Job:
    """The job of ``job.json``, as the model of its stage.

    Raises ``PosetwinError('contract_violation')`` when the text is not a job of this version.
    """
    try:
        return _job_adapter().validate_json(text)
    except ValidationError as error:
        problems = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors(include_url=False))
        raise PosetwinError("contract_violation", f"job.json is not a job: {problems}") from error
