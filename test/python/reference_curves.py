"""The reference curves: three short trainings of the mini models in float64, kept in test/golden/curves.

`npm run curves:update` computes them again, says what moved, and rewrites the golden files and their chart. The log at
the end of docs/convergence.md must then say why: test/python/training/test_reference_curves.py compares both.
"""

from __future__ import annotations

import hashlib
import json
import math
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from unittest.mock import patch

import torch
from reference_curves_chart import chart
from sets import write_couples, write_manifest
from tiny import CONVERGENCE, DATASET, METHOD, TRAIN, assemble_job, ignore, make_job, write_lines

from posetwin.adapters.t2i import load_adapter
from posetwin.contracts import parse_job
from posetwin.data.assembled import read_assembled
from posetwin.data.cache import write_cache, write_features
from posetwin.losses import q
from posetwin.models.backbone import load_backbone
from posetwin.sampling.noise import derived_generator
from posetwin.schedule import build_schedule
from posetwin.stages import run
from posetwin.training.set_up import make_primary_trainer, make_trainer
from posetwin.training.world import World

ROOT = Path(__file__).parents[2]
GOLDEN, LOG, CHART = (
    ROOT / "test/golden/curves",
    ROOT / "docs/convergence.md",
    ROOT / "docs/images/reference-curves.svg",
)
SEED, PICTURES, STEPS = 7, 8, 50
# What a number may differ by, relative to itself.
TOLERANCE = 1e-6
SCHEDULE: dict[str, Any] = {
    "kind": "scaled_linear",
    "num_train_timesteps": 1000,
    "beta_start": 0.00085,
    "beta_end": 0.012,
    "spacing": "trailing",
    "singular": "error",
    "eps": 1e-4,
}
# Numbers by step; a column of a term holds one number for each t that the step visits.
Curve = dict[str, list[Any]]


@dataclass(frozen=True)
class Experiment:
    """`method` and `train`: what differs from the constants of tiny.py."""

    stage: str
    num_steps: int
    train: dict[str, Any]
    method: dict[str, Any] = field(default_factory=dict)


# A rate at which rounding stays small over fifty steps, and every term moves.
_TRAIN = {"max_train_steps": STEPS, "learning_rate": 1e-4, "checkpointing_steps": STEPS}
EXPERIMENTS = {
    "patent": Experiment("train", 3, {**_TRAIN, "global_batch_size": 1, "lr_warmup_steps": 5}),
    "patent-scene": Experiment(
        "train",
        2,
        {**_TRAIN, "global_batch_size": 1, "lr_scheduler": "constant", "lr_warmup_steps": 0, "max_grad_norm": 0.05},
        {
            "objective": "patent+scene",
            "scene_weight": 0.2,
            "latents": {"source": "noised", "state": "own"},
            "total": "sum",
            "target": "detected",
        },
    ),
    "primary": Experiment(
        "primary",
        4,
        {
            **_TRAIN,
            "global_batch_size": 2,
            "gradient_accumulation_steps": 2,
            "lr_scheduler": "linear",
            # At the default of 0.01 fifty steps would hardly tell whether weights decay.
            "adam_weight_decay": 1.0,
        },
    ),
}


def draw_noise_float64(seed: int, purpose: str, indices: Iterable[int], shape: Sequence[int]) -> torch.Tensor:
    """The product's own noise drawn in float64: in float32 torch.randn differs in its last bits between processors."""
    draws = [
        torch.randn(tuple(shape), generator=derived_generator(seed, purpose, index), dtype=torch.float64)
        for index in indices
    ]
    return torch.stack(draws)


def embed_timesteps_float64(
    timesteps: torch.Tensor,
    embedding_dim: int,
    flip_sin_to_cos: bool = False,
    downscale_freq_shift: float = 1,
    scale: float = 1,
    max_period: int = 10000,
) -> torch.Tensor:
    """diffusers' get_timestep_embedding, (N,) → (N, embedding_dim), in float64: it computes in float32 whatever the
    model's dtype, where torch.exp differs in its last bits between processors."""
    half = embedding_dim // 2
    exponent = -math.log(max_period) * torch.arange(half, dtype=torch.float64) / (half - downscale_freq_shift)
    angle = scale * timesteps[:, None].double() * exponent.exp()
    parts = [angle.sin(), angle.cos()]
    return torch.cat(parts[::-1] if flip_sin_to_cos else parts, dim=-1)


@contextmanager
def timesteps_in_float64() -> Iterator[None]:
    with patch("diffusers.models.embeddings.get_timestep_embedding", embed_timesteps_float64):
        yield


@contextmanager
def in_float64() -> Iterator[None]:
    """And without filling memory that is about to be written, which takes a sixth of the time."""
    settings = torch.utils.deterministic
    before, settings.fill_uninitialized_memory = settings.fill_uninitialized_memory, False
    try:
        with patch("posetwin.training.batches.draw_noise", draw_noise_float64), timesteps_in_float64():
            yield
    finally:
        settings.fill_uninitialized_memory = before


def assemble(folder: Path) -> None:
    """Eight drawn pictures in four couples, closed under swap, with what the frozen models make of them."""
    items = [{"kind": "mini", "id": i, "split": "train", "seed": i, "pose": ""} for i in range(PICTURES)]
    write_lines(folder / "items.jsonl", items)
    spec = {"seed": 0, "dataset": DATASET}
    run(assemble_job(folder / "items.jsonl", folder / "assemble", spec), ignore)
    write_couples(folder / "assemble", [(a, a + 1) for a in range(0, PICTURES, 2)])
    count = {"train": PICTURES, "held_out": 0}
    write_manifest(folder / "assemble", num_samples=count, num_pairs=count)
    assembled = read_assembled(folder / "assemble")
    for name in ("cache", "features"):
        (folder / name).mkdir()
    # Files hold float32, whose rounding hides that of float64.
    write_cache(folder / "cache", assembled, load_backbone("mini", torch.float64), lambda *_: None)
    write_features(folder / "features", assembled, load_adapter("mini", torch.float64), 1.0, lambda *_: None)


def schedule_of(num_steps: int) -> dict[str, Any]:
    table = build_schedule({**SCHEDULE, "num_steps": num_steps})
    return {
        "alphas": table.alphas.tolist(),
        "alphas_cumprod": table.alphas_cumprod.tolist(),
        "log_alphas_cumprod": table.log_alphas_cumprod.tolist(),
        "timesteps": [float(timestep) for timestep in table.train_timesteps or []],
        "trainable": [True] * num_steps,
        "q": [float(q(table.odds, "expectation"))] * num_steps,
    }


def _job(folder: Path, output: Path, experiment: Experiment) -> Any:
    train = {**TRAIN, **experiment.train}
    spec: dict[str, Any] = {
        "seed": SEED,
        "backbone": {"path": "mini"},
        "adapter": {"kind": "t2i_adapter", "path": "mini", "conditioning_scale": 1.0},
        "schedule": schedule_of(experiment.num_steps),
        "method": {**METHOD, **experiment.method},
    }
    inputs = {"assemble": folder / "assemble", "cache": folder / "cache", "primary": Path("mini")}
    if experiment.stage == "primary":
        spec["primary"] = {
            "start": "adapter", "timestep_sampling": "uniform", "proportion_empty_prompts": 0.0, "train": train,
        }  # fmt: skip
    else:
        spec |= {"detector": {"kind": "mini"}, "train": train, "convergence": CONVERGENCE}
        inputs |= {"features": folder / "features", "decisions": output / "decisions.jsonl"}
    return parse_job(json.dumps(make_job(experiment.stage, output, inputs, spec)))


def train(folder: Path, name: str) -> Curve:
    """One experiment on what `assemble` wrote into `folder`."""
    experiment, output, events = EXPERIMENTS[name], folder / name, list[dict[str, Any]]()
    make = make_primary_trainer if experiment.stage == "primary" else make_trainer
    world = World(0, 1, torch.device("cpu"))
    with in_float64():
        trainer = make(_job(folder, output, experiment), world, events.append, lambda: False, dtype=torch.float64)
        # Steps and nothing else: no self-test, no boundary.
        with patch("posetwin.training.loop.is_hopeless", return_value=False):
            replace(trainer, boundaries=None).train()
    size, batches = experiment.train["global_batch_size"], trainer.task.batches
    steps = [event for event in events if event["type"] in ("step", "primary_step")]
    pictures = [[batches.pictures(i) for i in range(k * size, (k + 1) * size)] for k in range(len(steps))]
    return {"pictures": [[list(pair) for pair in step] for step in pictures], **_columns(steps)}


def _columns(steps: list[dict[str, Any]]) -> Curve:
    if "visits" not in steps[0]:
        own = [{"t": event["t"], "terms": {"primary_noise": event["primary_noise"]}} for event in steps]
        steps = [
            {**event, "objective": event["primary_noise"], "visits": [visit]}
            for event, visit in zip(steps, own, strict=True)
        ]
    names = ("objective", "grad_norm", "learning_rate")
    terms = {
        term: [[visit["terms"][term] for visit in event["visits"]] for event in steps]
        for term in steps[0]["visits"][0]["terms"]
    }
    visited = [[visit["t"] for visit in event["visits"]] for event in steps]
    return {"t": visited, **{name: [event[name] for event in steps] for name in names}, **terms}


def moved(name: str, golden: Curve, found: Curve) -> list[str]:
    """One line for each column that differs: where it does first and where most, and by how much."""
    lines = [f"{name}: {column} is in one curve alone" for column in golden.keys() ^ found.keys()]
    for column in sorted(golden.keys() & found.keys()):
        if column in ("t", "pictures"):
            other = [
                k for k, pair in enumerate(zip(golden[column], found[column], strict=True), 1) if pair[0] != pair[1]
            ]
            lines += [f"{name}: step {other[0]} sees another {column}"] if other else []
            continue
        # Not `>`: what is no number differs.
        far = [change for change in _changes(golden, found, column) if not change[0] <= TOLERANCE]
        if far:
            (first, step, t), most = far[0], max(far)
            lines.append(
                f"{name}: {column} moves by {first:.1e} at step {step}{t}, by {most[0]:.1e} at step {most[1]}{most[2]}"
            )
    return lines


def _changes(golden: Curve, found: Curve, column: str) -> Iterator[tuple[float, int, str]]:
    """Relative change, step and t, one by one."""
    for step, (old, new) in enumerate(zip(golden[column], found[column], strict=True), 1):
        if not isinstance(old, list):
            yield _relative(old, new), step, ""
            continue
        for t, one, other in zip(golden["t"][step - 1], old, new, strict=True):
            yield _relative(one, other), step, f" (t = {t})"


def _relative(old: float, new: float) -> float:
    return abs(new - old) / max(abs(old), sys.float_info.min)


def read_golden(name: str) -> Curve:
    return json.loads((GOLDEN / f"{name}.json").read_text())


def write_golden(name: str, curve: Curve) -> None:
    """A line for each column, twelve digits for each number."""
    rounded = json.loads(json.dumps(curve), parse_float=lambda text: float(f"{float(text):.12g}"))
    lines = ",\n".join(
        f"{json.dumps(column)}: {json.dumps(values, separators=(',', ':'))}" for column, values in rounded.items()
    )
    (GOLDEN / f"{name}.json").write_text(f"{{\n{lines}\n}}\n")


def version() -> str:
    """What the log names the curves by: twelve digits of the sha256 of all golden files."""
    digest = hashlib.sha256()
    for name in sorted(EXPERIMENTS):
        digest.update((GOLDEN / f"{name}.json").read_bytes())
    return digest.hexdigest()[:12]


def read_all() -> dict[str, Curve]:
    return {name: read_golden(name) for name in EXPERIMENTS}


def main() -> int:
    with tempfile.TemporaryDirectory() as temporary:
        assemble(Path(temporary))
        found = {name: train(Path(temporary), name) for name in EXPERIMENTS}
    for name, curve in found.items():
        known = (GOLDEN / f"{name}.json").is_file()
        changes = moved(name, read_golden(name), curve) if known else [f"{name}: new"]
        print("\n".join(changes or [f"{name}: stays as it is"]))
        if changes:
            write_golden(name, curve)
    CHART.write_text(chart(read_all()), encoding="utf-8")
    print(f"the log of docs/convergence.md must name these curves in its first row, and say why: | `{version()}` | … |")
    return 0


if __name__ == "__main__":
    sys.exit(main())
