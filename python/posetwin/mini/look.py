"""Everything about the figure that is not its pose: skin, hair, clothes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from posetwin.mini.canvas import Colour

Subject = Literal["girl", "boy"]
Sleeves = Literal["short", "long"]
Bottoms = Literal["trousers", "shorts", "skirt"]
HairStyle = Literal["short", "long", "ponytail", "bun"]

SHIRTS: dict[str, Colour] = {
    "red": (212, 38, 44), "blue": (40, 84, 220), "green": (28, 146, 66), "yellow": (244, 208, 48),
    "white": (246, 246, 246), "black": (38, 38, 44), "orange": (240, 126, 28), "purple": (132, 62, 184),
}  # fmt: skip
BOTTOM_COLOURS: dict[str, Colour] = {
    "blue": (58, 76, 150), "brown": (120, 82, 52), "grey": (118, 122, 130), "beige": (206, 184, 140),
}  # fmt: skip
SKINS: tuple[Colour, ...] = ((244, 206, 178), (226, 172, 132), (178, 122, 84), (126, 84, 58))
HAIRS: dict[str, Colour] = {"brown": (82, 50, 28), "black": (30, 27, 30), "blond": (222, 180, 92), "red": (170, 76, 36)}
LEFT_MARK: Colour = (228, 40, 168)
SHOE: Colour = (44, 42, 48)


@dataclass(frozen=True)
class Look:
    """A figure's looks. Its left hand and left foot always wear magenta: at 64 pixels that tells left from right."""

    subject: Subject
    shirt: str
    sleeves: Sleeves
    bottoms: Bottoms
    bottom_colour: str
    skin: Colour
    hair: str
    hair_style: HairStyle

    def attributes(self) -> dict[str, str]:
        bottoms = f"{self.bottom_colour} {self.bottoms}"
        return {"subject": self.subject, "shirt": self.shirt, "bottoms": bottoms, "hair": self.hair}


def _choose(rng: np.random.Generator, options: tuple[str, ...] | list[str]) -> str:
    return options[rng.integers(len(options))]


def draw_look(rng: np.random.Generator) -> Look:
    girl = rng.random() < 0.6
    bottoms = ("trousers", "trousers", "shorts", "skirt") if girl else ("trousers", "trousers", "shorts")
    styles = ("long", "long", "ponytail", "bun") if girl else ("short",)
    return Look(
        subject="girl" if girl else "boy",
        shirt=_choose(rng, list(SHIRTS)),
        sleeves=_choose(rng, ("short", "long")),  # pyright: ignore[reportArgumentType]
        bottoms=_choose(rng, bottoms),  # pyright: ignore[reportArgumentType]
        bottom_colour=_choose(rng, list(BOTTOM_COLOURS)),
        skin=SKINS[rng.integers(len(SKINS))],
        hair=_choose(rng, list(HAIRS)),
        hair_style=_choose(rng, styles),  # pyright: ignore[reportArgumentType]
    )
