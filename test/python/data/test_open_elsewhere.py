"""An assembled set, read without any part of this project: by pyarrow, tarfile, webdataset and datasets."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from set_by_hand import Figure, draw_figures, write_set

ROOT = Path(__file__).parents[3]
FIGURES = draw_figures(10)


@pytest.fixture(scope="module")
def assembled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that holds the set `my-set`."""
    folder = tmp_path_factory.mktemp("sets")
    write_set(folder / "my-set", FIGURES, shard_size=4)
    return folder


def _snippets() -> list[str]:
    return re.findall(r"^```python\n(.*?)^```", (ROOT / "docs/datasets.md").read_text(encoding="utf-8"), re.M | re.S)


def _snippet_with(word: str) -> str:
    (found,) = [code for code in _snippets() if word in code]
    return found


def _run(code: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    monkeypatch.chdir(folder)
    names: dict[str, Any] = {}
    exec(compile(code, "docs/datasets.md", "exec"), names)
    return names


def _check_picture(image: Any, expected: np.ndarray) -> None:
    np.testing.assert_array_equal(np.asarray(image.convert("RGB")), expected)


def test_the_snippet_with_pyarrow_and_tarfile_reads_a_sample(assembled: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names = _run(_snippet_with("import tarfile"), assembled, monkeypatch)
    figure = FIGURES[names["sample"]["id"]]
    _check_picture(names["image"], figure.image)
    np.testing.assert_allclose(names["keypoints"], figure.keypoints)


def test_the_snippet_with_a_seek_reads_the_same_bytes(assembled: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names = _run(_snippet_with("shard.seek"), assembled, monkeypatch)
    _check_picture(names["image"], FIGURES[names["sample"]["id"]].image)


def test_the_snippet_with_webdataset_reads_every_sample(assembled: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("webdataset")
    names = _run(_snippet_with("import webdataset"), assembled, monkeypatch)
    assert len(names["samples"]) == len(FIGURES)
    for figure, sample in zip(FIGURES, names["samples"], strict=True):
        _check_picture(sample["png"], figure.image)
        _check_picture(sample["control.png"], figure.control)
        assert sample["txt"] == figure.caption
        np.testing.assert_allclose(sample["json"]["keypoints"], figure.keypoints)


@pytest.fixture(scope="module")
def exported(assembled: Path) -> Path:
    folder = assembled / "my-images"
    tsx = ROOT / "node_modules/.bin/tsx"
    command = [tsx, "orchestrator/run.ts", "dataset", assembled / "my-set", "--export", "imagefolder", folder]
    done = subprocess.run([str(part) for part in command], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return folder


def _check_rows(rows: Any, figures: list[Figure]) -> None:
    assert len(rows) == len(figures)
    by_id = {figure.id: figure for figure in figures}
    for row in rows:
        figure = by_id[row["id"]]
        # What the training scripts do with both columns.
        _check_picture(row["image"], figure.image)
        _check_picture(row["conditioning_image"], figure.control)
        assert row["text"] == figure.caption
        np.testing.assert_allclose(row["keypoints"], figure.keypoints)
        assert json.loads(row["attributes"]) == figure.attributes


@pytest.mark.parametrize("how", ["imagefolder", "the folder alone"])
def test_an_export_is_read_by_datasets_with_both_pictures_and_both_splits(
    exported: Path, how: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    datasets = pytest.importorskip("datasets")
    if how == "imagefolder":
        found = datasets.load_dataset("imagefolder", data_dir=str(exported), cache_dir=str(tmp_path))
    else:
        # train_controlnet.py and train_t2i_adapter_sdxl.py with --train_data_dir
        found = datasets.load_dataset(str(exported), cache_dir=str(tmp_path))
    assert set(found) == {"train", "test"}
    _check_rows(found["train"], [figure for figure in FIGURES if figure.split == "train"])
    _check_rows(found["test"], [figure for figure in FIGURES if figure.split == "held_out"])
