"""The same global batch on one rank and on several."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import rank_program
import torch
from killed import assert_bit_equal, weights
from safetensors.torch import load_file
from tiny import Stack, T

from posetwin import moments
from posetwin.training.world import World

PROGRAM = Path(__file__).parent / "rank_program.py"
PYTHON = Path(__file__).parents[3] / "python"
# Uneven on two ranks.
BATCH = 3
PRECISIONS = {"float64": 20, "float32": 10}


def write_job(stack: Stack, output: Path, **train: Any) -> Path:
    output.mkdir(parents=True)
    path = output / "job.json"
    path.write_text(json.dumps(stack.train_job(output, train=train)))
    return path


def torchrun(*options: str) -> list[str | Path]:
    return [sys.executable, "-m", "torch.distributed.run", *options, PROGRAM]


def environment(event: str | None) -> dict[str, str]:
    """With POSETWIN_TEST_EVENT where something is to happen."""
    told = {} if event is None else {moments.VARIABLE: event}
    return {**os.environ, "PYTHONPATH": str(PYTHON), "OMP_NUM_THREADS": "1", **told}


def launch(ranks: int, *arguments: str | Path, event: str | None = None) -> subprocess.CompletedProcess[bytes]:
    """rank_program on so many ranks of one node."""
    command = torchrun("--standalone", f"--nproc-per-node={ranks}")
    return subprocess.run([*command, *arguments], env=environment(event), stderr=subprocess.PIPE)


def launch_nodes(nodes: int, *arguments: str | Path) -> list[int]:
    """rank_program on one rank of each of so many nodes, which are agents of their own on this machine: exit codes."""
    meeting = [f"--nnodes={nodes}", "--nproc-per-node=1", "--master-addr=127.0.0.1", f"--master-port={free_port()}"]
    agents = [
        subprocess.Popen([*torchrun(*meeting, f"--node-rank={node}"), *arguments], env=environment(None))
        for node in range(nodes)
    ]
    try:
        return [agent.wait(timeout=120) for agent in agents]
    finally:
        for agent in agents:
            agent.terminate()


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def write_jobs(ranks: int, stack: Stack, folder: Path) -> list[tuple[str, Path]]:
    return [
        (dtype, write_job(stack, folder / f"{dtype}-{ranks}", max_train_steps=steps, global_batch_size=BATCH))
        for dtype, steps in PRECISIONS.items()
    ] + [
        (
            "float64",
            write_job(stack, folder / f"bank-{ranks}", max_train_steps=9, global_batch_size=BATCH, bank_steps=T),
        )
    ]


@pytest.fixture(scope="module")
def trained(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """<dtype>-<ranks> for both precisions on one and two ranks, under the patent's objective."""
    folder = tmp_path_factory.mktemp("ranks")
    for dtype, job in write_jobs(1, stack, folder):
        rank_program.train(World(0, 1, torch.device("cpu")), dtype, job)
    ended = launch(2, *(argument for job in write_jobs(2, stack, folder) for argument in job))
    assert ended.returncode == 0, ended.stderr.decode()
    return folder


def flat(tensors: dict[str, torch.Tensor]) -> torch.Tensor:
    return torch.cat([tensors[name].flatten().double() for name in sorted(tensors)])


def objectives(folder: Path) -> torch.Tensor:
    return torch.tensor([step["objective"] for step in json.loads((folder / "steps.json").read_text())]).double()


# In float32 AdamW divides by the size of the gradient, and so makes as much of the rounding of a small gradient as of
# that of a large one: one weight in a hundred carries three quarters of the difference.
@pytest.mark.parametrize(("dtype", "tolerance"), [("float64", 1e-9), ("float32", 1e-5)])
def test_two_ranks_train_the_same_weights_as_one(dtype: str, tolerance: float, stack: Stack, trained: Path) -> None:
    one, two = (flat(weights(trained / f"{dtype}-{ranks}")) for ranks in (1, 2))
    start = flat(load_file(Path(stack.models["adapter"]["path"]) / "diffusion_pytorch_model.safetensors"))
    assert (one != start).all()
    assert float((one - two).norm() / one.norm()) <= tolerance
    seen = [objectives(trained / f"{dtype}-{ranks}") for ranks in (1, 2)]
    assert len(seen[0]) == PRECISIONS[dtype]
    torch.testing.assert_close(seen[0], seen[1], rtol=tolerance, atol=0)


def test_two_ranks_share_a_bank(trained: Path) -> None:
    one, two = (flat(weights(trained / f"bank-{ranks}")) for ranks in (1, 2))
    assert float((one - two).norm() / one.norm()) <= 1e-9


def test_two_nodes_train_the_same_bits_as_one_node_of_two_ranks(stack: Stack, tmp_path: Path) -> None:
    settings = {"max_train_steps": 3, "checkpointing_steps": 2, "global_batch_size": BATCH}
    one, two = (write_job(stack, tmp_path / name, **settings) for name in ("one", "two"))
    assert launch(2, "float32", one).returncode == 0
    assert launch_nodes(2, "float32", two) == [0, 0]
    assert_bit_equal(tmp_path / "two", tmp_path / "one")


@pytest.mark.faults
def test_three_ranks_of_which_one_is_killed_end_with_the_same_bits(stack: Stack, tmp_path: Path) -> None:
    # With three the order in which gradients are summed begins to matter.
    settings = {"max_train_steps": 4, "checkpointing_steps": 2, "global_batch_size": 3}
    whole, broken = (write_job(stack, tmp_path / name, **settings) for name in ("whole", "broken"))
    assert launch(3, "float32", whole).returncode == 0
    killed = launch(3, "float32", broken, event="kill:after_backward:4:1")
    assert f"exitcode  : -{int(signal.SIGKILL)}" in killed.stderr.decode()
    assert launch(3, "float32", broken).returncode == 0
    assert [step["step"] for step in json.loads((tmp_path / "broken" / "steps.json").read_text())] == [3, 4]
    assert_bit_equal(tmp_path / "broken", tmp_path / "whole")
