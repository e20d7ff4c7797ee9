"""Cricket: a right-hander stands with the left shoulder to the bowler; the mirror is a left-hander."""

from __future__ import annotations

from posetwin.mini.library.spec import FRONT, OBLIQUE, PROFILE, Limbs, PoseSpec, arm, arms, leg, legs, posture
from posetwin.mini.skeleton import Direction, Reach

_SIDE_ON = (FRONT, OBLIQUE, (-38.0, 20.0), (72.0, 16.0))


def _bat(direction: Direction) -> Limbs:
    """The bat in the right (lower) hand, and elbows that bend outward."""
    return {"right_bat": direction} | arms((42, 20))


def _grip(landmark: str, out: float, up: float, forward: float) -> dict[str, Reach]:
    return {"right": Reach(landmark, out, up, forward), "left": Reach("grip", 0.022, 0.03, 0.012)}


def _shot(*phrases: str, limbs: Limbs, grip: dict[str, Reach], held_out: bool = False, **body: float) -> PoseSpec:
    return posture(
        *phrases, limbs=limbs, reaches=grip, body=body, turns=_SIDE_ON, mirrored=True, held_out=held_out
    )  # fmt: skip


CRICKET: dict[str, PoseSpec] = {
    "cricket_stance": _shot(
        "waiting with a bat", "in a batting stance",
        limbs=_bat((24, 0)) | legs((22, 40), (14, -100)), grip=_grip("hip", 0.01, -0.01, 0.11), bow=22, look=35,
    ),
    "cricket_defence": _shot(
        "blocking the ball with a bat",
        limbs=_bat((10, 150)) | leg("left", (38, 30), (14, 0)) | leg("right", (22, -10)),
        grip=_grip("hip", -0.09, 0.02, 0.13), bow=22, lean=10, look=30,
    ),
    "cricket_straight": _shot(
        "playing a straight shot",
        limbs=_bat((160, 150)) | leg("left", (36, 25), (10, 0)) | leg("right", (28, -10)),
        grip=_grip("neck", -0.05, 0.02, 0.16), lean=6, look=30,
    ),
    "cricket_pull": _shot(
        "playing a pull shot",
        limbs=_bat((92, 160)) | legs((26, 0), (16, 0)), grip=_grip("neck", -0.11, -0.06, 0.14), twist=18, look=20,
    ),
    "cricket_hook": _shot(
        "playing a hook shot",
        limbs=_bat((128, 165)) | leg("left", (46, 50), (10, -90)) | leg("right", (14, 0)),
        grip=_grip("neck", -0.13, 0.07, 0.12), twist=18, lean=-8,
    ),
    "cricket_square_cut": _shot(
        "playing a square cut",
        limbs=_bat((82, 25)) | leg("right", (34, 20), (12, 0)) | leg("left", (20, 0)),
        grip=_grip("neck", 0.07, -0.10, 0.16), lean=-10, bow=14, look=-20,
    ),
    "cricket_late_cut": _shot(
        "playing a late cut",
        limbs=_bat((52, 0)) | legs((28, 30), (14, -90)), grip=_grip("hip", 0.07, 0.06, 0.10), bow=34, look=-25,
    ),
    "cricket_sweep": _shot(
        "playing a sweep shot", "sweeping the ball on one knee",
        limbs=_bat((80, 165)) | leg("right", (22, -10), (82, -70)) | leg("left", (84, 32), (12, 0)),
        grip=_grip("hip", -0.12, 0.08, 0.14), bow=28, lean=10,
    ),
    "cricket_flick": _shot(
        "flicking the ball",
        limbs=_bat((62, 170)) | leg("left", (28, 40), (10, 0)) | leg("right", (14, 0)),
        grip=_grip("hip", -0.12, 0.08, 0.10), bow=12, twist=14,
    ),
    "cricket_lofted": _shot(
        "hitting the ball high", "swinging a bat over {her} shoulder",
        limbs=_bat((130, 170)) | legs((28, 0), (18, 0)), grip=_grip("head", -0.10, 0.06, 0.06), lean=-12, twist=10,
    ),
    "cricket_drive": _shot(
        "playing a cover drive",
        limbs=_bat((66, 150)) | leg("left", (50, 25), (8, 0)) | leg("right", (36, -10)),
        grip=_grip("neck", -0.10, -0.12, 0.16), lean=14, bow=12, look=25, held_out=True,
    ),
    "bowling": posture(
        "bowling a ball", "bowling",
        limbs=arm("right", (170, 40)) | arm("left", (46, -70), (30, -40)) | leg("left", (34, 90), (14, 90))
        | leg("right", (20, -90), (52, -90)),
        body={"bow": 10}, turns=(PROFILE, OBLIQUE), mirrored=True, airborne=0.02,
    ),
    "catching": posture(
        "catching a ball", "ready to catch a ball",
        limbs=arms((42, 20)) | legs((26, 40), (14, -100)), body={"bow": 12}, turns=(FRONT, OBLIQUE), mirrored=True,
        reaches={"left": Reach("neck", 0.03, 0.0, 0.19), "right": Reach("neck", 0.03, 0.0, 0.19)},
    ),
    "wicket_keeping": posture(
        "crouching behind the wicket",
        limbs=legs((82, 45), (18, -105)) | arms((30, 30)), body={"bow": 30, "nod": -14}, mirrored=True,
        reaches={"left": Reach("hip", 0.0, 0.02, 0.2), "right": Reach("hip", 0.0, 0.02, 0.2)},
    ),
}  # fmt: skip
