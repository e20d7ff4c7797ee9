"""Captions of the mini world: English sentences that name all, some or few of a picture's attributes."""

from __future__ import annotations

import numpy as np

from posetwin.mini.poses import POSES
from posetwin.mini.scenes import SCENES

SUBJECT_WORDS = {"girl": ("girl", "girl", "girl", "woman"), "boy": ("boy", "boy", "boy", "man")}
PRONOUNS = {"girl": {"her": "her", "she": "she"}, "boy": {"her": "his", "she": "he"}}

_WITH_POSE = (
    "a {subject} in a {shirt} shirt, {pose}, {scene}",
    "a {subject} in a {shirt} shirt, {pose}, {scene}",
    "a {subject} in a {shirt} shirt {pose} {scene}",
    "a {subject} wearing a {shirt} shirt, {pose}, {scene}",
    "a drawing of a {subject} in a {shirt} shirt, {pose}",
    "a {subject}, {pose}, {scene}",
    "a {subject} {pose} {scene}",
    "a {subject}, {pose}",
)
_WITHOUT_POSE = (
    "a {subject} in a {shirt} shirt, {scene}",
    "a {subject} in a {shirt} shirt {scene}",
    "a {subject} wearing a {shirt} shirt, {scene}",
    "a {subject} {scene}",
    "a drawing of a {subject}",
)


def pose_phrase(pose: str, subject: str, rng: np.random.Generator) -> str:
    """One of the pose's phrases with the subject's pronouns: "waving her left hand"."""
    phrases = POSES[pose].phrases
    return phrases[rng.integers(len(phrases))].format(**PRONOUNS[subject])


def draw_caption(rng: np.random.Generator, subject: str, shirt: str, scene: str, pose: str | None) -> str:
    """A caption of the given attributes; `pose` None (a random posture) yields no pose words."""
    templates = _WITHOUT_POSE if pose is None or rng.random() < 0.08 else _WITH_POSE
    words = SUBJECT_WORDS[subject]
    return templates[rng.integers(len(templates))].format(
        subject=words[rng.integers(len(words))],
        shirt=shirt,
        scene=SCENES[scene][0],
        pose="" if pose is None else pose_phrase(pose, subject, rng),
    )
