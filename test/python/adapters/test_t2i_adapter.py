from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
import torch
from tiny import make_adapter

from posetwin.adapters.t2i import clone_for_training, features_of, load_adapter, save_adapter
from posetwin.errors import PosetwinError


def test_an_adapter_comes_back_from_its_folder_bit_for_bit(tmp_path: Path) -> None:
    adapter = make_adapter()
    digest = save_adapter(adapter, tmp_path)
    weights = (tmp_path / "diffusion_pytorch_model.safetensors").read_bytes()
    assert digest == hashlib.sha256(weights).hexdigest()
    loaded = load_adapter(str(tmp_path))
    assert all(torch.equal(loaded.state_dict()[name], value) for name, value in adapter.state_dict().items())
    assert not any(p.requires_grad for p in loaded.parameters())


def test_the_secondary_is_a_trainable_copy() -> None:
    primary = make_adapter().requires_grad_(False)
    secondary = clone_for_training(primary)
    assert all(p.requires_grad for p in secondary.parameters())
    with torch.no_grad():
        next(secondary.parameters()).add_(1)
    assert not torch.equal(next(primary.parameters()), next(secondary.parameters()))


def test_features_scale_with_the_conditioning_scale() -> None:
    adapter, controls = make_adapter().eval(), torch.rand(2, 3, 64, 64)
    full, half = (features_of(adapter, controls, scale) for scale in (1.0, 0.5))
    assert [tuple(f.shape) for f in full] == [(2, 16, 16, 16), (2, 32, 8, 8)]
    for a, b in zip(full, half, strict=True):
        torch.testing.assert_close(a, 2 * b)


def test_a_folder_without_an_adapter_is_missing_weights(tmp_path: Path) -> None:
    with pytest.raises(PosetwinError) as caught:
        load_adapter(str(tmp_path))
    assert caught.value.code == "missing_weights"


def test_a_folder_with_damaged_weights_is_wrong_weights(tmp_path: Path) -> None:
    save_adapter(make_adapter(), tmp_path)
    (tmp_path / "diffusion_pytorch_model.safetensors").write_bytes(b"\0" * 100)
    with pytest.raises(PosetwinError) as caught:
        load_adapter(str(tmp_path))
    assert caught.value.code == "wrong_weights"
