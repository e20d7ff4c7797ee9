"""Reads `[[type, value], …]` from standard input, answers what each model makes of its value, or its errors.

`refused` says that the value with a key too many, a key too few or a NaN is refused.
"""

from __future__ import annotations

import json
import math
import sys
from typing import Any

from pydantic import TypeAdapter, ValidationError

import posetwin.contracts as contracts


def accepts(adapter: TypeAdapter[Any], value: object) -> bool:
    try:
        adapter.validate_json(json.dumps(value))
    except ValidationError:
        return False
    return True


def broken(value: dict[str, Any]) -> list[dict[str, Any]]:
    """`value` with an unknown key, once without each of its keys, and once with NaN for each of its numbers."""
    without = [{k: v for k, v in value.items() if k != key} for key in value]
    not_finite = [{**value, key: math.nan} for key, number in value.items() if isinstance(number, float)]
    return [{**value, "surprise": 1}, *without, *not_finite]


def answer(name: str, value: dict[str, Any]) -> dict[str, Any]:
    adapter = TypeAdapter(getattr(contracts, name))
    model = adapter.validate_json(json.dumps(value))
    return {
        "model": type(model).__name__,
        "value": json.loads(model.model_dump_json()),
        "refused": not any(accepts(adapter, wrong) for wrong in broken(value)),
    }


if __name__ == "__main__":
    print(json.dumps([answer(name, value) for name, value in json.load(sys.stdin)]))
