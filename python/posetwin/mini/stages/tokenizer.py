"""Stage `tokenizer`: CLIP's byte-level BPE with merges learnt from the world's captions."""

from __future__ import annotations

import json
from pathlib import Path

from tokenizers import Tokenizer, pre_tokenizers, trainers
from tokenizers.models import BPE
from transformers import CLIPTokenizer

from posetwin.mini.architecture import MAX_TOKENS
from posetwin.mini.data import training_set
from posetwin.mini.poses import POSES

BOS, EOS = "<|startoftext|>", "<|endoftext|>"
VOCAB_SIZE = 900


def _learn(captions: list[str], folder: Path) -> None:
    """Write vocab.json and merges.txt; every byte has a token of its own, so that any text can be encoded."""
    learner = Tokenizer(BPE(end_of_word_suffix="</w>"))
    # CLIP's own splitting is applied again when the files are loaded; words and punctuation suffice to learn merges.
    learner.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Whitespace(), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    )
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    learner.train_from_iterator(
        captions,
        trainers.BpeTrainer(
            vocab_size=VOCAB_SIZE,
            initial_alphabet=alphabet,
            end_of_word_suffix="</w>",
            special_tokens=[BOS, EOS],
            show_progress=False,
        ),
    )
    model = json.loads(learner.to_str())["model"]
    vocab: dict[str, int] = model["vocab"]
    for byte in alphabet:
        vocab.setdefault(f"{byte}</w>", len(vocab))
    merges = "\n".join(" ".join(pair) for pair in model["merges"])
    (folder / "vocab.json").write_text(json.dumps(vocab, ensure_ascii=False, indent=0))
    (folder / "merges.txt").write_text(f"#version: 0.2\n{merges}\n")


def load_tokenizer(folder: Path) -> CLIPTokenizer:
    """The tokenizer that this stage left in the training folder."""
    return CLIPTokenizer.from_pretrained(folder / "tokenizer", local_files_only=True)


def run(folder: Path, deadline: float) -> bool:
    target = folder / "tokenizer"
    if (target / "tokenizer_config.json").exists():
        return True
    target.mkdir(parents=True, exist_ok=True)
    # Words of held-out poses get whole tokens too; no training caption ever uses them.
    held_out = [phrase.format(her="her", she="she") for spec in POSES.values() for phrase in spec.phrases]
    _learn(training_set(folder).captions + held_out, target)
    tokenizer = CLIPTokenizer.from_pretrained(target, local_files_only=True, model_max_length=MAX_TOKENS)
    tokenizer.save_pretrained(target)
    return True
