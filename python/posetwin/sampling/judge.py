"""What the judge and the in-loss detector see in generated pictures, in the shape of the contract JudgedImage."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch

from posetwin.contracts import JudgedImage
from posetwin.keypoints.detector import KeypointDetector, Keypoints
from posetwin.metrics.attributes import attributes_followed
from posetwin.metrics.keypoints import detected_persons, keypoint_error_px, pck

PCK_FRACTION = 0.1


@dataclass(frozen=True)
class Beside:
    """What is known of pictures beside their pose. drift, ssim: (B,) against the picture of A, None without one.
    attributes: what each text names."""

    attributes: Sequence[Mapping[str, str]]
    drift: torch.Tensor | None = None
    ssim: torch.Tensor | None = None


@dataclass(frozen=True)
class Judges:
    """judge: held out of the loss. detector: the one in the loss, or the judge again where no training is at hand."""

    judge: KeypointDetector
    detector: KeypointDetector
    detection_threshold: float
    device: torch.device

    @torch.no_grad()
    def _detect(self, detector: KeypointDetector, images: torch.Tensor) -> Keypoints:
        # Judges see what a viewer of the file sees: pixels cut to their range.
        found = detector(images.to(self.device).clamp(-1, 1))
        return Keypoints(found.xy.cpu().double(), found.confidence.cpu().double())

    def keypoints(self, images: torch.Tensor) -> torch.Tensor:
        """(B, 18, 3) float64: x, y in pixels, confidence, as the judge finds them in (B, 3, H, W)."""
        found = self._detect(self.judge, images)
        return torch.cat([found.xy, found.confidence.unsqueeze(-1)], dim=-1)

    def judge_images(
        self, names: Sequence[str], images: torch.Tensor, target: torch.Tensor, beside: Beside | None = None
    ) -> list[JudgedImage]:
        """One record per image.

        images: (B, 3, H, W) square, around [-1, 1]. target: (B, 18, 3) px and visibility.
        """
        beside = beside or Beside([{}] * len(names))
        seen = self.keypoints(images)
        columns = {
            "keypoint_error_px": keypoint_error_px(seen, target),
            "in_loss_error_px": keypoint_error_px(self._detect(self.detector, images).xy, target),
            "pck": pck(seen, target, PCK_FRACTION * images.shape[-1]),
            "detected": detected_persons(seen[..., 2], target, self.detection_threshold),
        }
        lists: dict[str, Sequence[object]] = {name: column.tolist() for name, column in columns.items()}
        for name, column in (("scene_drift", beside.drift), ("scene_ssim", beside.ssim)):
            lists[name] = [None] * len(names) if column is None else column.tolist()
        lists["attributes"] = attributes_followed(images.cpu().clamp(-1, 1), seen, beside.attributes)
        rows = zip(names, seen.tolist(), *lists.values(), strict=True)
        return [
            JudgedImage(image=name, keypoints=points, **dict(zip(lists, values, strict=True)))
            for name, points, *values in rows
        ]
