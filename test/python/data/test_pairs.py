from __future__ import annotations

import json
import random
import tracemalloc
from dataclasses import astuple
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny import DATASET, MANIFEST, Stack, ignore, make_job, write_lines

from posetwin.data.assembled import Assembled, read_assembled
from posetwin.data.pairs import AllCombinations
from posetwin.errors import PosetwinError
from posetwin.losses import keypoint_mask
from posetwin.stages import run

Person = tuple[str, frozenset[int]]
PEOPLE: list[Person] = [
    ("a man", frozenset({0, 1})),
    ("a girl", frozenset({1, 2})),
    ("a man", frozenset({1})),
    ("a boy", frozenset({17})),
    ("a girl", frozenset({0})),
]
# Few keypoints and few captions, so that some pairs share no keypoint and some share their caption.
people_drawn = st.lists(
    st.tuples(st.sampled_from(["a man", "a girl", "a boy"]), st.frozensets(st.sampled_from([0, 1, 2, 17]))),
    min_size=2,
    max_size=9,
)


def sample(number: int, person: Person, split: str = "train") -> dict[str, Any]:
    caption, seen = person
    keypoints = [[k, number, 2 if k in seen else 0] for k in range(18)]
    return {"id": 100 + number, "split": split, "caption": caption, "keypoints": keypoints}


def expected_pairs(people: list[Person], texts: str) -> set[tuple[int, int, str]]:
    """Written down by the definition."""
    return {
        (a, b, text)
        for a, (caption_a, seen_a) in enumerate(people)
        for b, (caption_b, seen_b) in enumerate(people)
        if a != b and seen_a & seen_b
        for text in ([caption_a] if texts == "swap" else [caption_a, caption_b])
    }


def combined(folder: Path, people: list[Person], **manifest: Any) -> Assembled:
    """An assembled set of these training people after one held-out picture, whose pairs are all combinations."""
    alone = sample(99, ("held out", frozenset(range(18))), "held_out")
    write_lines(folder / "samples.jsonl", [alone, *(sample(i, person) for i, person in enumerate(people))])
    write_lines(folder / "pairs.jsonl", [{"a": 199, "b": 199, "prompt": "held out", "split": "held_out"}])
    stated = {**MANIFEST, "train_pairs": "all-combinations", **manifest}
    texts = "swap" if stated["captions"] == "swap" else "both"
    stated.setdefault("count", len(expected_pairs(people, texts)))
    stated["num_pairs"] = {"train": stated.pop("count"), "held_out": 1}
    (folder / "manifest.json").write_text(json.dumps(stated))
    return read_assembled(folder)


def code_of(call: Any) -> str:
    with pytest.raises(PosetwinError) as caught:
        call()
    return caught.value.code


@settings(max_examples=150, deadline=None)
@given(people_drawn, st.sampled_from(["both", "swap"]))
def test_all_combinations_are_every_ordered_pair_with_a_common_keypoint_once(people: list[Person], texts: Any) -> None:
    pairs = AllCombinations([sample(i, person) for i, person in enumerate(people)], range(len(people)), texts)
    listed = [astuple(pair) for pair in pairs]
    assert len(listed) == len(pairs)
    assert len(set(listed)) == len(listed)
    assert set(listed) == expected_pairs(people, texts)


@settings(max_examples=50, deadline=None)
@given(people_drawn, st.sampled_from(["both", "swap", "captioned-only"]))
def test_all_combinations_are_closed_under_swap_eq_8_and_39(people: list[Person], captions: str) -> None:
    with TemporaryDirectory() as folder:
        assembled = combined(Path(folder), people, captions=captions)
        if not expected_pairs(people, "both"):
            return
        known = {astuple(pair) for pair in assembled.pairs("train")}
        for a, b, prompt in known:
            texts = [assembled.samples[i]["caption"] for i in (a, b)]
            assert (b, a, texts[1] if prompt == texts[0] else texts[0]) in known


def test_positions_are_those_of_samples_jsonl_and_held_out_pairs_stay_listed(tmp_path: Path) -> None:
    assembled = combined(tmp_path, PEOPLE)
    assert {pair.a for pair in assembled.pairs("train")} == {1, 2, 3, 5}
    assert [astuple(pair) for pair in assembled.pairs("held_out")] == [(0, 0, "held out")]


def test_no_pair_of_all_combinations_is_refused_by_the_keypoint_mask(tmp_path: Path) -> None:
    assembled = combined(tmp_path, PEOPLE)
    pairs = list(assembled.pairs("train"))
    seen = assembled.keypoints[..., 2]
    mask = keypoint_mask(seen[[pair.a for pair in pairs]], seen[[pair.b for pair in pairs]])
    assert mask.sum(dim=1).min() == 1


def test_captioned_only_combines_the_drawn_pictures_alone(tmp_path: Path) -> None:
    people = [(f"person {i}", frozenset({1})) for i in range(6)]
    assembled = combined(tmp_path, people, captions="captioned-only", captioned=[101, 104], count=4)
    assert [astuple(pair) for pair in assembled.pairs("train")] == [
        (2, 5, "person 4"),
        (2, 5, "person 1"),
        (5, 2, "person 1"),
        (5, 2, "person 4"),
    ]
    assert assembled.prompts == ["person 1", "person 4", "held out"]


def test_prompts_leave_out_the_empty_text_and_people_without_a_partner(tmp_path: Path) -> None:
    everyone: list[Person] = [*PEOPLE, ("", frozenset({1}))]
    assert combined(tmp_path, everyone).prompts == ["a man", "a girl", "held out"]


def test_prompts_of_listed_pairs_stand_in_order_of_appearance(stack: Stack) -> None:
    assert read_assembled(stack.assemble).prompts == [f"a girl {a}" for a in (0, 1, 2, 3, 4, 5, 6, 7, 8, 9)]


def test_a_lazy_sequence_answers_as_a_list_does(tmp_path: Path) -> None:
    pairs = combined(tmp_path, PEOPLE).pairs("train")
    listed = list(pairs)
    assert pairs[-1] == listed[-1]
    assert pairs[3:9:2] == listed[3:9:2]
    with pytest.raises(IndexError):
        pairs[len(listed)]


def test_nine_million_ordered_pairs_take_no_memory(tmp_path: Path) -> None:
    people = [(f"person {i}", frozenset({i % 18, 3, 5})) for i in range(3000)]
    samples = [sample(i, person) for i, person in enumerate(people)]
    draw = random.Random(0)
    tracemalloc.start()
    pairs = AllCombinations(samples, range(len(samples)), "both")
    found = [pairs[draw.randrange(len(pairs))] for _ in range(300)]
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(pairs) == 3000 * 2999 * 2
    assert all(pair.a != pair.b for pair in found)
    # One bit for each ordered pair would be 1.1 MB; one number, 72 MB.
    assert peak < 2_000_000


def test_a_set_without_two_people_to_compare_has_too_few_samples(tmp_path: Path) -> None:
    strangers = [("a man", frozenset({0})), ("a girl", frozenset({1}))]
    assert code_of(lambda: combined(tmp_path / "strangers", strangers).pairs("train")) == "too_few_samples"
    assert code_of(lambda: combined(tmp_path / "nobody", []).pairs("train")) == "too_few_samples"


def test_a_count_unlike_the_manifests_is_a_corrupt_file(tmp_path: Path) -> None:
    assert code_of(lambda: combined(tmp_path, PEOPLE, count=3).pairs("train")) == "corrupt_file"


def test_a_manifest_of_another_shape_is_a_corrupt_file_and_none_is_a_missing_one(tmp_path: Path) -> None:
    assembled = combined(tmp_path, PEOPLE, train_pairs="guessed")
    assert code_of(lambda: assembled.pairs("train")) == "corrupt_file"
    (tmp_path / "manifest.json").unlink()
    assert code_of(lambda: assembled.pairs("train")) == "missing_file"


def test_figures_of_the_mini_world_are_combined_with_their_own_captions(tmp_path: Path) -> None:
    items = [{"kind": "mini", "id": i, "split": "train", "seed": i, "pose": ""} for i in range(5)]
    write_lines(tmp_path / "items.jsonl", items)
    spec = {"seed": 0, "dataset": {**DATASET, "pairs": "all-combinations"}}
    run(make_job("assemble", tmp_path / "set", {"items": tmp_path / "items.jsonl"}, spec), ignore)
    write_lines(tmp_path / "set" / "pairs.jsonl", [])
    samples = read_assembled(tmp_path / "set").samples
    people = [(s["caption"], frozenset(k for k, point in enumerate(s["keypoints"]) if point[2] > 0)) for s in samples]
    count = len(expected_pairs(people, "both"))
    manifest = {**MANIFEST, "train_pairs": "all-combinations", "num_pairs": {"train": count, "held_out": 0}}
    (tmp_path / "set" / "manifest.json").write_text(json.dumps(manifest))
    assembled = read_assembled(tmp_path / "set")
    assert {astuple(pair) for pair in assembled.pairs("train")} == expected_pairs(people, "both")
    assert assembled.prompts == list(dict.fromkeys(s["caption"] for s in samples))
    assert torch.isfinite(assembled.images([assembled.pairs("train")[0].b])).all()
