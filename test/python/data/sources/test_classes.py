"""Folders by class: the class is the folder that holds the picture."""

from __future__ import annotations

from pathlib import Path

from pictures_on_disk import pictures_and_faults, source_of, touch


def test_the_class_is_the_folder_of_the_picture_cleaned_wherever_it_lies(tmp_path: Path) -> None:
    expected = {
        "cover_drive/a.png": "cover drive",
        "loose.jpg": "",
        "pull__shot /b.jpg": "pull shot",
        "test/downdog/0.jpg": "downdog",
        "train/downdog/0.jpg": "downdog",
        "train/stray.jpg": "",
    }
    touch(tmp_path, *expected)
    pictures, faults = pictures_and_faults(source_of("classes", tmp_path))
    assert {picture.name: picture.class_name for picture in pictures} == expected
    assert faults == []
    assert {picture.caption for picture in pictures} == {""}
