"""An assembled set as training reads it, and what is wrong with one that is not whole."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from sets import write_couples, write_manifest
from tiny import DATASET, Stack, assemble_job, ignore, write_lines

from posetwin.data.assembled import read_assembled, read_manifest
from posetwin.errors import PosetwinError
from posetwin.mini.world import sample_world
from posetwin.stages import run


@pytest.fixture
def copy(stack: Stack, tmp_path: Path) -> Path:
    """Of the stack's set: six training pictures in three couples, four held-out ones in two."""
    shutil.copytree(stack.assemble, tmp_path / "set")
    return tmp_path / "set"


def test_pictures_maps_keypoints_and_texts_are_those_of_the_world(stack: Stack) -> None:
    assembled = read_assembled(stack.assemble)
    assert (len(assembled), assembled.image_size) == (10, 64)
    for index in (0, 9):
        drawn = sample_world(index, split="train" if index < 6 else "held_out")
        pixels = torch.from_numpy(drawn.image).movedim(-1, 0)[None].float() / 127.5 - 1
        assert torch.equal(assembled.images([index]), pixels)
        assert torch.equal(assembled.keypoints[index], torch.from_numpy(drawn.keypoints))
        assert assembled.captions[index] == drawn.caption
        assert assembled.attributes(index) == drawn.attributes
    assert assembled.controls([3], 1).shape == (1, 1, 64, 64)
    assert list(assembled.captions) == assembled.captions[:]


def test_prompts_are_the_texts_of_all_pairs_once(stack: Stack) -> None:
    assembled = read_assembled(stack.assemble)
    told = {pair.prompt for split in ("train", "held_out") for pair in assembled.pairs(split)}
    assert set(assembled.prompts) == told
    assert len(assembled.prompts) == len(set(assembled.prompts))


def broken(folder: Path, use: Any) -> str:
    with pytest.raises(PosetwinError) as caught:
        use(folder)
    return caught.value.code


def train(folder: Path) -> Any:
    return read_assembled(folder).pairs("train")


def test_a_split_without_couples_is_too_few_samples(copy: Path) -> None:
    write_couples(copy, [(0, 1)])
    assert broken(copy, lambda folder: read_assembled(folder).pairs("held_out")) == "too_few_samples"


@pytest.mark.parametrize("name", ["samples.parquet", "pairs.parquet", "manifest.json"])
def test_a_file_that_is_missing_or_no_such_file_is_told(name: str, copy: Path) -> None:
    (copy / name).write_bytes(b"{}")
    assert broken(copy, train) == "corrupt_file"
    (copy / name).unlink()
    assert broken(copy, train) == "missing_file"


def test_a_manifest_of_another_version_is_corrupt(copy: Path) -> None:
    write_manifest(copy, schema_version=1)
    assert broken(copy, read_manifest) == "corrupt_file"


def test_a_torn_shard_is_told(copy: Path) -> None:
    [shard] = (copy / "shards").iterdir()
    shard.write_bytes(shard.read_bytes()[:3000])
    assembled = read_assembled(copy)
    assert broken(copy, lambda _: assembled.images([9])) == "corrupt_file"
    shard.unlink()
    assert broken(copy, lambda _: assembled.images([0])) == "missing_file"


def test_a_count_of_combinations_unlike_the_manifests_is_corrupt(copy: Path) -> None:
    write_manifest(copy, train_pairs="all-combinations", num_pairs={"train": 31, "held_out": 4})
    assert broken(copy, train) == "corrupt_file"
    write_manifest(copy, train_pairs="all-combinations", num_pairs={"train": 30, "held_out": 4})
    assert len(train(copy)) == 30


def test_all_figures_of_the_world_combine_as_their_keypoints_say(tmp_path: Path) -> None:
    items = [{"kind": "mini", "id": 3 * i, "split": "train", "seed": i, "pose": ""} for i in range(12)]
    write_lines(tmp_path / "items.jsonl", items)
    spec = {"seed": 0, "dataset": {**DATASET, "pairs": "all-combinations"}}
    run(assemble_job(tmp_path / "items.jsonl", tmp_path / "set", spec), ignore)
    write_couples(tmp_path / "set", [])
    drawn = [sample_world(seed) for seed in range(12)]
    seen = np.array([one.keypoints[:, 2] > 0 for one in drawn])
    expected = {
        (a, b, text)
        for a in range(12)
        for b in range(12)
        if a != b and (seen[a] & seen[b]).any()
        for text in (drawn[a].caption, drawn[b].caption)
    }
    count = {"train": len(expected), "held_out": 0}
    write_manifest(tmp_path / "set", train_pairs="all-combinations", captions="both", num_pairs=count)
    assert {(pair.a, pair.b, pair.prompt) for pair in train(tmp_path / "set")} == expected
