from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from sets import write_couples
from tiny import Stack

from posetwin.adapters.t2i import features_of, load_adapter
from posetwin.contracts import CacheResult, FeaturesResult
from posetwin.data.assembled import read_assembled
from posetwin.data.cache import read_cache, read_features
from posetwin.data.tensor_file import RowWriter
from posetwin.errors import PosetwinError
from posetwin.models.backbone import load_backbone


def test_the_cache_holds_what_the_frozen_models_compute(stack: Stack) -> None:
    cache, assembled = read_cache(stack.cache), read_assembled(stack.assemble)
    backbone = load_backbone(stack.models["backbone"]["path"])
    adapter = load_adapter(stack.models["adapter"]["path"])
    torch.testing.assert_close(cache.latents[[3, 7]], backbone.encode_images(assembled.images([3, 7])))
    texts = [assembled.captions[2], ""]
    torch.testing.assert_close(cache.embeds_of(texts), backbone.encode_prompt(texts))
    with torch.no_grad():
        expected = features_of(adapter, assembled.controls([3, 7], 3), 1.0)
    for found, feature in zip(read_features(stack.features), expected, strict=True):
        torch.testing.assert_close(found[[3, 7]], feature)


def test_the_empty_prompt_comes_first_and_every_text_once(stack: Stack) -> None:
    prompts, assembled = json.loads((stack.cache / "prompts.json").read_text()), read_assembled(stack.assemble)
    assert prompts[0] == ""
    assert sorted(prompts) == sorted({"", *assembled.prompts, *assembled.captions})


def test_the_result_names_the_shapes(stack: Stack) -> None:
    result = CacheResult.model_validate_json((stack.cache / "result.json").read_text())
    assert result.num_latents == 10
    assert result.latent_shape == [4, 16, 16]
    assert result.prompt_embeds_shape == [12, 16]
    features = FeaturesResult.model_validate_json((stack.features / "result.json").read_text())
    assert features.feature_shapes == [[16, 16, 16], [32, 8, 8]]


def test_rows_written_in_parts_make_one_safetensors_file(tmp_path: Path) -> None:
    rows, odd = torch.randn(5, 2, 3), torch.randn(5, 1)
    with RowWriter(tmp_path / "file.safetensors", {"rows": (5, 2, 3), "odd": (5, 1)}) as writer:
        for start in (2, 0, 4):
            writer.write("rows", start, rows[start : start + 2])
            writer.write("odd", start, odd[start : start + 2])
    found = load_file(tmp_path / "file.safetensors")
    assert torch.equal(found["rows"], rows)
    assert torch.equal(found["odd"], odd)


def test_a_failed_write_leaves_no_file(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError), RowWriter(tmp_path / "file.safetensors", {"rows": (2, 2)}):
        raise RuntimeError("killed")
    assert list(tmp_path.iterdir()) == []


def test_a_pair_of_an_unknown_sample_is_a_corrupt_file(stack: Stack, tmp_path: Path) -> None:
    for name in ("samples.parquet", "manifest.json"):
        (tmp_path / name).write_bytes((stack.assemble / name).read_bytes())
    write_couples(tmp_path, [(0, 99)])
    with pytest.raises(PosetwinError) as caught:
        read_assembled(tmp_path).pairs("train")
    assert caught.value.code == "corrupt_file"
