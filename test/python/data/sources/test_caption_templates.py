"""The caption of a picture that brings none."""

from __future__ import annotations

import pytest

from posetwin.data.sources.captions import caption_of
from posetwin.data.sources.listed import Listed


def caption(template: str, class_name: str = "", own: str = "") -> str:
    return caption_of(Listed(name="a.jpg", file="a.jpg", caption=own, class_name=class_name), template)


def test_its_own_caption_goes_before_any_template() -> None:
    assert caption("a person, {class}", "yoga", "a man in a park") == "a man in a park"


def test_the_class_takes_its_place_in_the_template() -> None:
    assert caption("a person, {class}", "cover drive") == "a person, cover drive"
    assert caption("{class}: a photo of {class}", "yoga") == "yoga: a photo of yoga"
    assert caption("a person", "yoga") == "a person"


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("a person, {class}", "a person"),
        ("a person, {class}, outdoors", "a person, outdoors"),
        ("{class}, a person", "a person"),
        ("a photo of {class}", "a person"),
        ("{class}", "a person"),
        ("a person", "a person"),
        ("", "a person"),
    ],
)
def test_without_a_class_the_part_that_names_it_is_left_out(template: str, expected: str) -> None:
    assert caption(template) == expected
