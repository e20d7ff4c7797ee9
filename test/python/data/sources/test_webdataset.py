"""Shards that webdataset wrote, hostile and damaged ones, and what is told of each."""

from __future__ import annotations

import gzip
import io
import json
import tarfile
from pathlib import Path
from random import Random
from typing import Any

import pytest
from pictures_on_disk import pictures_and_faults, png, some_keypoints, source_of, touch

from posetwin.data.sources import list_pictures
from posetwin.data.sources.opening import read_content
from posetwin.errors import PosetwinError


def member(name: str, content: bytes = b"picture", **fields: Any) -> tuple[tarfile.TarInfo, bytes]:
    info = tarfile.TarInfo(name)
    info.size = len(content)
    for field, value in fields.items():
        setattr(info, field, value)
    return info, content


def write_tar(path: Path, *members: tuple[tarfile.TarInfo, bytes], form: int = tarfile.PAX_FORMAT) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w", format=form) as tar:
        for info, content in members:
            tar.addfile(info, io.BytesIO(content))


def faults_of(path: Path) -> list[tuple[str, str]]:
    return pictures_and_faults(source_of("webdataset", path))[1]


def test_shards_of_webdataset_give_the_bytes_captions_and_keypoints_that_were_written(tmp_path: Path) -> None:
    webdataset = pytest.importorskip("webdataset")
    samples = [
        {
            "__key__": f"sub.{k % 2}/{k:04d}",
            "jpg": png(k),
            "txt": f"person {k}",
            "json": {"keypoints": some_keypoints(k)},
        }
        for k in range(10)
    ]
    with webdataset.ShardWriter(str(tmp_path / "s-%03d.tar"), maxcount=4, verbose=0) as writer:
        for sample in samples:
            writer.write(sample)
    pictures, faults = pictures_and_faults(source_of("webdataset", tmp_path))
    assert faults == []
    assert [read_content(tmp_path, picture) for picture in pictures] == [sample["jpg"] for sample in samples]
    assert [picture.caption for picture in pictures] == [sample["txt"] for sample in samples]
    assert [picture.file for picture in pictures] == ["s-000.tar"] * 4 + ["s-001.tar"] * 4 + ["s-002.tar"] * 2
    assert pictures[5].name == "s-001.tar/sub.1/0005.jpg"
    for k, picture in enumerate(pictures):
        assert picture.keypoints is not None
        assert picture.keypoints.tolist() == some_keypoints(k)


def test_one_shard_may_be_the_source_itself(tmp_path: Path) -> None:
    write_tar(tmp_path / "only.tar", member("a.png", png(7)))
    pictures, _ = pictures_and_faults(source_of("webdataset", tmp_path / "only.tar"))
    assert [(picture.name, picture.file) for picture in pictures] == [("only.tar/a.png", "")]
    assert read_content(tmp_path / "only.tar", pictures[0]) == png(7)


@pytest.mark.parametrize("form", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_long_names_and_names_of_any_language_are_read_in_every_format(tmp_path: Path, form: int) -> None:
    names = ["a/" * 20 + "x" * 90 + ".jpg", "ü/人.jpg"]
    write_tar(tmp_path / "a.tar", *(member(name, name.encode()) for name in names), form=form)
    pictures, _ = pictures_and_faults(source_of("webdataset", tmp_path))
    assert [picture.name for picture in pictures] == [f"a.tar/{name}" for name in names]
    assert [read_content(tmp_path, picture) for picture in pictures] == [name.encode() for name in names]


def test_a_key_ends_at_the_first_dot_after_the_last_slash(tmp_path: Path) -> None:
    members = [
        member("v1.0/0.control.png", b"map"),
        member("v1.0/0.PNG", b"photo"),
        member("v1.0/0.txt", b"a man"),
        member("v1.0/1.png", b"other"),
    ]
    write_tar(tmp_path / "a.tar", *members)
    pictures, faults = pictures_and_faults(source_of("webdataset", tmp_path))
    assert faults == []
    assert [(p.name, p.caption) for p in pictures] == [("a.tar/v1.0/0.PNG", "a man"), ("a.tar/v1.0/1.png", "")]


def test_a_json_may_tell_the_caption_and_the_class_and_a_txt_goes_before_it(tmp_path: Path) -> None:
    told = json.dumps({"caption": "a man", "class": "cover_drive", "width": 3}).encode()
    other = json.dumps({"text": "a boy", "class": 3}).encode()
    write_tar(
        tmp_path / "a.tar",
        *(member("0.json", told), member("0.jpg")),
        *(member("1.jpg"), member("1.json", told), member("1.txt", b"a woman")),
        *(member("2.json", other), member("2.jpg")),
    )
    pictures, _ = pictures_and_faults(source_of("webdataset", tmp_path))
    assert [picture.caption for picture in pictures] == ["a man", "a woman", "a boy"]
    assert [picture.class_name for picture in pictures] == ["cover drive", "cover drive", "3"]


def test_what_leads_out_of_the_archive_is_unsafe_path(tmp_path: Path) -> None:
    names = ["/etc/0.jpg", "../1.jpg", "a/../../2.jpg", "a\\..\\3.jpg"]
    kinds = {
        "4.jpg": tarfile.SYMTYPE,
        "5.jpg": tarfile.LNKTYPE,
        "6.jpg": tarfile.CHRTYPE,
        "7.jpg": tarfile.BLKTYPE,
        "8.jpg": tarfile.FIFOTYPE,
    }
    odd = [member(name, b"", type=kind, linkname="/etc/passwd") for name, kind in kinds.items()]
    write_tar(
        tmp_path / "a.tar", *map(member, names), *odd, member("folder", b"", type=tarfile.DIRTYPE), member("9.jpg")
    )
    pictures, faults = pictures_and_faults(source_of("webdataset", tmp_path))
    assert [picture.name for picture in pictures] == ["a.tar/9.jpg"]
    assert faults == [(f"a.tar/{name}", "unsafe_path") for name in (*names, *kinds)]


def test_a_name_that_is_no_utf8_is_bad_name(tmp_path: Path) -> None:
    write_tar(tmp_path / "a.tar", member("caf\udce9.jpg"), form=tarfile.GNU_FORMAT)
    assert faults_of(tmp_path) == [("a.tar/caf\\udce9.jpg", "bad_name")]


def test_a_second_picture_of_a_key_a_repeated_name_and_a_key_without_picture_are_faults(tmp_path: Path) -> None:
    names = ["0.jpg", "0.png", "1.jpg", "2.txt", "1.jpg", "3.npz"]
    write_tar(tmp_path / "a.tar", *map(member, names))
    pictures, faults = pictures_and_faults(source_of("webdataset", tmp_path))
    assert [picture.name for picture in pictures] == ["a.tar/0.jpg", "a.tar/1.jpg"]
    assert faults == [
        ("a.tar/0.png", "duplicate"),
        ("a.tar/2.txt", "bad_annotations"),
        ("a.tar/1.jpg", "duplicate"),
        ("a.tar/3.npz", "bad_annotations"),
    ]


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("0.json", b"{", "bad_annotations"),
        ("0.json", b"[1]", "bad_annotations"),
        ("0.json", b'{"caption": 3}', "bad_annotations"),
        ("0.json", b'{"keypoints": [[NaN, 0, 2]]}', "bad_keypoints"),
        ("0.txt", b"\xff", "bad_annotations"),
        ("0.txt", bytes(2 << 20), "bad_annotations"),
    ],
)
def test_what_lies_beside_a_picture_may_make_it_a_fault(tmp_path: Path, name: str, content: bytes, code: str) -> None:
    write_tar(tmp_path / "a.tar", member("0.jpg"), member(name, content))
    assert faults_of(tmp_path) == [("a.tar/0.jpg", code)]


def test_keypoints_are_left_to_the_detector_where_that_is_wanted(tmp_path: Path) -> None:
    write_tar(tmp_path / "a.tar", member("0.jpg"), member("0.json", b'{"keypoints": [1]}'))
    pictures, faults = pictures_and_faults(source_of("webdataset", tmp_path, keypoints="detector"))
    assert ([picture.keypoints for picture in pictures], faults) == ([None], [])


def test_a_shard_cut_anywhere_keeps_the_pictures_before_and_is_one_corrupt_file(tmp_path: Path) -> None:
    write_tar(tmp_path / "b.tar", *(member(f"{k}.jpg", bytes([k + 1]) * 700) for k in range(4)))
    write_tar(tmp_path / "c.tar", member("0.jpg"))
    whole = (tmp_path / "b.tar").read_bytes()
    # A picture takes a header of 512 bytes and 1024 of content; the end mark follows.
    for size in range(0, 4 * 1536 + 512, 64):
        (tmp_path / "b.tar").write_bytes(whole[:size])
        pictures, faults = pictures_and_faults(source_of("webdataset", tmp_path))
        contents = [read_content(tmp_path, picture) for picture in pictures]
        assert contents == [*(bytes([k + 1]) * 700 for k in range(len(contents) - 1)), b"picture"]
        assert len(contents) - 1 == (size + 1536 - 512 - 700) // 1536
        assert [code for _, code in faults] == ["corrupt_file"]


def test_damage_in_the_middle_of_a_shard_is_one_corrupt_file(tmp_path: Path) -> None:
    write_tar(tmp_path / "a.tar", *(member(f"{k}.jpg") for k in range(5)))
    whole = (tmp_path / "a.tar").read_bytes()
    (tmp_path / "a.tar").write_bytes(whole[:2048] + b"\xaa" * 512 + whole[2560:])
    pictures, faults = pictures_and_faults(source_of("webdataset", tmp_path))
    assert [picture.name for picture in pictures] == ["a.tar/0.jpg", "a.tar/1.jpg"]
    assert faults == [("a.tar", "corrupt_file")]


def test_what_is_no_tar_at_all_is_corrupt_file(tmp_path: Path) -> None:
    touch(tmp_path, "a.tar", content=b"no tar " * 200)
    touch(tmp_path, "b.tar", content=b"")
    assert faults_of(tmp_path) == [("a.tar", "corrupt_file"), ("b.tar", "corrupt_file")]


def test_a_chain_of_headers_deeper_than_python_recurses_is_corrupt_file(tmp_path: Path) -> None:
    header = tarfile.TarInfo("x")
    header.type = tarfile.XHDTYPE
    (tmp_path / "a.tar").write_bytes(header.tobuf() * 5000)
    assert faults_of(tmp_path) == [("a.tar", "corrupt_file")]


@pytest.mark.parametrize("name", ["a.tar", "a.tar.gz", "a.tgz"])
def test_a_compressed_shard_is_refused_with_the_remedy(tmp_path: Path, name: str) -> None:
    write_tar(tmp_path / "plain", member("0.jpg"))
    (tmp_path / name).write_bytes(gzip.compress((tmp_path / "plain").read_bytes()))
    for path in (tmp_path, tmp_path / name):
        with pytest.raises(PosetwinError) as caught:
            list(list_pictures(source_of("webdataset", path)))
        assert caught.value.code == "unknown_value"
        assert "gunzip" in str(caught.value.hint)


def test_a_folder_without_shards_is_missing_file(tmp_path: Path) -> None:
    touch(tmp_path, "a.jpg")
    with pytest.raises(PosetwinError) as caught:
        list(list_pictures(source_of("webdataset", tmp_path)))
    assert caught.value.code == "missing_file"


def test_damage_at_any_byte_of_a_shard_leaves_out_pictures_and_never_ends_the_listing(tmp_path: Path) -> None:
    write_tar(tmp_path / "a.tar", *(member("é" * 60 + f"{k}.jpg") for k in range(4)))
    whole, random, counts = (tmp_path / "a.tar").read_bytes(), Random(0), set()
    for _ in range(500):
        damaged = bytearray(whole)
        damaged[random.randrange(len(whole) - 8192)] = random.choice([0, 255, random.randrange(256)])
        (tmp_path / "a.tar").write_bytes(damaged)
        counts.add(len(pictures_and_faults(source_of("webdataset", tmp_path))[0]))
    assert max(counts) == 4 > min(counts)
