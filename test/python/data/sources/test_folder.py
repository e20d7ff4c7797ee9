"""Folders of photos: which files are pictures, in which order, with which captions."""

from __future__ import annotations

import os
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pictures_on_disk import names_of, pictures_and_faults, source_of, touch

from posetwin.data.sources import list_pictures
from posetwin.errors import PosetwinError

parts = st.text(alphabet="ab.é -", min_size=1, max_size=3).filter(lambda part: not part.startswith("."))
paths = st.lists(parts, min_size=1, max_size=3).map(lambda folders: "/".join(folders) + ".jpg")


@given(st.sets(paths, min_size=1, max_size=12), st.randoms())
def test_pictures_come_in_the_order_of_their_paths_whatever_the_order_of_creation(names: set[str], random) -> None:
    with TemporaryDirectory() as folder:
        shuffled = sorted(names)
        random.shuffle(shuffled)
        made = []
        for name in shuffled:
            # One may need as a folder what another has as a file.
            try:
                touch(Path(folder), name)
                made.append(name)
            except OSError:
                continue
        assert names_of(source_of("folder", Path(folder))) == sorted(made)


def test_pictures_of_every_kind_are_listed_and_other_and_hidden_files_are_not(tmp_path: Path) -> None:
    kept = ["a.BMP", "b.jpeg", "c.jpg", "d.Png", "e.tif", "f.tiff", "g.webp"]
    touch(tmp_path, *kept, "._c.jpg", ".cache/x.jpg", "notes.txt", "movie.mp4", "jpg")
    assert names_of(source_of("folder", tmp_path)) == kept


def test_a_caption_is_the_text_file_of_the_same_name(tmp_path: Path) -> None:
    touch(tmp_path, "a.jpg", "b.c.jpg", "d.jpg", "e.jpg")
    touch(tmp_path, "a.txt", content="\ufeffa man\n in  a café \n".encode())
    touch(tmp_path, "b.c.txt", content=b"a woman")
    touch(tmp_path, "e.txt", content=b" \n")
    pictures, _ = pictures_and_faults(source_of("folder", tmp_path))
    assert [picture.caption for picture in pictures] == ["a man in a café", "a woman", "", ""]


def test_a_caption_that_is_no_utf8_or_no_caption_at_all_is_bad_annotations(tmp_path: Path) -> None:
    touch(tmp_path, "a.jpg", "b.jpg", "c.jpg")
    touch(tmp_path, "a.txt", content="café".encode("latin-1"))
    touch(tmp_path, "b.txt", content=b"x" * (1 << 20) + b"x")
    (tmp_path / "c.txt").mkdir()
    _, faults = pictures_and_faults(source_of("folder", tmp_path))
    assert faults == [(name, "bad_annotations") for name in ("a.jpg", "b.jpg", "c.jpg")]


def test_size_and_time_of_each_file_are_kept(tmp_path: Path) -> None:
    touch(tmp_path, "a.jpg", content=b"12345")
    os.utime(tmp_path / "a.jpg", ns=(7, 1_234_567_890_123_456_789))
    pictures, _ = pictures_and_faults(source_of("folder", tmp_path))
    assert (pictures[0].size_bytes, pictures[0].modified_ns) == (5, 1_234_567_890_123_456_789)
    assert (pictures[0].start, pictures[0].length, pictures[0].row) == (-1, -1, -1)


def test_a_name_that_is_no_utf8_is_bad_name_and_can_be_shown(tmp_path: Path) -> None:
    touch(tmp_path, "good.jpg")
    (tmp_path / os.fsdecode(b"caf\xe9.jpg")).write_bytes(b"picture")
    pictures, faults = pictures_and_faults(source_of("folder", tmp_path))
    assert [picture.name for picture in pictures] == ["good.jpg"]
    assert faults == [(r"caf\udce9.jpg", "bad_name")]
    faults[0][0].encode("utf-8")


def test_links_are_followed_but_not_in_circles(tmp_path: Path) -> None:
    touch(tmp_path / "elsewhere", "a.jpg")
    root = tmp_path / "root"
    touch(root, "b/c.jpg")
    (root / "link.jpg").symlink_to(tmp_path / "elsewhere" / "a.jpg")
    (root / "more").symlink_to(tmp_path / "elsewhere")
    (root / "b" / "back").symlink_to(root)
    assert names_of(source_of("folder", root)) == ["b/c.jpg", "link.jpg", "more/a.jpg"]


def test_a_link_to_nothing_or_to_itself_is_missing_file_and_a_pipe_is_bad_image(tmp_path: Path) -> None:
    (tmp_path / "link.jpg").symlink_to(tmp_path / "nothing")
    (tmp_path / "loop.jpg").symlink_to(tmp_path / "loop.jpg")
    os.mkfifo(tmp_path / "pipe.jpg")
    touch(tmp_path, "good.jpg")
    pictures, faults = pictures_and_faults(source_of("folder", tmp_path))
    assert [picture.name for picture in pictures] == ["good.jpg"]
    assert faults == [("link.jpg", "missing_file"), ("loop.jpg", "missing_file"), ("pipe.jpg", "bad_image")]


def test_folders_nested_deeper_than_python_recurses_are_walked(tmp_path: Path) -> None:
    folder, root = "a/" * 1100, tmp_path / "root"
    for depth in range(len(folder) // 2 + 1):
        os.mkdir(f"{root}/{folder[: 2 * depth]}")
    Path(f"{root}/{folder}b.jpg").write_bytes(b"picture")
    assert names_of(source_of("folder", root)) == [f"{folder}b.jpg"]
    # Not everything that tidies up goes as deep.
    os.remove(f"{root}/{folder}b.jpg")
    os.removedirs(f"{root}/{folder}")


def test_a_folder_that_is_not_there_is_missing_file(tmp_path: Path) -> None:
    touch(tmp_path, "a.jpg")
    for path in (tmp_path / "nowhere", tmp_path / "a.jpg"):
        with pytest.raises(PosetwinError) as caught:
            list(list_pictures(source_of("folder", path)))
        assert caught.value.code == "missing_file"
