"""The quintuples of a step, gathered from the assembled set and the cache."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import torch

from posetwin.contracts import Method
from posetwin.data.assembled import Assembled, IndexedPair
from posetwin.data.cache import Cache
from posetwin.data.pairs import choose_pairs
from posetwin.losses import keypoint_mask, normalize_keypoints
from posetwin.metrics.scene import scene_mask
from posetwin.sampling.noise import draw_noise
from posetwin.training.order import position_in_epoch
from posetwin.training.routes import Batch


@dataclass(frozen=True)
class Batches:
    """Quintuples by global sample index: a pure function of (seed, index).

    features: the primary's, one (N, c, h, w) a block; empty while the primary itself is trained. targets: (N, 18, 2)
    px, what a_0 and b_0 are (`method.target`). channels: of the adapter's control map. captions: (N,), each B's
    text, as in Eq. 12; None where the pair's prompt is the text.
    """

    assembled: Assembled
    cache: Cache
    features: list[torch.Tensor]
    targets: torch.Tensor
    method: Method
    seed: int
    channels: int
    device: torch.device
    dtype: torch.dtype
    captions: Sequence[str] | None = None
    pairs: Sequence[IndexedPair] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "pairs", self.assembled.pairs("train"))

    @cached_property
    def held_out(self) -> Sequence[IndexedPair]:
        """Raises PosetwinError: too_few_samples."""
        return self.assembled.pairs("held_out")

    def gather(self, global_indices: range) -> Batch:
        """The batch of these global sample indices."""
        places = [position_in_epoch(self.seed, index, len(self.pairs)) for index in global_indices]
        return self._batch([self.pairs[place] for place in places], "noise", global_indices)

    def choose_held_out(self, count: int) -> list[int]:
        """At most `count` positions among the held-out pairs, as the stage `evaluate` chooses them."""
        return choose_pairs(self.held_out, count)

    def gather_held_out(self, positions: Sequence[int]) -> Batch:
        """The batch of these held-out pairs, with a noise of their own each."""
        return self._batch([self.held_out[position] for position in positions], "validation", positions)

    def held_out_pose(self, position: int) -> tuple[torch.Tensor, str]:
        """(1, channels, H, W) B_0 and the prompt of one held-out pair."""
        pair = self.held_out[position]
        return self._move(self.assembled.controls([pair.b], self.channels)), pair.prompt

    def _batch(self, pairs: Sequence[IndexedPair], purpose: str, noise_indices: Iterable[int]) -> Batch:
        a, b = [pair.a for pair in pairs], [pair.b for pair in pairs]
        size, cache, keypoints = self.assembled.image_size, self.cache, self.assembled.keypoints
        noise = draw_noise(self.seed, purpose, noise_indices, cache.latents.shape[1:])
        return Batch(
            latents_a=self._move(cache.latents[a]),
            latents_b=self._move(cache.latents[b]),
            noise=self._move(noise),
            prompt_embeds=self._move(cache.embeds_of([self._text_of(pair) for pair in pairs])),
            negative_prompt_embeds=self._move(cache.embeds_of([""] * len(pairs))),
            features_a=[self._move(feature[a]) for feature in self.features],
            controls_b=self._move(self.assembled.controls(b, self.channels)),
            keypoints_a=self._normalized(self.targets[a]),
            keypoints_b=self._normalized(self.targets[b]),
            mask=self._move(keypoint_mask(keypoints[a][..., 2], keypoints[b][..., 2])),
            scene_mask=self._move(scene_mask(keypoints[a].numpy(), keypoints[b].numpy(), size)),
        )

    def _text_of(self, pair: IndexedPair) -> str:
        return pair.prompt if self.captions is None else self.captions[pair.b]

    def pictures(self, global_index: int) -> tuple[int, int]:
        """Which pictures this quintuple holds: positions in samples.jsonl."""
        pair = self.pairs[position_in_epoch(self.seed, global_index, len(self.pairs))]
        return pair.a, pair.b

    def _move(self, tensor: torch.Tensor) -> torch.Tensor:
        return tensor.to(self.device, self.dtype)

    def _normalized(self, keypoints: torch.Tensor) -> torch.Tensor:
        size = self.assembled.image_size
        return self._move(normalize_keypoints(keypoints, size, size, self.method.normalization_bias))
