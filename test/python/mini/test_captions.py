"""No text of an evaluation is one that training has seen."""

from __future__ import annotations

import pytest

from posetwin.mini.captions import _WITH_POSE, _WITHOUT_POSE, PRONOUNS, UNSEEN_TEMPLATE, unseen_prompt
from posetwin.mini.poses import POSES, pose_names
from posetwin.mini.world import EVALUATION_SEED, sample_world

TRAINING = [sample_world(seed) for seed in range(1500)]


@pytest.mark.parametrize("pose", pose_names("held_out"))
def test_a_held_out_picture_is_always_told_in_words_of_its_own(pose: str) -> None:
    own = {phrase.format(**pronouns) for phrase in POSES[pose].phrases for pronouns in PRONOUNS.values()}
    for seed in range(EVALUATION_SEED, EVALUATION_SEED + 40):
        caption = sample_world(seed, pose=pose, split="held_out").caption
        assert any(phrase in caption for phrase in own)


def test_the_models_are_evaluated_on_texts_that_are_no_captions() -> None:
    assert UNSEEN_TEMPLATE not in (*_WITH_POSE, *_WITHOUT_POSE)
    captions = {drawn.caption for drawn in TRAINING}
    for seed in range(EVALUATION_SEED, EVALUATION_SEED + 300):
        drawn = sample_world(seed)
        assert unseen_prompt(drawn.attributes, with_pose=False) not in captions
        if drawn.attributes["pose"] in POSES:
            assert unseen_prompt(drawn.attributes, with_pose=True) not in captions
