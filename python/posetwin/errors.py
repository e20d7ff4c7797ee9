"""Errors that carry a code, the same closed list of codes as orchestrator/errors.ts."""

from __future__ import annotations

import errno
import traceback


class PosetwinError(Exception):
    """A failure with a code that the orchestrator knows, a message that names the place, and the remedy.

    code: one of the codes in orchestrator/errors.ts (``diverged``, ``bad_image``, ``missing_weights``, …).
    """

    def __init__(self, code: str, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.hint = hint

    def __reduce__(self) -> tuple[type[PosetwinError], tuple[str, str, str | None]]:
        # It crosses between processes whole.
        return type(self), (self.code, self.message, self.hint)


_OUT_OF_MEMORY = ("out of memory", "can't allocate memory", "OutOfMemoryError")


def is_disk_full(error: BaseException) -> bool:
    """Libraries that are not written in Python tell it in words alone."""
    return getattr(error, "errno", None) in (errno.ENOSPC, errno.EDQUOT) or "No space left on device" in str(error)


def _code_of(error: BaseException, otherwise: str) -> str:
    if isinstance(error, PosetwinError):
        return error.code
    if is_disk_full(error):
        return "disk_full"
    text = f"{type(error).__name__}: {error}"
    is_out_of_memory = isinstance(error, MemoryError) or any(mark in text for mark in _OUT_OF_MEMORY)
    return "out_of_memory" if is_out_of_memory else otherwise


def describe_failure(error: BaseException, otherwise: str) -> dict[str, str | None]:
    """What crosses to the orchestrator of an exception: code, message, hint, traceback.

    otherwise: the code of an exception that is neither ours nor a lack of memory or space.
    """
    is_ours = isinstance(error, PosetwinError)
    return {
        "code": _code_of(error, otherwise),
        "message": str(error) if is_ours else f"{type(error).__name__}: {error}",
        "hint": error.hint if is_ours else None,
        "traceback": "".join(traceback.format_exception(type(error), error, error.__traceback__)),
    }
