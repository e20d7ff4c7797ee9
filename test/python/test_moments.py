from __future__ import annotations

import inspect
import re
from pathlib import Path

from moments_tested import IN_ASSEMBLING, IN_TRAINING

import posetwin
from posetwin import moments


def test_every_moment_has_a_test() -> None:
    assert {*IN_TRAINING, *IN_ASSEMBLING} == set(moments.MOMENTS)


def test_every_moment_of_the_list_and_no_other_is_in_the_code() -> None:
    sources = Path(inspect.getfile(posetwin)).parent.rglob("*.py")
    called = [found for path in sources for found in re.findall(r"\bat\(\"(\w+)\", ", path.read_text())]
    assert set(called) == set(moments.MOMENTS)
