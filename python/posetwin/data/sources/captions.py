"""The caption of a picture that brings none."""

from __future__ import annotations

from posetwin.data.sources.listed import Listed

PLACEHOLDER = "{class}"
_NOBODY_IN_PARTICULAR = "a person"


def caption_of(picture: Listed, template: str) -> str:
    """Its own caption, else the template with its class in place of `{class}`.

    Without a class the part between commas that would have named it is left out: "a person, {class}" → "a person".
    """
    if picture.caption:
        return picture.caption
    if picture.class_name:
        return template.replace(PLACEHOLDER, picture.class_name)
    parts = (part for part in template.split(",") if PLACEHOLDER not in part)
    return ",".join(parts).strip() or _NOBODY_IN_PARTICULAR
