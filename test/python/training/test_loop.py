from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any

import pytest
import torch
from pydantic import TypeAdapter
from tiny import TRAIN, Stack, ignore, schedule_spec, write_lines

from posetwin.contracts import WorkerEvent
from posetwin.errors import PosetwinError
from posetwin.stages import run
from posetwin.training import loop, set_up
from posetwin.training.loop import Trainer
from posetwin.training.objective import Objective
from posetwin.training.routes import Both
from posetwin.training.secondary import SecondaryTask
from posetwin.training.world import World


def make_trainer(stack: Stack, output: Path, **changes: dict[str, Any]) -> Trainer:
    job = stack.parsed(stack.train_job(output, **changes))
    return set_up.make_trainer(job, World(0, 1, torch.device("cpu")), ignore, lambda: False)


def secondary(trainer: Trainer) -> SecondaryTask:
    assert isinstance(trainer.task, SecondaryTask)
    return trainer.task


@pytest.fixture(scope="module")
def events(stack: Stack) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    run(stack.train_job(stack.folder / "events"), found.append)
    return found


def test_every_event_satisfies_the_contract(events: list[dict[str, Any]]) -> None:
    adapter: TypeAdapter[Any] = TypeAdapter(WorkerEvent)
    for event in events:
        adapter.validate_python({**event, "time": 0.0})


def test_the_logged_loss_is_eq_40_of_the_logged_terms(events: list[dict[str, Any]]) -> None:
    q = schedule_spec()["q"][0]
    for event in (e for e in events if e["type"] == "step"):
        [visit] = event["visits"]
        loss = q * visit["terms"]["target_pose"] + visit["terms"]["pose_residual"]
        assert visit["loss"] == pytest.approx(loss, rel=1e-12)
        assert event["objective"] == pytest.approx(loss / (q + 1), rel=1e-12)


def test_every_t_is_visited_once_in_each_cycle(events: list[dict[str, Any]]) -> None:
    visited = [e["visits"][0]["t"] for e in events if e["type"] == "step"]
    assert sorted(visited[:4]) == [1, 2, 3, 4]


def test_events_are_journaled_in_the_output_folder(stack: Stack, events: list[dict[str, Any]]) -> None:
    lines = (stack.folder / "events" / "events.jsonl").read_text().splitlines()
    assert [json.loads(line)["type"] for line in lines] == [e["type"] for e in events[:-1]]


def test_only_the_secondary_adapter_changes(stack: Stack, tmp_path: Path) -> None:
    trainer = make_trainer(stack, tmp_path, train={"max_train_steps": 1})
    backbone = secondary(trainer).objective.denoiser.backbone
    frozen = [p for module in (backbone.unet, backbone.vae, backbone.text_encoder) for p in module.parameters()]
    before = [p.clone() for p in frozen]
    start = [p.detach().clone() for p in trainer.task.adapter.parameters()]
    trainer.train()
    assert all(torch.equal(p, q) for p, q in zip(frozen, before, strict=True))
    assert all(p.grad is None for p in frozen)
    assert all(not torch.equal(p, q) for p, q in zip(trainer.task.adapter.parameters(), start, strict=True))


def test_equal_adapters_and_poses_have_no_score_difference(stack: Stack, tmp_path: Path) -> None:
    task = secondary(make_trainer(stack, tmp_path))
    batch = task.batches.gather(range(2))
    terms = task.objective.evaluate(batch, Both(batch.noise, batch.noise), batch.features_a, 2).terms
    assert terms["score_difference"].max() == 0
    assert terms["pose_residual"].max() == 0
    assert terms["scene"].max() == 0
    torch.testing.assert_close(terms["target_pose"], terms["lower_bound_distance"])


def test_training_stops_where_the_journal_says_so(stack: Stack, tmp_path: Path) -> None:
    decisions = tmp_path / "decisions.jsonl"
    answers = {2: "continue", 4: "stop"}
    events: list[dict[str, Any]] = []

    def answer(event: dict[str, Any]) -> None:
        events.append(event)
        if event["type"] == "boundary":
            line = {"step": event["step"], "decision": answers[event["step"]], "reason": ""}
            threading.Thread(target=lambda: decisions.open("a").write(json.dumps(line) + "\n")).start()

    job = stack.train_job(tmp_path, convergence={"decision_steps": 2})
    run(job, answer)
    result = json.loads((tmp_path / "result.json").read_text())
    assert (result["steps"], result["stopped_early"]) == (4, True)
    assert [e["step"] for e in events if e["type"] == "boundary"] == [2, 4]


def test_an_answer_that_is_there_already_is_taken_without_asking(stack: Stack, tmp_path: Path) -> None:
    write_lines(tmp_path / "decisions.jsonl", [{"step": 2, "decision": "stop", "reason": ""}])
    events: list[dict[str, Any]] = []
    run(stack.train_job(tmp_path, convergence={"decision_steps": 2}), events.append)
    assert "boundary" not in {e["type"] for e in events}
    assert json.loads((tmp_path / "result.json").read_text())["steps"] == 2


def test_a_loss_that_is_not_finite_ends_in_diverged_and_names_t_and_term(
    stack: Stack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trainer = make_trainer(stack, tmp_path, train={"checkpointing_steps": 1})
    steps, original = [], Objective._terms

    def explode(self: Objective, *arguments: Any) -> dict[str, torch.Tensor]:
        steps.append(arguments)
        terms = original(self, *arguments)
        return terms if len(steps) < 2 else {**terms, "target_pose": terms["target_pose"] * torch.inf}

    monkeypatch.setattr(loop, "is_hopeless", lambda *arguments: False)
    monkeypatch.setattr(Objective, "_terms", explode)
    with pytest.raises(PosetwinError, match=r"step 2: target_pose at t = \d") as caught:
        trainer.train()
    assert caught.value.code == "diverged"
    assert [f.name for f in (tmp_path / "checkpoints").iterdir()] == ["step-000001"]


def test_more_ranks_than_samples_are_refused(stack: Stack, tmp_path: Path) -> None:
    job = stack.parsed(stack.train_job(tmp_path))
    world = World(0, TRAIN["global_batch_size"] + 1, torch.device("cpu"))
    with pytest.raises(PosetwinError) as caught:
        set_up.make_trainer(job, world, ignore, lambda: False)
    assert caught.value.code == "refused_combination"
