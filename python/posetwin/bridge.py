"""The one door between the orchestrator and Python: ``dispatch(name, json) -> json``.

A facade module registers its functions with ``@method``; they take plain keyword arguments and return what JSON can
hold (numpy and torch scalars and arrays, sets and paths are converted). Heavy imports belong in their bodies.
"""

from __future__ import annotations

import faulthandler
import importlib
import json
import os
import platform
import signal
import sys
from collections.abc import Callable
from typing import Any

from posetwin.errors import PosetwinError, describe_failure
from posetwin.supervise import PARENT_PID, die_with_parent

Method = Callable[..., Any]
_methods: dict[str, Method] = {}
_facade = "posetwin.facade"


def method(function: Method) -> Method:
    """Lets the orchestrator call ``function`` by its name."""
    _methods[function.__name__] = function
    return function


@method
def warm_up(modules: list[str]) -> None:
    """Imports slow modules while the orchestrator still validates and plans."""
    for name in modules:
        importlib.import_module(name)


def start(options: str) -> str:
    """Makes this process safe to own; called once, before the first ``dispatch``.

    options: JSON of ``facade`` (the module whose methods are served), ``parent_pid`` and ``log`` (a path, or null to
    keep the orchestrator's standard error).
    """
    global _facade
    given = json.loads(options)
    _facade = given["facade"]
    os.environ[PARENT_PID] = str(given["parent_pid"])
    die_with_parent()
    _redirect_output(given["log"])
    # Ctrl-C is the orchestrator's to handle, which then ends this process.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # A Node process started from here would take our channel for its own.
    os.environ.pop("NODE_CHANNEL_FD", None)
    # pythonia's own folder comes first and holds modules of common names (proxy, interface).
    sys.path[:] = [path for path in sys.path if not os.path.exists(os.path.join(path, "json_patch.py"))]
    return json.dumps({"pid": os.getpid(), "python": platform.python_version()})


def _redirect_output(log: str | None) -> None:
    """What anything prints goes to the log: standard output is the user's."""
    if log is not None:
        file = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        os.dup2(file, 2)
        os.close(file)
    os.dup2(2, 1)
    faulthandler.enable()


def dispatch(name: str, params: str) -> str:
    """Calls the method ``name`` with the keyword arguments in the JSON ``params``; never raises.

    Returns JSON: ``{"ok": true, "value": …}`` or ``{"ok": false, "error": {code, message, hint, traceback}}``.
    """
    try:
        value = _find(name)(**json.loads(params))
        return _encode({"ok": True, "value": value})
    except BaseException as error:  # SystemExit too: it would end the bridge without a word
        return json.dumps({"ok": False, "error": describe_failure(error, "python_error")})


def _find(name: str) -> Method:
    if name not in _methods:
        importlib.import_module(_facade)
    if name not in _methods:
        raise PosetwinError("bridge_contract", f"{_facade} has no method {name}")
    return _methods[name]


def _encode(answer: dict[str, Any]) -> str:
    try:
        return json.dumps(answer, default=_to_plain, allow_nan=False)
    except (ValueError, TypeError) as error:
        raise PosetwinError("bridge_contract", f"the answer cannot cross the bridge: {error}") from error


def _to_plain(value: Any) -> Any:
    if hasattr(value, "tolist"):
        return value.tolist()
    if isinstance(value, (set, frozenset)):
        return sorted(value)
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    raise TypeError(f"{type(value).__name__} is not JSON")
