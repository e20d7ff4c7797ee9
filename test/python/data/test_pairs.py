from __future__ import annotations

import json
import random
import tracemalloc
from dataclasses import astuple
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from posetwin.contracts import Manifest
from posetwin.data.pairs import AllCombinations, ListedPairs, Reading, choose_pairs, read_pairs
from posetwin.errors import PosetwinError
from posetwin.losses import keypoint_mask

GOLDEN = json.loads((Path(__file__).parents[2] / "golden" / "dataset" / "quintuples.json").read_text())["cases"]
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
readings = st.sampled_from(get_args(Reading))


def visible_of(people: list[Person]) -> np.ndarray:
    return np.array([sum(1 << k for k in seen) for _, seen in people], np.int32)


def captions_of(people: list[Person]) -> list[str]:
    return [caption for caption, _ in people]


def combined(people: list[Person], reading: Any, positions: list[int] | None = None) -> AllCombinations:
    chosen = np.array(range(len(people)) if positions is None else positions, np.int64)
    return AllCombinations(visible_of(people), captions_of(people), chosen, reading)


def expected_combinations(people: list[Person], reading: str) -> set[tuple[int, int, str]]:
    """Written down by the definition."""
    return {
        (a, b, text)
        for a, (caption_a, seen_a) in enumerate(people)
        for b, (caption_b, seen_b) in enumerate(people)
        if a != b and seen_a & seen_b
        for text in ([caption_a] if reading == "swap" else [caption_a, caption_b])
    }


def expected_quintuples(
    captions: list[str], couples: list[tuple[int, int]], reading: str
) -> list[tuple[int, int, str]]:
    """Written down by the definition."""
    if reading == "swap":
        return [(a, b, captions[a]) for a, b in couples] + [(b, a, captions[b]) for a, b in couples]
    unlike = [(a, b) for a, b in couples if captions[a] != captions[b]]
    return [
        *((a, b, captions[b]) for a, b in couples),
        *((b, a, captions[a]) for a, b in couples),
        *((a, b, captions[a]) for a, b in unlike),
        *((b, a, captions[b]) for a, b in unlike),
    ]


def columns_of(couples: list[Any]) -> tuple[np.ndarray, np.ndarray]:
    both = np.array(couples, np.int32).reshape(-1, 2)
    return both[:, 0], both[:, 1]


def write_pairs(folder: Path, pairs: list[tuple[int, int, str]]) -> Path:
    a, b, split = ([pair[i] for pair in pairs] for i in range(3))
    pq.write_table(
        pa.table({"a": pa.array(a, pa.int64()), "b": pa.array(b, pa.int64()), "split": split}), folder / "pairs.parquet"
    )
    return folder


def code_of(call: Any) -> str:
    with pytest.raises(PosetwinError) as caught:
        call()
    return caught.value.code


@pytest.mark.parametrize("case", GOLDEN)
def test_quintuples_of_both_languages_stand_as_written_down(case: dict[str, Any]) -> None:
    pairs = ListedPairs(*columns_of(case["couples"]), case["captions"], case["reading"])
    assert [list(astuple(pair)) for pair in pairs] == case["quintuples"]
    assert len(pairs) == len(case["quintuples"])


@st.composite
def captioned_couples(draw: st.DrawFn) -> tuple[list[str], list[tuple[int, int]]]:
    captions = draw(st.lists(st.sampled_from(["a man", "a girl", ""]), min_size=2, max_size=8))
    couples = [(a, b) for b in range(len(captions)) for a in range(b)]
    return captions, draw(st.lists(st.sampled_from(couples), unique=True))


@settings(deadline=None)
@given(captioned_couples(), readings, st.sampled_from(["list", "column", "encoded"]))
def test_quintuples_are_those_of_the_definition_from_a_list_or_a_column(given_: Any, reading: Any, kind: str) -> None:
    captions, couples = given_
    texts: Any = captions
    if kind != "list":
        kept_apart = [pa.array(part, pa.string()) for part in (captions[:1], captions[1:])]
        texts = pa.chunked_array([part.dictionary_encode() if kind == "encoded" else part for part in kept_apart])
    pairs = ListedPairs(*columns_of(couples), texts, reading)
    listed = [astuple(pair) for pair in pairs]
    assert listed == expected_quintuples(captions, couples, reading)
    assert pairs[:] == list(pairs)
    assert pairs.prompts == list(dict.fromkeys(prompt for _, _, prompt in listed))
    # Closed under swap, Eq. 8 and 39.
    for a, b, prompt in listed:
        other = captions[b] if prompt == captions[a] else captions[a]
        assert (b, a, other) in listed


def test_couples_are_read_by_the_ids_of_their_samples_and_by_split(tmp_path: Path) -> None:
    write_pairs(tmp_path, [(7, 30, "train"), (9, 7, "train"), (41, 40, "held_out")])
    ids, captions = np.array([7, 9, 30, 40, 41]), ["a", "b", "c", "d", "e"]
    train = read_pairs(tmp_path, ids, captions, "train", "swap")
    assert [astuple(pair) for pair in train] == [(0, 2, "a"), (1, 0, "b"), (2, 0, "c"), (0, 1, "a")]
    assert [pair.a for pair in read_pairs(tmp_path, ids, captions, "held_out", "both")] == [4, 3, 4, 3]


def test_a_split_without_couples_is_empty(tmp_path: Path) -> None:
    pairs = read_pairs(write_pairs(tmp_path, [(1, 2, "held_out")]), np.array([1, 2]), ["a", "b"], "train", "both")
    assert (len(pairs), list(pairs), pairs.prompts) == (0, [], [])


def test_a_file_that_is_not_there_is_a_missing_file(tmp_path: Path) -> None:
    assert code_of(lambda: read_pairs(tmp_path, np.array([1]), ["a"], "train", "both")) == "missing_file"


@pytest.mark.parametrize("strange", [0, 2, 9])
def test_a_pair_of_a_sample_that_does_not_exist_is_a_corrupt_file(tmp_path: Path, strange: int) -> None:
    write_pairs(tmp_path, [(1, 3, "train"), (strange, 3, "train")])
    assert code_of(lambda: read_pairs(tmp_path, np.array([1, 3]), ["a", "b"], "train", "both")) == "corrupt_file"


def test_a_file_cut_short_and_one_of_other_columns_are_corrupt_files(tmp_path: Path) -> None:
    def read() -> Any:
        return read_pairs(tmp_path, np.array([1, 2]), ["a", "b"], "train", "both")

    path = write_pairs(tmp_path, [(1, 2, "train")]) / "pairs.parquet"
    path.write_bytes(path.read_bytes()[:-20])
    assert code_of(read) == "corrupt_file"
    pq.write_table(pa.table({"a": [1]}), path)
    assert code_of(read) == "corrupt_file"


def test_a_million_couples_take_no_memory_but_their_columns() -> None:
    draw = np.random.default_rng(0)
    first, second = (draw.integers(0, 1000, 1_000_000).astype(np.int32) for _ in range(2))
    captions = [f"person {i % 500}" for i in range(1000)]
    tracemalloc.start()
    pairs = ListedPairs(first, second, captions, "both")
    found = [pairs[i] for i in range(0, len(pairs), 10_007)]
    kept, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert {pair.prompt for pair in found} <= set(captions)
    # The couples of two captions are one int32 each.
    assert kept < 4_500_000


def test_chosen_pairs_are_spread_evenly() -> None:
    pairs = ListedPairs(*columns_of([(0, 1), (1, 2), (2, 0)]), ["a", "b", "c"], "swap")
    assert choose_pairs(pairs, 3) == [0, 2, 4]
    assert choose_pairs(pairs, 99) == list(range(6))


@settings(max_examples=150, deadline=None)
@given(people_drawn, readings)
def test_all_combinations_are_every_ordered_pair_with_a_common_keypoint_once(
    people: list[Person], reading: Any
) -> None:
    pairs = combined(people, reading)
    listed = [astuple(pair) for pair in pairs]
    assert len(listed) == len(pairs)
    assert len(set(listed)) == len(listed)
    assert set(listed) == expected_combinations(people, reading)
    # Closed under swap, Eq. 8 and 39.
    for a, b, prompt in listed:
        assert (b, a, people[b][0] if prompt == people[a][0] else people[a][0]) in listed


def test_no_pair_of_all_combinations_is_refused_by_the_keypoint_mask() -> None:
    pairs = list(combined(PEOPLE, "both"))
    seen = torch.tensor([[2.0 if k in seen else 0.0 for k in range(18)] for _, seen in PEOPLE])
    mask = keypoint_mask(seen[[pair.a for pair in pairs]], seen[[pair.b for pair in pairs]])
    assert mask.sum(dim=1).min() == 1


def test_only_the_positions_given_are_combined() -> None:
    people = [(f"person {i}", frozenset({1})) for i in range(6)]
    pairs = combined(people, "captioned-only", [2, 5])
    assert [astuple(pair) for pair in pairs] == [
        (2, 5, "person 5"),
        (2, 5, "person 2"),
        (5, 2, "person 2"),
        (5, 2, "person 5"),
    ]
    assert pairs.prompts == ["person 2", "person 5"]


def test_prompts_of_all_combinations_leave_out_people_without_a_partner() -> None:
    assert combined(PEOPLE, "both").prompts == ["a man", "a girl"]


def test_a_lazy_sequence_answers_as_a_list_does() -> None:
    pairs = combined(PEOPLE, "both")
    listed = list(pairs)
    assert pairs[-1] == listed[-1]
    assert pairs[3:9:2] == listed[3:9:2]
    with pytest.raises(IndexError):
        pairs[len(listed)]


def test_nobody_gives_no_pairs() -> None:
    assert len(combined([], "both")) == 0


def test_thousands_of_patterns_are_counted_as_few_are() -> None:
    visible = np.arange(4096, dtype=np.int32)
    pairs = AllCombinations(visible, ["a man"] * 4096, np.arange(4096), "swap")
    # Every set of 12 keypoints once: 4096² - 3^12 ordered pairs share one, 4095 of them with themselves.
    assert len(pairs) == 4096**2 - 3**12 - 4095


def test_nine_million_ordered_pairs_take_no_memory() -> None:
    people = [(f"person {i}", frozenset({i % 18, 3, 5})) for i in range(3000)]
    visible, captions, positions = visible_of(people), captions_of(people), np.arange(3000)
    draw = random.Random(0)
    tracemalloc.start()
    pairs = AllCombinations(visible, captions, positions, "both")
    found = [pairs[draw.randrange(len(pairs))] for _ in range(300)]
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(pairs) == 3000 * 2999 * 2
    assert all(pair.a != pair.b for pair in found)
    # One bit for each ordered pair would be 1.1 MB; one number, 72 MB.
    assert peak < 2_000_000


def test_the_readings_are_those_of_the_manifest() -> None:
    assert get_args(Reading) == get_args(Manifest.model_fields["captions"].annotation)
