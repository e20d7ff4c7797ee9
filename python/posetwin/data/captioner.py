"""Step 1 of the method: captions of pictures that bring none, by ViT-GPT2 or BLIP from a folder of transformers."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from posetwin.contracts import Captioner
from posetwin.errors import PosetwinError

# So many pictures are described together; each takes `num_beams` texts.
TOGETHER = 16
MODELS = {"vision-encoder-decoder": "VisionEncoderDecoderModel", "blip": "BlipForConditionalGeneration"}


def _model_type(folder: Path) -> str:
    try:
        return str(json.loads((folder / "config.json").read_text(encoding="utf-8"))["model_type"])
    except (OSError, UnicodeDecodeError, ValueError, KeyError, TypeError) as error:
        raise PosetwinError("wrong_weights", f"{folder} has no config.json of a model: {error}") from error


def _checked_class(folder: Path) -> str:
    """The name of the model's class. Raises PosetwinError: missing_weights, wrong_weights."""
    if not folder.is_dir():
        hint = "download a model such as nlpconnect/vit-gpt2-image-captioning into it"
        raise PosetwinError("missing_weights", f"{folder} is not a folder", hint)
    kind = _model_type(folder)
    if kind not in MODELS:
        raise PosetwinError("wrong_weights", f"{folder} holds a {kind} model", f"one of: {', '.join(MODELS)}")
    if not any(folder.glob("*.safetensors")):
        hint = f"convert it where you trust it: transformers.{MODELS[kind]}.from_pretrained(it).save_pretrained(folder)"
        raise PosetwinError(
            "wrong_weights", f"{folder} has no weights as .safetensors, and no other form is read", hint
        )
    return MODELS[kind]


def _load(folder: Path) -> tuple[Any, Any, Any]:
    import transformers

    options: dict[str, Any] = {"local_files_only": True, "trust_remote_code": False}
    kind = getattr(transformers, _checked_class(folder))
    try:
        model, info = kind.from_pretrained(folder, use_safetensors=True, output_loading_info=True, **options)
        # Pillow's processors, which are there without torchvision.
        processor = transformers.AutoImageProcessor.from_pretrained(folder, backend="pil", **options)
        tokenizer = transformers.AutoTokenizer.from_pretrained(folder, **options)
    except MemoryError:
        raise
    # Each of the three reads files of many forms; what they raise about them is no closed list.
    except Exception as error:
        raise PosetwinError("wrong_weights", f"{folder} cannot be loaded: {error}") from error
    if info["missing_keys"]:
        raise PosetwinError(
            "wrong_weights", f"{folder} lacks weights: {', '.join(sorted(info['missing_keys'])[:3])}, …"
        )
    return model, processor, tokenizer


class PictureCaptioner:
    """Describes pictures in the same words every time: beam search, no sampling; nothing comes from a network.

    Raises PosetwinError: missing_weights, wrong_weights.
    """

    def __init__(self, settings: Captioner, device: torch.device | str = "cpu") -> None:
        self.settings, self.device = settings, torch.device(device)
        model, self.processor, self.tokenizer = _load(Path(settings.path).resolve())
        self.model = model.requires_grad_(False).eval().to(self.device)
        # Ours in place of what the folder's generation_config.json may ask for.
        self.options: dict[str, Any] = {
            "max_length": settings.max_length,
            "max_new_tokens": None,
            "num_beams": settings.num_beams,
            "num_return_sequences": 1,
            "do_sample": False,
        }
        if model.generation_config.pad_token_id is None:
            model.generation_config.pad_token_id = model.generation_config.eos_token_id

    @torch.no_grad()
    def _describe(self, images: Sequence[np.ndarray]) -> list[str]:
        inputs = self.processor(images=list(images), return_tensors="pt", input_data_format="channels_last")
        words = self.model.generate(pixel_values=inputs["pixel_values"].to(self.device), **self.options)
        return [" ".join(text.split()) for text in self.tokenizer.batch_decode(words, skip_special_tokens=True)]

    def describe(self, images: Sequence[np.ndarray]) -> list[str]:
        """(H, W, 3) uint8 RGB each, of any sizes → a caption each, of one line; empty where the model says nothing."""
        portions = (images[start : start + TOGETHER] for start in range(0, len(images), TOGETHER))
        return [caption for portion in portions for caption in self._describe(portion)]
