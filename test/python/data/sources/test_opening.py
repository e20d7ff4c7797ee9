"""The bytes of a listed picture, and what is told when they are no longer what was listed."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from pictures_on_disk import touch

from posetwin.data.sources import opening
from posetwin.data.sources.listed import IndexedPicture
from posetwin.data.sources.opening import read_content
from posetwin.errors import PosetwinError


def picture_of(path: Path, start: int = -1, length: int = -1) -> IndexedPicture:
    status = path.stat()
    return IndexedPicture(
        name=path.name,
        file=path.name,
        start=start,
        length=length,
        size_bytes=status.st_size,
        modified_ns=status.st_mtime_ns,
    )


def code_of(root: Path, picture: IndexedPicture) -> str:
    with pytest.raises(PosetwinError) as caught:
        read_content(root, picture)
    return caught.value.code


def test_a_whole_file_or_a_range_of_it_is_read(tmp_path: Path) -> None:
    touch(tmp_path, "a", content=bytes(range(100)))
    assert read_content(tmp_path, picture_of(tmp_path / "a")) == bytes(range(100))
    assert read_content(tmp_path, picture_of(tmp_path / "a", 10, 5)) == bytes(range(10, 15))
    assert read_content(tmp_path, picture_of(tmp_path / "a", 10, 0)) == b""


@pytest.mark.parametrize(("start", "length"), [(-1, -1), (2, 3)])
def test_a_file_of_another_size_or_time_is_source_changed(tmp_path: Path, start: int, length: int) -> None:
    file = tmp_path / "a"
    touch(tmp_path, "a", content=b"123456")
    picture = picture_of(file, start, length)
    os.utime(file, ns=(0, picture.modified_ns + 1))
    assert code_of(tmp_path, picture) == "source_changed"
    file.write_bytes(b"1234567")
    os.utime(file, ns=(0, picture.modified_ns))
    assert code_of(tmp_path, picture) == "source_changed"


def test_an_archive_that_grows_while_it_is_open_is_source_changed(tmp_path: Path) -> None:
    touch(tmp_path, "a", content=b"123456")
    picture = picture_of(tmp_path / "a", 2, 3)
    assert read_content(tmp_path, picture) == b"345"
    with (tmp_path / "a").open("ab") as file:
        file.write(b"7")
    assert code_of(tmp_path, picture) == "source_changed"


def test_an_archive_replaced_by_another_is_source_changed(tmp_path: Path) -> None:
    touch(tmp_path, "a", content=b"123456")
    picture = picture_of(tmp_path / "a", 2, 3)
    assert read_content(tmp_path, picture) == b"345"
    touch(tmp_path, "b", content=b"abcdefg")
    os.replace(tmp_path / "b", tmp_path / "a")
    assert code_of(tmp_path, picture) == "source_changed"
    assert read_content(tmp_path, picture_of(tmp_path / "a", 2, 3)) == b"cde"


def test_a_file_that_is_not_there_is_missing_file(tmp_path: Path) -> None:
    touch(tmp_path, "a")
    picture = picture_of(tmp_path / "a")
    (tmp_path / "a").unlink()
    assert code_of(tmp_path, picture) == "missing_file"


def test_a_range_beyond_the_file_a_folder_and_a_file_beyond_reason_are_bad_image(tmp_path: Path) -> None:
    touch(tmp_path, "a", content=b"123456")
    assert code_of(tmp_path, picture_of(tmp_path / "a", 4, 3)) == "bad_image"
    (tmp_path / "folder").mkdir()
    assert code_of(tmp_path, picture_of(tmp_path / "folder")) == "bad_image"
    with (tmp_path / "huge").open("wb") as file:
        file.truncate(opening.MAX_BYTES + 1)
    assert code_of(tmp_path, picture_of(tmp_path / "huge")) == "bad_image"
    assert len(read_content(tmp_path, picture_of(tmp_path / "huge", opening.MAX_BYTES - 5, 3))) == 3


def test_few_archives_stay_open_however_many_are_read(tmp_path: Path) -> None:
    names = [f"{k}.tar" for k in range(60)]
    touch(tmp_path, *names)
    before = len(os.listdir("/dev/fd"))
    for name in names * 2:
        assert read_content(tmp_path, picture_of(tmp_path / name, 0, 3)) == b"pic"
    assert len(os.listdir("/dev/fd")) - before <= 16
