"""Captioners load from folders alone and without pickle, and describe the same picture in the same words."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer, models, pre_tokenizers, processors
from transformers import (
    BertTokenizerFast,
    BlipConfig,
    BlipForConditionalGeneration,
    BlipImageProcessorPil,
    GPT2Config,
    PreTrainedTokenizerFast,
    VisionEncoderDecoderConfig,
    VisionEncoderDecoderModel,
    ViTConfig,
    ViTImageProcessorPil,
)

from posetwin.contracts import Captioner
from posetwin.data.captioner import PictureCaptioner
from posetwin.errors import PosetwinError

WORDS = ["<end>", "a", "person", "man", "woman", "in", "the", "red", "blue", "shirt", "jumps", "runs", "sits", "snow"]
TINY = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 64}


def _settings(folder: Path, max_length: int = 8, num_beams: int = 3) -> Captioner:
    return Captioner(path=str(folder), max_length=max_length, num_beams=num_beams, num_images=10)


def _tokenizer() -> PreTrainedTokenizerFast:
    words = Tokenizer(models.WordLevel({word: i for i, word in enumerate(WORDS)}, unk_token="<end>"))
    words.pre_tokenizer = pre_tokenizers.Whitespace()
    words.post_processor = processors.TemplateProcessing(single="$A", special_tokens=[])
    return PreTrainedTokenizerFast(tokenizer_object=words, bos_token="<end>", eos_token="<end>", unk_token="<end>")


def _vit_gpt2(folder: Path) -> VisionEncoderDecoderModel:
    """In the layout of nlpconnect/vit-gpt2-image-captioning, random and tiny."""
    torch.manual_seed(0)
    vit = ViTConfig(image_size=32, patch_size=8, **TINY)
    gpt = GPT2Config(vocab_size=len(WORDS), n_embd=32, n_layer=2, n_head=2, bos_token_id=0, eos_token_id=0)
    config = VisionEncoderDecoderConfig.from_encoder_decoder_configs(vit, gpt)
    config.decoder_start_token_id, config.eos_token_id, config.pad_token_id = 0, 0, 0
    model = VisionEncoderDecoderModel(config)
    # As initialised, every picture says the same to a network this small.
    for parameter in model.parameters():
        parameter.data += 0.3 * torch.randn_like(parameter)
    model.save_pretrained(folder)
    _tokenizer().save_pretrained(folder)
    ViTImageProcessorPil(size={"height": 32, "width": 32}).save_pretrained(folder)
    return model


def _blip(folder: Path) -> None:
    torch.manual_seed(0)
    text = {"vocab_size": len(WORDS) + 5, "bos_token_id": 2, "eos_token_id": 3, "sep_token_id": 3, "pad_token_id": 0}
    text_config = {**TINY, **text, "encoder_hidden_size": 32, "max_position_embeddings": 32, "projection_dim": 16}
    vision_config = {**TINY, "image_size": 32, "patch_size": 8, "projection_dim": 16}
    BlipForConditionalGeneration(BlipConfig(text_config=text_config, vision_config=vision_config)).save_pretrained(
        folder
    )
    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *WORDS]
    (folder / "vocab.txt").write_text("\n".join(vocabulary))
    BertTokenizerFast(vocab={word: i for i, word in enumerate(vocabulary)}).save_pretrained(folder)
    BlipImageProcessorPil(size={"height": 32, "width": 32}).save_pretrained(folder)


@pytest.fixture(scope="module")
def vit_gpt2(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("vit-gpt2")
    _vit_gpt2(folder)
    return folder


def _pictures(count: int) -> list[np.ndarray]:
    """Of many sizes."""
    random = np.random.default_rng(0)
    sizes = random.integers(20, 80, (count, 2)).tolist()
    return [random.integers(0, 256, (h, w, 3)).astype(np.uint8) // (1 + i % 4) for i, (h, w) in enumerate(sizes)]


def _code(make: Callable[[], object]) -> str:
    with pytest.raises(PosetwinError) as caught:
        make()
    return caught.value.code


def test_pictures_are_described_in_words_of_the_tokenizer(vit_gpt2: Path) -> None:
    captions = PictureCaptioner(_settings(vit_gpt2)).describe(_pictures(20))
    assert len(captions) == 20
    for caption in captions:
        assert set(caption.split()) <= set(WORDS[1:]) and 1 <= len(caption.split()) < 8
    assert len(set(captions)) > 1


def test_a_caption_is_what_transformers_own_beam_search_gives(vit_gpt2: Path) -> None:
    """Against the model used by hand: pixels resized, scaled to [-1, 1], generated, decoded."""
    picture = np.random.default_rng(3).integers(0, 256, (32, 32, 3)).astype(np.uint8)
    pixels = torch.tensor(picture).permute(2, 0, 1)[None].float() / 127.5 - 1
    model = VisionEncoderDecoderModel.from_pretrained(vit_gpt2).eval()
    words = model.generate(pixel_values=pixels, max_length=8, num_beams=3, do_sample=False, pad_token_id=0)
    expected = " ".join(WORDS[i] for i in words[0].tolist() if i)
    assert PictureCaptioner(_settings(vit_gpt2)).describe([picture]) == [expected]


def test_captions_are_the_same_again_and_in_any_company(vit_gpt2: Path) -> None:
    captioner, pictures = PictureCaptioner(_settings(vit_gpt2)), _pictures(18)
    together = captioner.describe(pictures)
    assert captioner.describe(pictures) == together
    assert [captioner.describe([picture])[0] for picture in pictures] == together


def test_captions_are_no_longer_than_asked(vit_gpt2: Path) -> None:
    captioner = PictureCaptioner(_settings(vit_gpt2, max_length=4, num_beams=1))
    assert max(len(caption.split()) for caption in captioner.describe(_pictures(6))) <= 3


def test_what_the_folder_asks_of_generation_does_not_count(vit_gpt2: Path, tmp_path: Path) -> None:
    _vit_gpt2(tmp_path)
    generation = json.loads((tmp_path / "generation_config.json").read_text())
    asked = {"do_sample": True, "temperature": 5.0, "max_new_tokens": 30, "num_beams": 1}
    (tmp_path / "generation_config.json").write_text(json.dumps({**generation, **asked}))
    pictures = _pictures(6)
    expected = PictureCaptioner(_settings(vit_gpt2)).describe(pictures)
    assert PictureCaptioner(_settings(tmp_path)).describe(pictures) == expected


def test_no_pictures_have_no_captions(vit_gpt2: Path) -> None:
    assert PictureCaptioner(_settings(vit_gpt2)).describe([]) == []


def test_blip_describes_pictures_too(tmp_path: Path) -> None:
    _blip(tmp_path)
    captioner = PictureCaptioner(_settings(tmp_path))
    captions = captioner.describe(_pictures(3))
    assert len(captions) == 3 and captioner.describe(_pictures(3)) == captions
    assert all(set(caption.split()) <= {*WORDS, "<", ">", "end"} for caption in captions)


def test_a_folder_that_is_not_there_is_missing_weights(tmp_path: Path) -> None:
    assert _code(lambda: PictureCaptioner(_settings(tmp_path / "x"))) == "missing_weights"


def test_weights_as_pickle_alone_are_wrong_weights(tmp_path: Path) -> None:
    """They are not even opened: what is in the file would show."""
    _vit_gpt2(tmp_path)
    (tmp_path / "model.safetensors").unlink()
    (tmp_path / "pytorch_model.bin").write_bytes(b"cos\nsystem\n(S'false'\ntR.")
    with pytest.raises(PosetwinError) as caught:
        PictureCaptioner(_settings(tmp_path))
    assert caught.value.code == "wrong_weights" and caught.value.hint


@pytest.mark.parametrize("config", ["{}", "[]", "nothing", '{"model_type": "gpt2"}'])
def test_a_model_of_another_kind_is_wrong_weights(tmp_path: Path, config: str) -> None:
    (tmp_path / "config.json").write_text(config)
    (tmp_path / "model.safetensors").write_bytes(b"")
    assert _code(lambda: PictureCaptioner(_settings(tmp_path))) == "wrong_weights"


@pytest.mark.parametrize("name", ["model.safetensors", "tokenizer.json", "preprocessor_config.json"])
def test_a_damaged_or_missing_part_is_wrong_weights(tmp_path: Path, name: str) -> None:
    _vit_gpt2(tmp_path)
    (tmp_path / name).write_bytes(b"nothing")
    assert _code(lambda: PictureCaptioner(_settings(tmp_path))) == "wrong_weights"
    (tmp_path / name).unlink()
    assert _code(lambda: PictureCaptioner(_settings(tmp_path))) == "wrong_weights"


def test_weights_that_are_incomplete_are_wrong_weights(tmp_path: Path) -> None:
    _vit_gpt2(tmp_path)
    weights = load_file(tmp_path / "model.safetensors")
    weights.pop(next(name for name in weights if "crossattention" in name))
    save_file(weights, tmp_path / "model.safetensors", {"format": "pt"})
    assert _code(lambda: PictureCaptioner(_settings(tmp_path))) == "wrong_weights"
