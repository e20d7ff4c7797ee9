from __future__ import annotations

from pathlib import Path
from typing import Any

from tiny import Stack, make_job

from posetwin.stages import run


def test_a_stage_that_is_asked_to_stop_ends_between_two_batches(stack: Stack, tmp_path: Path) -> None:
    events: list[dict[str, Any]] = []
    spec = {"backbone": stack.models["backbone"]}
    run(make_job("cache", tmp_path, {"assemble": stack.assemble}, spec), events.append, lambda: True)
    assert [event["type"] for event in events] == ["started", "progress", "finished"]
    assert events[-1]["status"] == "stopped"
    assert list(tmp_path.iterdir()) == []
