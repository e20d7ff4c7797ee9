"""Names that were seen before, and a number for each."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from posetwin.data.sources import names
from posetwin.data.sources.names import SeenNames, hash_of, location_of


@given(st.lists(st.text(alphabet="abc", max_size=3)), st.integers(1, 5))
def test_a_name_is_new_once(given_names: list[str], recent: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(names, "_RECENT", recent)
        seen, before = SeenNames(), set()
        for name in given_names:
            assert seen.add(name) == (name not in before)
            before.add(name)


def test_a_picture_lies_below_the_source_or_in_the_shard_that_is_the_source(tmp_path: Path) -> None:
    (tmp_path / "only.tar").touch()
    assert location_of(tmp_path, "a/b.jpg") == f"{tmp_path}/a/b.jpg"
    assert location_of(tmp_path / "only.tar", "only.tar/b.jpg") == f"{tmp_path}/only.tar/b.jpg"


def test_the_number_of_a_name_is_the_same_everywhere() -> None:
    assert hash_of("人.jpg", 6) == int(hashlib.blake2b("人.jpg".encode(), digest_size=6).hexdigest(), 16)
    assert 0 <= hash_of("", 6) < 2**48
