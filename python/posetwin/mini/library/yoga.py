"""Yoga postures."""

from __future__ import annotations

from posetwin.mini.library.spec import FRONT, OBLIQUE, PROFILE, PoseSpec, arm, arms, leg, legs, posture
from posetwin.mini.skeleton import Reach

_OVER_HEAD = Reach("head", out=0.012, up=0.185)

YOGA: dict[str, PoseSpec] = {
    "mountain": posture(
        "in the mountain pose", limbs=arms((120, 0)), reaches={"left": _OVER_HEAD, "right": _OVER_HEAD}, jitter=5
    ),
    "downward_dog": posture(
        "in the downward dog pose", "doing the downward dog",
        limbs=legs((22, -92)) | arms((44, 92)), body={"bow": 136, "nod": 20}, turns=(PROFILE,), mirrored=True,
    ),
    "triangle": posture(
        "in the triangle pose", "doing the triangle pose",
        limbs=legs((38, 5)) | arm("left", (6, 0)) | arm("right", (175, 0)), body={"lean": 74}, mirrored=True,
    ),
    "side_angle": posture(
        "in the side angle pose",
        limbs=leg("left", (76, 10), (4, 0)) | leg("right", (54, 0)) | arm("left", (34, 40), (60, 60))
        | arm("right", (132, 180)),
        body={"lean": 48}, mirrored=True,
    ),
    "chair": posture(
        "in the chair pose", limbs=legs((60, 88), (14, -95)) | arms((150, 88)), body={"bow": 32},
        turns=(PROFILE, OBLIQUE), mirrored=True,
    ),
    "airplane": posture(
        "in the airplane pose",
        limbs=leg("left", (3, 0)) | leg("right", (88, -92)) | arms((92, 84)), body={"bow": 82, "nod": -30},
        turns=(PROFILE,), mirrored=True,
    ),
    "dancer": posture(
        "in the dancer pose",
        limbs=leg("left", (3, 0)) | leg("right", (82, -90), (164, -100)) | arm("left", (108, 88))
        | arm("right", (100, -98)),
        body={"bow": 30, "nod": -20}, jitter=11, turns=(PROFILE, (58, 16)), mirrored=True,
    ),
    "crescent": posture(
        "in a crescent lunge", "in a deep lunge",
        limbs=leg("left", (80, 86), (5, -90)) | leg("right", (58, -92)) | arms((168, 60)), turns=(PROFILE, OBLIQUE),
        mirrored=True,
    ),
    "butterfly": posture(
        "in the butterfly pose", "sitting in the butterfly pose",
        limbs=legs((82, 22), (80, 162)) | arms((20, 30)), body={"bow": 8}, mirrored=True,
        reaches={"left": Reach("hip", -0.035, -0.01, 0.15), "right": Reach("hip", -0.035, -0.01, 0.15)},
    ),
    "cobra": posture(
        "in the cobra pose",
        limbs=legs((87, -92)) | arms((36, 60), (30, 95)), body={"bow": 42, "nod": -40}, turns=(PROFILE,), jitter=6,
        mirrored=True,
    ),
    "child": posture(
        "in the child's pose", "resting in the child's pose",
        limbs=legs((62, 84), (86, -92)) | arms((80, 88)), body={"bow": 104, "nod": 10}, turns=(PROFILE,), jitter=6,
        mirrored=True,
    ),
    "boat": posture(
        "in the boat pose", limbs=legs((122, 90)) | arms((96, 88)), body={"bow": -36}, turns=(PROFILE,), jitter=6,
        mirrored=True,
    ),
    "warrior": posture(
        "in the warrior pose",
        limbs=arms((90, 0)) | leg("left", (70, 10), (4, 0)) | leg("right", (50, 0)), body={"look": 30}, jitter=6,
        held_out=True, mirrored=True,
    ),
    "tree": posture(
        "in the tree pose",
        limbs=arms((120, 0)) | leg("left", (64, 12), (58, 180)) | leg("right", (3, 0)), jitter=6, held_out=True,
        reaches={"left": _OVER_HEAD, "right": _OVER_HEAD}, mirrored=True,
    ),
    "goddess": posture(
        "in the goddess pose",
        limbs=arms((88, 0), (172, 0)) | legs((72, 8), (4, 180)), turns=(FRONT,), held_out=True, mirrored=True,
    ),
    "half_moon": posture(
        "in the half moon pose",
        limbs=leg("left", (3, 0)) | leg("right", (100, 0)) | arm("left", (4, 0)) | arm("right", (177, 0)),
        body={"lean": 84}, held_out=True, mirrored=True,
    ),
}  # fmt: skip
