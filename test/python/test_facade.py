from __future__ import annotations

import errno
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from pyarrow import parquet
from tiny import Stack, schedule_spec

from posetwin.bridge import dispatch
from posetwin.mini.world import sample_world


def ask(name: str, **params: Any) -> Any:
    answer = json.loads(dispatch(name, json.dumps(params)))
    assert answer["ok"], answer
    return answer["value"]


def test_the_environment_names_torch_and_a_cpu() -> None:
    value = ask("probe_environment")
    assert "torch" in value["packages"]
    assert value["devices"][-1]["kind"] == "cpu"


def test_the_poses_have_a_version_that_stays_and_two_splits() -> None:
    value = ask("list_poses")
    assert value == ask("list_poses")
    assert {pose["split"] for pose in value["poses"]} == {"train", "held_out"}


def test_the_poses_of_a_table_are_counted_or_its_fault_is_told(tmp_path: Path) -> None:
    path = tmp_path / "table.npz"
    np.savez(path, keypoints=np.zeros((5, 17, 2)))
    assert ask("count_poses", path=str(path), layout="auto") == {"rows": 5}
    refused = json.loads(dispatch("count_poses", json.dumps({"path": str(path), "layout": "mediapipe-33"})))
    assert refused["error"]["code"] == "bad_keypoints"


def test_a_model_is_probed_for_shapes_and_for_a_gradient(stack: Stack) -> None:
    value = ask("probe_model", **stack.models, detector={"kind": "mini"}, image_size=64)
    assert value["latent_shape"] == [4, 16, 16]
    assert value["feature_shapes"] == [[16, 16, 16], [32, 8, 8]]
    assert value["prompt_embeds_shape"] == [12, 16]
    assert value["keypoint_gradient"] > 0


def test_the_schedule_is_diffusers_own() -> None:
    config = {
        "kind": "scaled_linear",
        "num_steps": 4,
        "spacing": "trailing",
        "num_train_timesteps": 1000,
        "beta_start": 0.00085,
        "beta_end": 0.012,
        "singular": "error",
        "eps": 1e-6,
    }
    # diffusers computes in float32.
    expected = pytest.approx(schedule_spec(4)["alphas_cumprod"], rel=1e-4)
    assert ask("schedule", config=config)["alphas_cumprod"] == expected


def test_the_logarithm_of_a_vanished_alpha_can_cross_the_bridge() -> None:
    config = {"kind": "list", "of": "alphas_cumprod", "values": [0.5, 0.0], "singular": "drop", "eps": 1e-6}
    assert ask("schedule", config=config)["log_alphas_cumprod"] == pytest.approx(
        [-0.6931471805599453, -744.44], abs=0.01
    )


def test_a_loss_term_is_evaluated_in_float64() -> None:
    inputs = {"keypoints_a": [[[0, 0]]], "keypoints_b": [[[0.3, 0.4]]], "mask": [[1]]}
    assert ask("evaluate_loss_term", term="delta_l", inputs=inputs)["value"] == pytest.approx(0.25, abs=1e-15)


def test_keypoints_or_a_reason_are_given_for_every_picture(tmp_path: Path) -> None:
    drawn = sample_world(0)
    Image.fromarray(drawn.image).save(tmp_path / "figure.png")
    paths = [str(tmp_path / "figure.png"), str(tmp_path / "absent.png")]
    figure, absent = ask("detect_keypoints", paths=paths, detector={"kind": "mini"})["images"]
    assert np.asarray(figure["keypoints"]).shape == (18, 3)
    assert absent["keypoints"] is None
    assert "does not exist" in absent["reason"]


def test_a_table_is_written_as_parquet_with_its_types_and_never_over_a_file(tmp_path: Path) -> None:
    path = tmp_path / "trials.parquet"
    columns = [
        {"name": "id", "type": "string", "values": ["a", None]},
        {"name": "seed", "type": "integer", "values": [1, 2]},
        {"name": "error", "type": "number", "values": [2, 0.5]},
        {"name": "converged", "type": "boolean", "values": [None, True]},
    ]
    assert ask("write_parquet", path=str(path), columns=columns) == {"rows": 2}
    table = parquet.read_table(path)
    assert [str(field.type) for field in table.schema] == ["string", "int64", "double", "bool"]
    assert table.to_pydict() == {"id": ["a", None], "seed": [1, 2], "error": [2.0, 0.5], "converged": [None, True]}
    before = path.read_bytes()
    refused = json.loads(dispatch("write_parquet", json.dumps({"path": str(path), "columns": columns[:1]})))
    assert refused["error"]["code"] == "usage"
    assert path.read_bytes() == before


def test_half_a_table_is_not_left_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def break_off(_: Any, file: Any) -> None:
        file.write(b"half")
        raise OSError(errno.ENOSPC, "no space left")

    monkeypatch.setattr(parquet, "write_table", break_off)
    path = tmp_path / "trials.parquet"
    columns = [{"name": "seed", "type": "integer", "values": [1]}]
    refused = json.loads(dispatch("write_parquet", json.dumps({"path": str(path), "columns": columns})))
    assert refused["error"]["code"] == "disk_full"
    assert not path.exists()
