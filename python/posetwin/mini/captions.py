"""Captions of the mini world: English sentences that name all, some or few of a picture's attributes."""

from __future__ import annotations

import numpy as np

from posetwin.mini.look import Look
from posetwin.mini.poses import POSES
from posetwin.mini.scenes import SCENES

SUBJECT_WORDS = {"girl": ("girl", "girl", "girl", "woman"), "boy": ("boy", "boy", "boy", "man")}
PRONOUNS = {"girl": {"her": "her", "she": "she"}, "boy": {"her": "his", "she": "he"}}

_WITH_POSE = (
    "a {subject} in a {shirt} shirt, {pose}, {scene}",
    "a {subject} in a {shirt} shirt, {pose}, {scene}",
    "a {subject} in a {shirt} shirt {pose} {scene}",
    "a {subject} wearing a {shirt} shirt, {pose}, {scene}",
    "a {subject} in a {shirt} shirt and {bottoms}, {pose}, {scene}",
    "{scene}, a {subject} in a {shirt} shirt, {pose}",
    "a drawing of a {subject} with {hair} hair in a {shirt} shirt, {pose}",
    "a {subject}, {pose}, {scene}",
    "a {subject} {pose} {scene}",
    "a {subject}, {pose}",
)
_WITHOUT_POSE = (
    "a {subject} in a {shirt} shirt, {scene}",
    "a {subject} in a {shirt} shirt {scene}",
    "a {subject} wearing a {shirt} shirt, {scene}",
    "a {subject} in a {shirt} shirt and {bottoms}, {scene}",
    "{scene}, a {subject} in a {shirt} shirt",
    "a {subject} with {hair} hair in a {shirt} shirt {scene}",
    "a {subject} {scene}",
    "a drawing of a {subject} in a {shirt} shirt",
)


def _bottoms(look: Look) -> str:
    article = "a " if look.bottoms == "skirt" else ""
    return f"{article}{look.bottom_colour} {look.bottoms}"


def _hair(look: Look) -> str:
    return f"long {look.hair}" if look.hair_style == "long" else look.hair


def _choose(rng: np.random.Generator, options: tuple[str, ...]) -> str:
    return options[rng.integers(len(options))]


def pose_phrase(pose: str, subject: str, rng: np.random.Generator) -> str:
    """One of the pose's phrases with the subject's pronouns: "waving her left hand"."""
    return _choose(rng, POSES[pose].phrases).format(**PRONOUNS[subject])


def draw_caption(rng: np.random.Generator, look: Look, scene: str, pose: str | None) -> str:
    """A caption of the given attributes; `pose` None (a random posture) yields no pose words."""
    templates = _WITHOUT_POSE if pose is None or rng.random() < 0.08 else _WITH_POSE
    return _choose(rng, templates).format(
        subject=_choose(rng, SUBJECT_WORDS[look.subject]),
        shirt=look.shirt,
        bottoms=_bottoms(look),
        hair=_hair(look),
        scene=_choose(rng, SCENES[scene][0]),
        pose="" if pose is None else pose_phrase(pose, look.subject, rng),
    )
