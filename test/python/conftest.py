"""Fixtures that several rooms share."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

os.environ.setdefault("OMP_NUM_THREADS", "1")


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[object]:
    """Tiny models, an assembled set and its cache (see tiny.py), made once."""
    from tiny import Stack

    yield Stack(tmp_path_factory.mktemp("stack"))
