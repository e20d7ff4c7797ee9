"""Random models of the real classes, small enough for a test, and the jobs and folders around them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import torch
from diffusers import AutoencoderTiny, DDIMScheduler, DDPMScheduler, T2IAdapter, UNet2DConditionModel
from sets import write_couples, write_manifest
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

from posetwin.contracts import parse_job
from posetwin.stages import run

WIDTH, TOKENS, SIZE = 16, 12, 64
CHANNELS = (16, 32)
T = 4


def save_tokenizer(folder: Path) -> None:
    folder.mkdir(parents=True)
    letters = [chr(code) for code in range(33, 127)]
    words = [*letters, *(f"{letter}</w>" for letter in letters), "<|startoftext|>", "<|endoftext|>"]
    (folder / "vocab.json").write_text(json.dumps({word: index for index, word in enumerate(words)}))
    (folder / "merges.txt").write_text("#version: 0.2\n")
    tokenizer = CLIPTokenizer(str(folder / "vocab.json"), str(folder / "merges.txt"), model_max_length=TOKENS)
    tokenizer.save_pretrained(folder)


def make_unet() -> UNet2DConditionModel:
    return UNet2DConditionModel(
        sample_size=16,
        in_channels=4,
        out_channels=4,
        block_out_channels=CHANNELS,
        layers_per_block=1,
        down_block_types=("CrossAttnDownBlock2D", "DownBlock2D"),
        up_block_types=("UpBlock2D", "CrossAttnUpBlock2D"),
        only_cross_attention=(True, False),
        cross_attention_dim=WIDTH,
        attention_head_dim=1,
        norm_num_groups=8,
    )


def make_adapter() -> T2IAdapter:
    return T2IAdapter(in_channels=3, channels=list(CHANNELS), num_res_blocks=1, downscale_factor=4)


def make_vae() -> AutoencoderTiny:
    return AutoencoderTiny(
        encoder_block_out_channels=(8, 8, 8),
        decoder_block_out_channels=(8, 8, 8),
        num_encoder_blocks=(1, 1, 1),
        num_decoder_blocks=(1, 1, 1),
        force_upcast=False,
    )


def save_models(folder: Path) -> tuple[Path, Path]:
    """A backbone folder and an adapter folder with fixed random weights."""
    torch.manual_seed(0)
    backbone, adapter = folder / "backbone", folder / "adapter"
    save_tokenizer(backbone / "tokenizer")
    config = CLIPTextConfig(
        vocab_size=200,
        hidden_size=WIDTH,
        intermediate_size=32,
        num_hidden_layers=1,
        num_attention_heads=2,
        max_position_embeddings=TOKENS,
        eos_token_id=189,
        bos_token_id=188,
        pad_token_id=189,
    )
    CLIPTextModel(config).save_pretrained(backbone / "text_encoder")
    make_unet().save_pretrained(backbone / "unet")
    make_vae().save_pretrained(backbone / "vae")
    DDPMScheduler(
        beta_schedule="scaled_linear", beta_start=0.00085, beta_end=0.012, clip_sample=False, steps_offset=1
    ).save_pretrained(backbone / "scheduler")
    make_adapter().save_pretrained(adapter)
    return backbone, adapter


def schedule_spec(num_steps: int = T) -> dict[str, Any]:
    """Stable Diffusion's schedule respaced by diffusers itself, `trailing`, t = 1 first."""
    scheduler = DDIMScheduler(
        beta_schedule="scaled_linear", beta_start=0.00085, beta_end=0.012, timestep_spacing="trailing"
    )
    scheduler.set_timesteps(num_steps)
    timesteps = scheduler.timesteps.flip(0)
    alphas_cumprod = scheduler.alphas_cumprod.double()[timesteps].numpy()
    alphas = alphas_cumprod / np.concatenate([[1.0], alphas_cumprod[:-1]])
    q = float(2 * (alphas / (1 - alphas)).mean())
    return {
        "alphas": alphas.tolist(),
        "alphas_cumprod": alphas_cumprod.tolist(),
        "log_alphas_cumprod": np.log(alphas_cumprod).tolist(),
        "timesteps": timesteps.double().tolist(),
        "trainable": [True] * num_steps,
        "q": [q] * num_steps,
    }


DATASET: dict[str, Any] = {
    "sources": [{"kind": "mini", "weight": 1, "poses": None}],
    "image_size": SIZE,
    "resize": {"kind": "person"},
    "filters": {"people": "any", "min_keypoints": 1, "min_person": 0.0, "max_hash_distance": 3, "num_verified": 32},
    "captioner": None,
    "num_images": 6,
    "num_held_out": 4,
    "num_pairs": 6,
    "pairs": "random",
    "min_distance": 0.1,
    "captions": "both",
    "num_captioned": 1500,
    "max_rejected": 0.5,
    "control": {"style": "openpose", "line_width": 0.045, "radius": 0},
}
METHOD: dict[str, Any] = {
    "q": "expectation",
    "objective": "patent",
    "scene_weight": 2.0,
    "score_weight": 1.0,
    "latents": {"source": "trajectory", "state": "own"},
    "image_at_t": "one_step",
    "one_step": "x_t",
    "update": "per-step",
    "total": "mean",
    "pose_residual": "plain",
    "target": "given",
    "primary_weight": "w(t)",
    "unet_timestep": "snr-matched",
    "sampler": "ddim",
    "guidance_scale": 1.0,
    "normalization_bias": [0.0, 0.0],
}
TRAIN: dict[str, Any] = {
    "max_train_steps": 6,
    "global_batch_size": 4,
    "gradient_accumulation_steps": 1,
    "bank_steps": 0,
    "mixed_precision": "no",
    "gradient_checkpointing": False,
    "channels_last": False,
    "attention": "sdpa",
    "compile": False,
    "cpu_offload": False,
    "learning_rate": 1e-3,
    "lr_scheduler": "cosine",
    "lr_warmup_steps": 2,
    "lr_num_cycles": 1,
    "lr_power": 1.0,
    "use_8bit_adam": False,
    "adam_beta1": 0.9,
    "adam_beta2": 0.999,
    "adam_weight_decay": 0.01,
    "adam_epsilon": 1e-8,
    "max_grad_norm": 1.0,
    "ema_decay": 0.0,
    "validation": {"steps": 0, "num_pairs": 3, "num_timesteps": 2},
    "samples": {"steps": 0, "num_images": 2, "num_inference_steps": 2, "guidance_scale": 3.0},
    "load_best_model_at_end": False,
    "metric_for_best_model": "objective",
    "checkpointing_steps": 3,
    "checkpoints_total_limit": 2,
    "nnodes": 1,
    "nproc_per_node": 1,
}
CONVERGENCE: dict[str, Any] = {
    "decision_steps": 50,
    "min_steps": 200,
    "early_stop": True,
    "window": 200,
    "confidence": 0.95,
    "tolerance": 0.0004,
}
EVALUATE: dict[str, Any] = {
    "num_pairs": 3,
    "num_inference_steps": 2,
    "guidance_scale": 3.0,
    "batch_size": 2,
    "detection_threshold": 0.5,
}


def ignore(event: dict[str, Any]) -> None:
    """An emit that nobody listens to."""


def make_job(stage: str, output: Path, inputs: dict[str, Path], spec: dict[str, Any]) -> dict[str, Any]:
    return {
        "stage": stage,
        "key": "0" * 16,
        "output_dir": str(output),
        "device": "cpu",
        "num_threads": 1,
        "num_workers": 1,
        "rank_timeout_s": 1800.0,
        "wandb": None,
        "inputs": {name: str(path) for name, path in inputs.items()},
        "spec": spec,
    }


def assemble_job(items: Path, output: Path, spec: dict[str, Any], index: Path | None = None) -> dict[str, Any]:
    """index: the folder of the lists, where pictures are read from disk."""
    job = make_job("assemble", output, {"items": items}, spec)
    return {**job, "inputs": {**job["inputs"], "index": "" if index is None else str(index), "part": ""}}


def write_lines(path: Path, records: list[dict[str, Any]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(record) + "\n" for record in records))


class Stack:
    """A folder with tiny models, an assembled set of ten pictures and its cache."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        backbone, adapter = save_models(folder / "models")
        self.models = {
            "backbone": {"path": str(backbone)},
            "adapter": {"kind": "t2i_adapter", "path": str(adapter), "conditioning_scale": 1.0},
        }
        self.primary = adapter
        self.assemble, self.cache, self.features = folder / "assemble", folder / "cache", folder / "features"
        self._assemble()
        run(make_job("cache", self.cache, {"assemble": self.assemble}, {"backbone": self.models["backbone"]}), ignore)
        spec = {"adapter": self.models["adapter"]}
        run(make_job("features", self.features, {"assemble": self.assemble, "primary": adapter}, spec), ignore)

    def _assemble(self) -> None:
        items = [
            {"kind": "mini", "id": i, "split": split, "seed": i, "pose": ""}
            for i, split in enumerate(["train"] * 6 + ["held_out"] * 4)
        ]
        write_lines(self.folder / "items.jsonl", items)
        spec = {"seed": 0, "dataset": DATASET}
        run(assemble_job(self.folder / "items.jsonl", self.assemble, spec), ignore)
        write_couples(self.assemble, [(0, 1), (2, 3), (4, 5)], [(6, 7), (8, 9)])
        write_manifest(self.assemble)

    @property
    def inputs(self) -> dict[str, Path]:
        """What the jobs of training and of the audit share."""
        return {
            "assemble": self.assemble,
            "cache": self.cache,
            "features": self.features,
            "primary": self.primary,
        }

    def learning(self, method: dict[str, Any]) -> dict[str, Any]:
        """`method`: readings that differ from the constants above."""
        return {
            "seed": 7,
            **self.models,
            "detector": {"kind": "mini"},
            "schedule": schedule_spec(),
            "method": {**METHOD, **method},
        }

    def train_job(self, output: Path, **changes: dict[str, Any]) -> dict[str, Any]:
        """`changes`: parts of `method`, `train` or `convergence` that differ from the constants above."""
        spec = {
            **self.learning(changes.get("method", {})),
            "train": {**TRAIN, **changes.get("train", {})},
            "convergence": {**CONVERGENCE, **changes.get("convergence", {})},
        }
        return make_job("train", output, {**self.inputs, "decisions": output / "decisions.jsonl"}, spec)

    def primary_job(self, output: Path, start: str = "adapter", **changes: Any) -> dict[str, Any]:
        """`changes`: parts of `method` or `train` that differ from the constants above, or of `primary` itself."""
        learning = self.learning(changes.pop("method", {}))
        spec = {name: value for name, value in learning.items() if name != "detector"}
        train = {**TRAIN, **changes.pop("train", {})}
        spec["primary"] = {
            "start": start,
            "timestep_sampling": "uniform",
            "proportion_empty_prompts": 0.0,
            "train": train,
            **changes,
        }
        inputs = {name: path for name, path in self.inputs.items() if name != "features"}
        return make_job("primary", output, inputs, spec)

    def audit_job(self, output: Path, trained: Path, **method: Any) -> dict[str, Any]:
        """`trained`: the folder of a train stage. `method`: readings that differ from the constants above."""
        spec = {**self.learning(method), "audit": {"num_pairs": 5, "batch_size": 2}, "detection_threshold": 0.5}
        return make_job("audit", output, {**self.inputs, "train": trained}, spec)

    def parsed(self, job: dict[str, Any]) -> Any:
        return parse_job(json.dumps(job))
