"""Sports, exercises, and ways to sit and kneel."""

from __future__ import annotations

from posetwin.mini.library.spec import FRONT, OBLIQUE, PROFILE, PoseSpec, arm, arms, both_sides, leg, legs, posture
from posetwin.mini.skeleton import Reach

_ON_KNEE = Reach("knee", up=0.035, forward=-0.01)

MOVEMENTS: dict[str, PoseSpec] = {
    "star_jump": posture(
        "doing a star jump", "jumping like a star", limbs=arms((132, 0)) | legs((36, 0)), jitter=9, airborne=0.05
    ),
    "jumping": posture(
        "jumping", "jumping in the air",
        limbs=arms((150, 15), (165, 15)) | legs((48, 55), (40, -100)), jitter=12, airborne=0.08, mirrored=True,
    ),
    **both_sides(
        "lunging", "lunging to {her} {side}",
        limbs=leg("left", (70, 15), (6, 180)) | leg("right", (44, -5)) | arms((28, 20), (30, 60)), body={"lean": 5},
    ),
    **both_sides(
        "kicking", "kicking with {her} {side} leg",
        limbs=leg("left", (76, 30), (80, 30)) | arms((52, 0), (60, 0)), body={"lean": -10}, jitter=10,
    ),
    "squatting": posture(
        "squatting", "squatting down",
        limbs=legs((88, 46), (18, -105)) | arms((82, 78)), body={"bow": 30},
        turns=(FRONT, OBLIQUE, PROFILE), jitter=11, mirrored=True,
    ),
    "squatting_hands_joined": posture(
        "doing a squat with joined hands",
        limbs=legs((78, 35), (14, -105)) | arms((30, 10)), body={"bow": 20}, turns=(FRONT, OBLIQUE), mirrored=True,
        reaches={"left": Reach("neck", 0.015, -0.05, 0.12), "right": Reach("neck", 0.015, -0.05, 0.12)},
    ),
    "walking": posture(
        "walking", "going for a walk",
        limbs=leg("left", (24, 90), (10, 90)) | leg("right", (16, -90), (38, -90))
        | arm("left", (22, -80), (12, 60)) | arm("right", (22, 90), (46, 90)),
        turns=(PROFILE, OBLIQUE), mirrored=True,
    ),
    "running": posture(
        "running", "running fast",
        limbs=leg("left", (62, 90), (22, -90)) | leg("right", (26, -90), (82, -90))
        | arm("left", (52, -80), (30, 80)) | arm("right", (40, 90), (112, 95)),
        body={"bow": 12}, turns=(PROFILE, OBLIQUE), jitter=10, airborne=0.02, mirrored=True,
    ),
    "sitting_cross_legged": posture(
        "sitting cross-legged", "sitting on the ground with crossed legs",
        limbs=legs((80, 28), (78, 158)) | arms((28, 10)), reaches={"left": _ON_KNEE, "right": _ON_KNEE},
        turns=(FRONT,), mirrored=True,
    ),
    "sitting": posture(
        "sitting on the ground", "sitting down",
        limbs=legs((88, 80), (84, 88)) | arms((26, -75), (14, -60)), body={"bow": -12},
        turns=(PROFILE, OBLIQUE), mirrored=True,
    ),
    "kneeling": posture(
        "kneeling", "kneeling down",
        limbs=legs((8, 30), (86, -92)) | arms((14, 30), (34, 100)), turns=(PROFILE, OBLIQUE), mirrored=True,
    ),
    **both_sides(
        "kneeling", "kneeling on {her} {side} knee",
        limbs=leg("left", (10, -60), (86, -90)) | leg("right", (86, 75), (4, 90)) | arms((20, 30), (45, 100)),
        turns=(OBLIQUE, (-50, 22)),
    ),
    "plank": posture(
        "doing a push-up", "in a plank",
        limbs=legs((66, -92)) | arms((6, 40), (4, 90)), body={"bow": 66, "nod": -10},
        turns=(PROFILE, PROFILE, OBLIQUE, FRONT), jitter=6, mirrored=True,
    ),
    "push_up": posture(
        "lowering {her} chest to the ground", "low in a push-up",
        limbs=legs((82, -92)) | arms((78, -55), (8, 60)), body={"bow": 84, "nod": -6},
        turns=(PROFILE, PROFILE, OBLIQUE), jitter=9, mirrored=True,
    ),
    "crawling": posture(
        "crawling", "on all fours",
        limbs=legs((10, 80), (86, -90)) | arms((8, 60), (8, 90)), body={"bow": 82, "nod": -25},
        turns=(PROFILE, OBLIQUE), mirrored=True,
    ),
    "lying": posture(
        "lying on {her} back", "lying down",
        limbs=legs((87, 90)) | arms((84, 72)), body={"bow": -86}, turns=(PROFILE,), jitter=6, mirrored=True,
    ),
    **both_sides(
        "balancing", "balancing on {her} {side} leg",
        limbs=leg("left", (3, 0)) | leg("right", (72, 72), (12, -95)) | arms((88, 0)), turns=(FRONT, OBLIQUE),
    ),
    **both_sides(
        "throwing", "throwing with {her} {side} hand",
        limbs=arm("left", (112, -25), (165, 60)) | arm("right", (74, 60)) | leg("right", (32, 60), (8, 60))
        | leg("left", (22, -70), (30, -80)),
        body={"lean": 8}, turns=(FRONT, (-45, 18)),
    ),
    "touching_toes": posture(
        "touching {her} toes", "bending down to {her} toes",
        limbs=arms((10, 80)), body={"bow": 118}, turns=(PROFILE, OBLIQUE), mirrored=True,
    ),
}  # fmt: skip
