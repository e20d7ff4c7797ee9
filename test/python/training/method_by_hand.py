"""The method's equations in plain torch, diffusers and transformers, to hold the reference curves against.

Nothing of posetwin.training, posetwin.losses, posetwin.schedule or posetwin.sampling is used: of the product only the
shipped weights, the detector's network, the assembled pictures and the silhouettes.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import torch
from diffusers import AutoencoderTiny, T2IAdapter, UNet2DConditionModel
from PIL import Image
from transformers import CLIPTextModel, CLIPTokenizer

from posetwin.keypoints.mini import load_mini_detector
from posetwin.metrics.scene import scene_mask
from posetwin.shipped import WEIGHTS

SIZE = 64
Numbers = dict[str, float]


def schedule(num_steps: int) -> tuple[list[int], list[float], list[float]]:
    """Stable Diffusion's, `trailing`: the U-Net's timesteps, α_t and ᾱ_t, t = 1 first."""
    betas = np.linspace(math.sqrt(0.00085), math.sqrt(0.012), 1000, dtype=np.float64) ** 2
    trained = np.cumprod(1 - betas)
    timesteps = [round(1000 * t / num_steps) - 1 for t in range(1, num_steps + 1)]
    cumprod = [float(trained[timestep]) for timestep in timesteps]
    return timesteps, [now / before for now, before in zip(cumprod, [1.0, *cumprod], strict=False)], cumprod


# Of the shipped VAE's latents.
SHAPE = (8, 16, 16)


def noise_of(seed: int, index: int, dtype: torch.dtype = torch.float64) -> torch.Tensor:
    digest = hashlib.sha256(f"{seed}/noise/{index}".encode()).digest()
    generator = torch.Generator().manual_seed(int.from_bytes(digest[:8], "little") >> 1)
    return torch.randn(SHAPE, generator=generator, dtype=dtype)[None]


class ByHand:
    """The models in float64, and what one quintuple of an assembled set gives them."""

    def __init__(self, assembled: Path, num_steps: int, seed: int) -> None:
        options: dict[str, Any] = {"torch_dtype": torch.float64, "low_cpu_mem_usage": False}
        backbone = WEIGHTS / "backbone"
        self.unet = UNet2DConditionModel.from_pretrained(backbone / "unet", **options).requires_grad_(False)
        self.vae = AutoencoderTiny.from_pretrained(backbone / "vae", **options).requires_grad_(False)
        self.text_encoder = CLIPTextModel.from_pretrained(backbone / "text_encoder").double()
        self.tokenizer = CLIPTokenizer.from_pretrained(backbone / "tokenizer")
        self.primary = T2IAdapter.from_pretrained(WEIGHTS / "adapter", **options).requires_grad_(False)
        self.adapter = T2IAdapter.from_pretrained(WEIGHTS / "adapter", **options)
        self.detector = load_mini_detector("mini").double()
        self.folder, self.seed = assembled, seed
        self.samples = pq.read_table(assembled / "samples.parquet").to_pylist()
        self.timesteps, self.alphas, self.alphas_cumprod = schedule(num_steps)
        # Eq. 37
        self.q = 2 * float(np.mean([alpha / (1 - alpha) for alpha in self.alphas]))

    def _pixels(self, sample: int, what: str) -> torch.Tensor:
        row = self.samples[sample]
        with (self.folder / row["shard"]).open("rb") as shard:
            shard.seek(row[f"{what}_offset"])
            array = np.array(Image.open(BytesIO(shard.read(row[f"{what}_length"]))).convert("RGB"))
        return torch.from_numpy(array).permute(2, 0, 1)[None].float()

    # What the product keeps as float32 is rounded to it here too: pictures, control maps, and all that it caches.
    def picture(self, sample: int) -> torch.Tensor:
        return (self._pixels(sample, "image") / 127.5 - 1).double()

    def control(self, sample: int) -> torch.Tensor:
        return (self._pixels(sample, "control") / 255).double()

    def keypoints(self, sample: int) -> torch.Tensor:
        """Given, (1, 18, 3): fractions of the frame, visibility."""
        found = torch.tensor(self.samples[sample]["keypoints"], dtype=torch.float64).reshape(1, 18, 3)
        return found / torch.tensor([SIZE, SIZE, 1.0], dtype=torch.float64)

    @torch.no_grad()
    def latents(self, sample: int) -> torch.Tensor:
        encoded = self.vae.encode(self.picture(sample)).latents
        return (encoded * self.vae.config.scaling_factor).float().double()

    @torch.no_grad()
    def prompt_embeds(self, sample: int) -> torch.Tensor:
        tokens = self.tokenizer([self.samples[sample]["caption"]], padding="max_length", truncation=True)
        return self.text_encoder(torch.tensor(tokens.input_ids)).last_hidden_state.float().double()

    def noise_pred(
        self, latents: torch.Tensor, t: int, embeds: torch.Tensor, features: list[torch.Tensor]
    ) -> torch.Tensor:
        timestep = torch.tensor([float(self.timesteps[t - 1])])
        return self.unet(latents, timestep, embeds, down_intrablock_additional_residuals=list(features)).sample

    def decoded(self, latents: torch.Tensor) -> torch.Tensor:
        return self.vae.decode(latents / self.vae.config.scaling_factor).sample

    def detected(self, image: torch.Tensor) -> torch.Tensor:
        return self.detector(image).xy / SIZE

    def noised(self, latents: torch.Tensor, noise: torch.Tensor, t: int) -> torch.Tensor:
        cumprod = self.alphas_cumprod[t - 1]
        return math.sqrt(cumprod) * latents + math.sqrt(1 - cumprod) * noise

    def predicted(self, latents: torch.Tensor, noise_pred: torch.Tensor, t: int) -> torch.Tensor:
        """Eq. 41, before the decoder."""
        cumprod = self.alphas_cumprod[t - 1]
        return (latents - math.sqrt(1 - cumprod) * noise_pred) / math.sqrt(cumprod)

    @torch.no_grad()
    def walked(self, noise: torch.Tensor, t: int, embeds: torch.Tensor, features: list[torch.Tensor]) -> torch.Tensor:
        """Eq. 9 from the noise down to t."""
        state = noise
        for now in range(len(self.timesteps), t, -1):
            noise_pred = self.noise_pred(state, now, embeds, features)
            before = self.alphas_cumprod[now - 2]
            state = math.sqrt(before) * self.predicted(state, noise_pred, now) + math.sqrt(1 - before) * noise_pred
        return state

    def secondary(self, index: int, a: int, b: int, t: int, scene: bool) -> tuple[torch.Tensor, Numbers]:
        """What is minimised, L_t/(Q + 1) of Eq. 40 (times T, and with the scene term, where `scene`), and each term.

        Without `scene` the states are those of trajectories and the target is as given; with it they are noised
        pictures and the target is what the detector finds in the pictures."""
        noise, embeds = noise_of(self.seed, index), self.prompt_embeds(a)
        with torch.no_grad():
            features_a = [f.float().double() for f in self.primary(self.control(a))]
        features_b = self.adapter(self.control(b))
        if scene:
            state_a, state_b = (self.noised(self.latents(sample), noise, t) for sample in (a, b))
            given_a, given_b = (self.detected(self.picture(sample)) for sample in (a, b))
        else:
            state_a, state_b = (self.walked(noise, t, embeds, features) for features in (features_a, features_b))
            given_a, given_b = (self.keypoints(sample)[..., :2] for sample in (a, b))
        visible = torch.minimum(*(self.keypoints(sample)[..., 2] for sample in (a, b))) > 0
        with torch.no_grad():
            noise_pred_a = self.noise_pred(state_a, t, embeds, features_a)
            image_a = self.decoded(self.predicted(state_a, noise_pred_a, t))
            found_a = self.detected(image_a)
        noise_pred_b = self.noise_pred(state_b, t, embeds, features_b)
        image_b = self.decoded(self.predicted(state_b, noise_pred_b, t))
        found_b = self.detected(image_b)

        def distance(one: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
            return ((one - other) ** 2).sum(-1)[visible].mean()

        cumprod = self.alphas_cumprod[t - 1]
        outside = (
            scene_mask(*(np.array(self.samples[sample]["keypoints"]).reshape(1, 18, 3) for sample in (a, b)), SIZE)[0]
            > 0
        )
        terms = {
            "target_pose": distance(found_b, given_b),
            "pose_residual": distance(found_b, found_a),
            "score_difference": ((noise_pred_a - noise_pred_b) ** 2).mean() / (1 - cumprod),
            "scene": math.sqrt(cumprod) * (image_a - image_b).abs()[0, :, outside].mean(),
            "delta_l": distance(given_b, given_a),
            "lower_bound_distance": distance(found_a, given_b),
        }
        minimised = (self.q * terms["target_pose"] + terms["pose_residual"]) / (self.q + 1)
        if scene:
            minimised = (minimised + 0.2 * terms["scene"]) * len(self.timesteps)
        return minimised, {name: float(value.detach()) for name, value in terms.items()}

    def primary_noise(self, index: int, a: int, b: int, t: int) -> tuple[torch.Tensor, Numbers]:
        """Eq. 12 for the picture of B, with its own pose and text."""
        noise, alpha, cumprod = noise_of(self.seed, index), self.alphas[t - 1], self.alphas_cumprod[t - 1]
        state = self.noised(self.latents(b), noise, t)
        noise_pred = self.noise_pred(state, t, self.prompt_embeds(b), self.adapter(self.control(b)))
        loss = (1 - alpha) / (2 * alpha * (1 - cumprod)) * ((noise - noise_pred) ** 2).mean()
        return loss, {"primary_noise": float(loss.detach())}


class Adam:
    """AdamW by its paper, with the learning rate of each step given, after clipping of the gradient's norm."""

    def __init__(self, parameters: list[torch.Tensor], max_norm: float, weight_decay: float) -> None:
        self.parameters, self.max_norm, self.weight_decay, self.step = parameters, max_norm, weight_decay, 0
        self.m, self.v = ([torch.zeros_like(p) for p in parameters] for _ in range(2))

    @torch.no_grad()
    def update(self, gradients: tuple[torch.Tensor, ...], rate: float) -> float:
        """Returns the norm before clipping."""
        self.step += 1
        norm = math.sqrt(sum(float((g**2).sum()) for g in gradients))
        scale = min(1.0, self.max_norm / (norm + 1e-6))
        for p, g, m, v in zip(self.parameters, gradients, self.m, self.v, strict=True):
            m.mul_(0.9).add_(0.1 * scale * g)
            v.mul_(0.999).add_(0.001 * (scale * g) ** 2)
            p.mul_(1 - rate * self.weight_decay)
            denominator = (v / (1 - 0.999**self.step)).sqrt() + 1e-8
            p.sub_(rate * m / (1 - 0.9**self.step) / denominator)
        return norm


def first_steps(
    adapter: T2IAdapter,
    loss: Callable[[int, int, int, int], tuple[torch.Tensor, Numbers]],
    curve: dict[str, Any],
    train: dict[str, Any],
    count: int,
) -> list[Numbers]:
    """The first steps of a curve anew; loss: of a sample's index, its two pictures and t.

    Which pictures, which t and which rate a step has is taken from the curve: the method leaves them open.
    """
    parameters = list(adapter.parameters())
    adam = Adam(parameters, train["max_grad_norm"], train["adam_weight_decay"])
    size, seen = len(curve["pictures"][0]), list[Numbers]()
    for k in range(count):
        pictures, [t] = curve["pictures"][k], curve["t"][k]
        each = [loss(k * size + i, a, b, t) for i, (a, b) in enumerate(pictures)]
        objective = torch.stack([value for value, _ in each]).mean()
        norm = adam.update(torch.autograd.grad(objective, parameters), curve["learning_rate"][k])
        terms = {name: float(np.mean([numbers[name] for _, numbers in each])) for name in each[0][1]}
        seen.append({"objective": float(objective.detach()), "grad_norm": norm, **terms})
    return seen
