"""One annotated photo (COCO val2017 785), from the folder that POSETWIN_TEST_DATA names."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from PIL import Image
from real_data import data_folder

from posetwin.keypoints.layouts import OPENPOSE18, coco17_to_openpose18

# COCO-17 has no neck; every other joint of OpenPose-18 is annotated.
ANNOTATED = [index for index, name in enumerate(OPENPOSE18) if name != "neck"]
SHOULDERS, HIPS = (2, 5), (8, 11)


def skier_path() -> Path:
    return data_folder() / "skier.jpg"


def skier_image() -> np.ndarray:
    """(425, 640, 3) uint8 RGB."""
    return np.array(Image.open(skier_path()).convert("RGB"))


def skier_keypoints() -> np.ndarray:
    """(18, 3) px of the photo, as annotated."""
    annotation = json.loads((data_folder() / "skier.json").read_text())["annotations"][0]
    return coco17_to_openpose18(np.array(annotation["keypoints"]).reshape(17, 3))


def pck(detected: np.ndarray, target: np.ndarray, share: float = 0.2) -> float:
    """Share of annotated joints within `share` of the torso (mid-shoulder to mid-hip)."""
    torso = np.linalg.norm(target[SHOULDERS, :2].mean(axis=0) - target[HIPS, :2].mean(axis=0))
    errors = np.linalg.norm(detected[ANNOTATED, :2] - target[ANNOTATED, :2], axis=1)
    return float((errors <= share * torso).mean())
