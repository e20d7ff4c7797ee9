"""Real photos and poses, which are no part of the repository: the folder that POSETWIN_TEST_DATA names."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


def data_folder() -> Path:
    """Skips, visibly, where there is no test data."""
    folder = os.environ.get("POSETWIN_TEST_DATA")
    if not folder:
        pytest.skip("POSETWIN_TEST_DATA names no folder")
    return Path(folder)
