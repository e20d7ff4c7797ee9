"""Captions of the mini world: English sentences that name all, some or few of a picture's attributes."""

from __future__ import annotations

from collections.abc import Mapping

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

# Of the models' evaluation: known words in an order that no caption has.
UNSEEN_TEMPLATE = "{scene}, a {subject} wearing a {shirt} shirt"


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


def unseen_prompt(attributes: Mapping[str, str], *, with_pose: bool) -> str:
    """A text that names subject, shirt, scene and perhaps the posture, and that is no caption of training."""
    subject, pose = attributes["subject"], attributes["pose"]
    text = UNSEEN_TEMPLATE.format(subject=subject, shirt=attributes["shirt"], scene=SCENES[attributes["scene"]][0][0])
    return f"{text} and {POSES[pose].phrases[0].format(**PRONOUNS[subject])}" if with_pose else text


def named_attributes(caption: str, attributes: Mapping[str, str]) -> dict[str, str]:
    """Of a picture's shirt and scene those that its caption names."""
    shirt, scene = attributes.get("shirt"), attributes.get("scene")
    named = {} if shirt is None or f"{shirt} shirt" not in caption else {"shirt": shirt}
    if scene in SCENES and any(phrase in caption for phrase in SCENES[scene][0]):
        named["scene"] = scene
    return named


def draw_caption(rng: np.random.Generator, look: Look, scene: str, pose: str | None) -> str:
    """A caption of the given attributes; `pose` None (a random posture) yields no pose words.

    Held-out postures are always named, so that no caption of theirs is one that training has seen.
    """
    silent = pose is None or (rng.random() < 0.08 and POSES[pose].split == "train")
    templates = _WITHOUT_POSE if silent else _WITH_POSE
    return _choose(rng, templates).format(
        subject=_choose(rng, SUBJECT_WORDS[look.subject]),
        shirt=look.shirt,
        bottoms=_bottoms(look),
        hair=_hair(look),
        scene=_choose(rng, SCENES[scene][0]),
        pose="" if pose is None else pose_phrase(pose, look.subject, rng),
    )
