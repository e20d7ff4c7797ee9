"""A plain training loop for Eq. 40, as public reward trainers are written: everything is computed in every step.

Pictures and texts are encoded, the primary adapter is run, and what both routes show is decoded and detected with a
gradient, as one batch. Of Posetwin it takes the data, the order of pairs, t and noise, the detector, and nothing of how
a step is computed. Readings: `objective: patent`, `latents.state: own`, `latents.source: noised` or `trajectory`.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import torch
from diffusers import AutoencoderTiny, T2IAdapter, UNet2DConditionModel
from transformers import CLIPTextModel, CLIPTokenizer

from posetwin.data.assembled import read_assembled
from posetwin.keypoints.loading import load_detector
from posetwin.sampling.noise import draw_noise
from posetwin.shipped import checked_folder
from posetwin.training.order import drawn_step, global_indices, learning_rate, position_in_epoch, step_t


def folder_of(path: str, part: str) -> Path:
    return checked_folder(part) if path == "mini" else Path(path)


class Loop:
    def __init__(self, job: Any, routes: str) -> None:
        """routes: `together`, as one batch with a gradient; or `apart`, route A before route B and without one."""
        self.spec, self.routes = job.spec, routes
        backbone = folder_of(self.spec.backbone.path, "backbone")
        options = {"local_files_only": True, "low_cpu_mem_usage": False}
        self.unet = UNet2DConditionModel.from_pretrained(backbone / "unet", **options)
        self.vae = AutoencoderTiny.from_pretrained(backbone / "vae", **options)
        self.text_encoder = CLIPTextModel.from_pretrained(backbone / "text_encoder", local_files_only=True)
        self.tokenizer = CLIPTokenizer.from_pretrained(backbone / "tokenizer")
        self.detector = load_detector(self.spec.detector)
        adapter = folder_of(job.inputs.primary, "adapter")
        self.primary, self.secondary = (T2IAdapter.from_pretrained(adapter, **options) for _ in range(2))
        for frozen in (self.unet, self.vae, self.text_encoder, self.primary):
            frozen.float().requires_grad_(False).eval()
        self.assembled = read_assembled(Path(job.inputs.assemble))
        self.pairs = self.assembled.pairs("train")
        self.trainable = [t for t, kept in enumerate(self.spec.schedule.trainable, start=1) if kept]
        train = self.spec.train
        self.optimizer = torch.optim.AdamW(
            self.secondary.parameters(),
            betas=(train.adam_beta1, train.adam_beta2),
            weight_decay=train.adam_weight_decay,
            eps=train.adam_epsilon,
        )

    def alphas_cumprod(self, t: int) -> float:
        return self.spec.schedule.alphas_cumprod[t - 1]

    def encode_images(self, indices: list[int]) -> torch.Tensor:
        return self.vae.encode(self.assembled.images(indices)).latents * self.vae.config.scaling_factor

    def encode_prompts(self, prompts: list[str]) -> torch.Tensor:
        tokens = self.tokenizer(prompts, padding="max_length", truncation=True, return_tensors="pt")
        return self.text_encoder(tokens.input_ids).last_hidden_state

    def features(self, adapter: T2IAdapter, indices: list[int]) -> list[torch.Tensor]:
        controls = self.assembled.controls(indices, adapter.config.in_channels)
        return [feature * self.spec.adapter.conditioning_scale for feature in adapter(controls)]

    def keypoints(self, indices: list[int]) -> torch.Tensor:
        """As given, in fractions of the frame."""
        return self.assembled.keypoints[indices][..., :2].float() / self.assembled.image_size

    def mask(self, a: list[int], b: list[int]) -> torch.Tensor:
        visible = self.assembled.keypoints[..., 2] > 0
        return (visible[a] & visible[b]).float()

    def noise_pred(self, latents: torch.Tensor, t: int, embeds: torch.Tensor, features: Any) -> torch.Tensor:
        timesteps = torch.full((len(latents),), self.spec.schedule.timesteps[t - 1])
        # The U-Net empties the list it is given.
        return self.unet(latents, timesteps, embeds, down_intrablock_additional_residuals=list(features)).sample

    def add_noise(self, latents: torch.Tensor, noise: torch.Tensor, t: int) -> torch.Tensor:
        kept = self.alphas_cumprod(t)
        return kept**0.5 * latents + (1 - kept) ** 0.5 * noise

    @torch.no_grad()
    def walk(self, latents: torch.Tensor, t: int, embeds: torch.Tensor, features: Any) -> torch.Tensor:
        """DDIM from the noise to t."""
        for now, following in pairwise([*(s for s in reversed(self.trainable) if s > t), t]):
            noise_pred = self.noise_pred(latents, now, embeds, features)
            kept = self.alphas_cumprod(now)
            image = (latents - (1 - kept) ** 0.5 * noise_pred) / kept**0.5
            latents = self.add_noise(image, noise_pred, following)
        return latents

    def show(self, latents: torch.Tensor, t: int, embeds: torch.Tensor, features: Any) -> torch.Tensor:
        """Keypoints, in fractions of the frame, of the image that one step foretells."""
        noise_pred, kept = self.noise_pred(latents, t, embeds, features), self.alphas_cumprod(t)
        original = (latents - (1 - kept) ** 0.5 * noise_pred) / kept**0.5
        image = self.vae.decode(original / self.vae.config.scaling_factor).sample
        return self.detector(image).xy / self.assembled.image_size

    def loss(self, step: int) -> torch.Tensor:
        spec, size = self.spec, self.spec.train.global_batch_size
        drawn = drawn_step(spec.seed, step, spec.train.bank_steps, len(self.trainable))
        indices, t = global_indices(drawn, size), step_t(spec.seed, drawn, self.trainable)
        pairs = [self.pairs[position_in_epoch(spec.seed, index, len(self.pairs))] for index in indices]
        a, b = [pair.a for pair in pairs], [pair.b for pair in pairs]
        with torch.no_grad():
            embeds = self.encode_prompts([pair.prompt for pair in pairs])
            features_a = self.features(self.primary, a)
        features_b = self.features(self.secondary, b)
        noise = draw_noise(spec.seed, "noise", indices, (4, *[features_b[0].shape[-1]] * 2))
        if spec.method.latents.source == "noised":
            with torch.no_grad():
                state_a, state_b = (self.add_noise(self.encode_images(images), noise, t) for images in (a, b))
        else:
            state_a, state_b = (self.walk(noise, t, embeds, features) for features in (features_a, features_b))
        if self.routes == "together":
            both = [torch.cat(pair) for pair in zip(features_a, features_b, strict=True)]
            seen_a, seen_b = self.show(torch.cat([state_a, state_b]), t, embeds.repeat(2, 1, 1), both).chunk(2)
        else:
            with torch.no_grad():
                seen_a = self.show(state_a, t, embeds, features_a)
            seen_b = self.show(state_b, t, embeds, features_b)
        mask, q = self.mask(a, b), spec.schedule.q[t - 1]
        target, residual = (
            ((seen_b - other).square().sum(-1) * mask).sum(1) / mask.sum(1) for other in (self.keypoints(b), seen_a)
        )
        return ((q * target + residual) / (q + 1)).mean()

    def step(self, step: int) -> float:
        loss = self.loss(step)
        self.optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.secondary.parameters(), self.spec.train.max_grad_norm)
        for group in self.optimizer.param_groups:
            group["lr"] = learning_rate(step, self.spec.train)
        self.optimizer.step()
        return loss.item()


def train(job: Any, routes: str, loaded: Callable[[], None], seen: Callable[[float], None]) -> None:
    """`loaded` is called before the first step, `seen` with the loss after each."""
    loop = Loop(job, routes)
    loaded()
    for step in range(1, job.spec.train.max_train_steps + 1):
        seen(loop.step(step))
