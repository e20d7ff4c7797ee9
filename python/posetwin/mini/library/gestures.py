"""Everyday gestures, standing."""

from __future__ import annotations

from posetwin.mini.library.spec import FRONT, OBLIQUE, PROFILE, PoseSpec, arm, arms, both_sides, leg, legs, posture
from posetwin.mini.skeleton import Reach

_ON_HIP = Reach("hip", out=0.035, up=0.025, forward=0.03)
_ON_HEAD = Reach("head", out=0.05, up=0.06)
_PALMS = Reach("neck", out=0.012, up=-0.08, forward=0.13)

GESTURES: dict[str, PoseSpec] = {
    "standing": posture("standing", "standing still", limbs={}, turns=(FRONT, FRONT, OBLIQUE), mirrored=True),
    **both_sides(
        "waving", "waving {her} {side} hand", "waving with {her} {side} hand", limbs=arm("left", (108, 15), (168, 10))
    ),
    "arms_up": posture("with both arms up", "raising both arms", limbs=arms((158, 0), (174, 0)), jitter=10),
    "t_pose": posture("holding {her} arms out", "with {her} arms spread wide", limbs=arms((90, 0))),
    "hands_on_hips": posture(
        "with {her} hands on {her} hips", limbs=arms((50, -25)), reaches={"left": _ON_HIP, "right": _ON_HIP}
    ),
    **both_sides(
        "hand_on_hip", "with {her} {side} hand on {her} hip", limbs=arm("left", (50, -25)), reaches={"left": _ON_HIP}
    ),
    "hands_on_head": posture(
        "with {her} hands on {her} head", limbs=arms((110, 0)), reaches={"left": _ON_HEAD, "right": _ON_HEAD}
    ),
    "arms_crossed": posture(
        "with {her} arms crossed", "crossing {her} arms",
        limbs=arms((35, 0)), mirrored=True,
        reaches={"left": Reach("neck", -0.055, -0.10, 0.10), "right": Reach("neck", -0.055, -0.125, 0.075)},
    ),
    **both_sides(
        "thinking", "thinking, {her} {side} hand at {her} chin",
        limbs=arms((32, 20)), body={"nod": 6},
        reaches={"left": Reach("head", 0.012, -0.068, 0.075), "right": Reach("neck", -0.04, -0.155, 0.09)},
    ),
    **both_sides(
        "saluting", "saluting with {her} {side} hand",
        limbs=arm("left", (88, 5)), reaches={"left": Reach("head", 0.068, 0.03, 0.03)},
    ),
    **both_sides("pointing", "pointing to {her} {side}", limbs=arm("left", (90, 0)), held_out=("left",)),
    **both_sides("reaching_up", "reaching up with {her} {side} hand", limbs=arm("left", (170, 10))),
    **both_sides(
        "holding_out", "holding out {her} {side} hand", limbs=arm("left", (84, 72)), turns=(FRONT, OBLIQUE, (-42, 20))
    ),
    **both_sides(
        "cheering", "cheering with {her} {side} arm up",
        limbs=arm("left", (168, 0), (176, 0)) | arm("right", (50, -25)), reaches={"right": _ON_HIP},
        held_out=("left", "right"),
    ),
    "palms_together": posture(
        "with {her} palms together", "greeting with joined palms",
        limbs=arms((35, -5)), reaches={"left": _PALMS, "right": _PALMS},
    ),
    "shrugging": posture("shrugging", "shrugging {her} shoulders", limbs=arms((20, 0), (82, 20))),
    "flexing": posture("flexing both arms", "showing {her} muscles", limbs=arms((86, 5), (158, 165))),
    "reaching_forward": posture(
        "reaching forward", "with both arms stretched forward",
        limbs=arms((86, 92)), turns=(PROFILE, OBLIQUE), mirrored=True,
    ),
    "bowing": posture(
        "bowing", "taking a bow", limbs=arms((22, 60)), body={"bow": 58}, turns=(PROFILE, OBLIQUE), mirrored=True
    ),
    **both_sides(
        "bending", "bending to {her} {side}",
        limbs=arm("right", (172, 180), (140, 180)) | arm("left", (20, 0)) | legs((14, 0)), body={"lean": 28},
    ),
    "dancing": posture(
        "dancing",
        limbs=arm("left", (150, 0), (155, 180)) | arm("right", (50, -25)) | leg("left", (36, 20), (30, 180)),
        reaches={"right": _ON_HIP}, body={"lean": -6}, jitter=11, mirrored=True,
    ),
}  # fmt: skip
