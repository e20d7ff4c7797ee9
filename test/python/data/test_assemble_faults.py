"""Killed at any named moment, assembling ends with the files of an unbroken run, byte for byte.

A few moments are tested always; `-m faults` (npm run test:faults) runs the others.
"""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Any

import pytest
from deaths import run_and_die
from moments_tested import IN_ASSEMBLING
from PIL import Image
from tiny import DATASET, assemble_job, ignore, make_job, write_lines

from posetwin.data import assemble as stage
from posetwin.errors import PosetwinError
from posetwin.mini.world import sample_world
from posetwin.stages import run

PICTURES = 16
# Of those, what another process may do; the stage then ends with an error, and goes on when it is run again.
IN_A_PROCESS = {"chunk_started": 3, "picture_stored": 18, "shard_named": 1, "chunk_recorded": 6}
ALWAYS = ("index_listed", "shard_named", "samples_written", "assembled")


def rarely(moment: str) -> Any:
    return () if moment in ALWAYS else pytest.mark.faults


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Pictures on disk, one of them twice, and a file that is none."""
    folder = tmp_path_factory.mktemp("photos")
    for number in range(PICTURES - 2):
        drawn = sample_world(number, size=96)
        Image.fromarray(drawn.image).save(folder / f"{number:02d}.png")
    (folder / "14.png").write_bytes((folder / "03.png").read_bytes())
    (folder / "15.jpg").write_bytes(b"no picture")
    return folder


class Assembling:
    """Both stages in one folder."""

    def __init__(self, folder: Path, photos: Path, num_workers: int = 1) -> None:
        self.index, self.output, self.items = folder / "index", folder / "out", folder / "items.jsonl"
        source = {"kind": "folder", "weight": 1, "path": str(photos), "caption": "a person", "detector": "mini"}
        sources = [*DATASET["sources"], source]
        drawn = [{"kind": "mini", "id": i, "split": "train", "seed": i, "pose": ""} for i in range(16)]
        read = [
            {"kind": "picture", "id": 16 + i, "split": "train", "source": 1, "row": i, "describe": False}
            for i in range(PICTURES)
        ]
        write_lines(self.items, [*drawn, *read])
        self.list_job = make_job("index", self.index, {}, {"sources": sources})
        spec = {"seed": 0, "dataset": {**DATASET, "sources": sources}}
        self.job = {**assemble_job(self.items, self.output, spec, self.index), "num_workers": num_workers}

    def run(self) -> dict[str, bytes]:
        run(self.list_job, ignore)
        run(self.job, ignore)
        return {
            str(path.relative_to(folder)): path.read_bytes()
            for folder in (self.index, self.output)
            for path in folder.rglob("*")
            if path.is_file()
        }

    def die(self, event: str, moment: str) -> int | None:
        if moment.startswith("index"):
            return run_and_die(self.list_job, event)
        run(self.list_job, ignore)
        return run_and_die(self.job, event)


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stage, "CHUNK", 4)


@pytest.fixture(scope="module")
def unbroken(photos: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stage, "CHUNK", 4)
        return Assembling(tmp_path_factory.mktemp("unbroken"), photos).run()


@pytest.mark.parametrize(
    ("moment", "step"), [pytest.param(name, step, marks=rarely(name)) for name, step in IN_ASSEMBLING.items()]
)
def test_killed_at(moment: str, step: int, photos: Path, unbroken: dict[str, bytes], tmp_path: Path) -> None:
    step += 1 if moment.startswith("index") else 0
    assembling = Assembling(tmp_path, photos)
    assert assembling.die(f"kill:{moment}:{step}", moment) == -signal.SIGKILL
    assert assembling.run() == unbroken


@pytest.mark.parametrize(
    ("moment", "step"),
    [
        pytest.param(name, step, marks=() if name == "picture_stored" else pytest.mark.faults)
        for name, step in IN_A_PROCESS.items()
    ],
)
def test_one_of_several_processes_is_killed_at(
    moment: str, step: int, photos: Path, unbroken: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assembling = Assembling(tmp_path, photos, num_workers=2)
    run(assembling.list_job, ignore)
    monkeypatch.setenv("POSETWIN_TEST_EVENT", f"kill:{moment}:{step}")
    with pytest.raises(PosetwinError) as caught:
        run(assembling.job, ignore)
    assert caught.value.code == "worker_died"
    monkeypatch.delenv("POSETWIN_TEST_EVENT")
    assert assembling.run() == unbroken


def test_killed_with_processes_of_its_own_it_leaves_none_behind(
    photos: Path, unbroken: dict[str, bytes], tmp_path: Path
) -> None:
    assembling = Assembling(tmp_path, photos, num_workers=2)
    run(assembling.list_job, ignore)
    # The first progress that is told: at least one chunk of four is done.
    assert run_and_die(assembling.job, "kill:chunks_done:8") == -signal.SIGKILL
    assert assembling.run() == unbroken
