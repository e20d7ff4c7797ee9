"""WebDataset shards: a picture, its .txt and its .json lie beside each other under one key."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from posetwin.contracts import WebdatasetSource
from posetwin.data.sources.joints import annotated, openpose18
from posetwin.data.sources.listed import Fault, Listed, attempt
from posetwin.data.sources.tar_members import Member, refuse_compressed, scan_members
from posetwin.data.sources.texts import MAX_TEXT_BYTES, clean_class, clean_text, decode_text, parse_record
from posetwin.data.sources.walking import walk_files
from posetwin.errors import PosetwinError

# Compressed ones too, so that they are refused rather than passed over.
_SHARD = re.compile(r"\.(tar|tgz|tbz2?|txz|tar\.\w+)$", re.IGNORECASE)
_PICTURES = frozenset({"jpg", "jpeg", "png", "webp"})


class _Shard:
    """file: relative to the source's path, empty where that is the shard itself. name: begins its pictures' names."""

    def __init__(self, root: Path, file: str) -> None:
        self.file, self.path = file, root / file
        self.name = file or root.name


def split_key(name: str) -> tuple[str, str]:
    """Key and ending: a name is cut at the first dot after its last slash."""
    dot = name.find(".", name.rfind("/") + 1)
    return (name, "") if dot < 0 else (name[:dot], name[dot + 1 :].lower())


def _groups(members: Iterator[Member | Fault]) -> Iterator[list[Member] | Fault]:
    """Members of one key that lie beside each other."""
    group: list[Member] = []
    key = ""
    for member in members:
        if isinstance(member, Fault):
            yield member
            continue
        before, key = key, split_key(member.name)[0]
        if group and before != key:
            yield group
            group = []
        group.append(member)
    if group:
        yield group


def _read(file: BinaryIO, member: Member | None) -> bytes | None:
    return None if member is None else os.pread(file.fileno(), min(member.length, MAX_TEXT_BYTES + 1), member.start)


def _by_ending(group: list[Member]) -> dict[str, Member]:
    return {split_key(member.name)[1]: member for member in reversed(group)}


def _told(file: BinaryIO, members: dict[str, Member]) -> tuple[str, dict[str, Any]]:
    """Caption and the record of the .json."""
    record, text = _read(file, members.get("json")), _read(file, members.get("txt"))
    told = {} if record is None else parse_record(record)
    return clean_text(told.get("caption") or told.get("text") if text is None else decode_text(text)), told


def _picture(source: WebdatasetSource, file: BinaryIO, shard: _Shard, group: list[Member], image: Member) -> Listed:
    caption, told = _told(file, _by_ending(group))
    return Listed(
        name=f"{shard.name}/{image.name}",
        file=shard.file,
        start=image.start,
        length=image.length,
        caption=caption,
        class_name=clean_class(told.get("class")),
        keypoints=annotated(source.keypoints, openpose18, told.get("keypoints")),
    )


def _pictures(source: WebdatasetSource, file: BinaryIO, shard: _Shard, group: list[Member]) -> Iterator[Listed | Fault]:
    images = [member for member in group if split_key(member.name)[1] in _PICTURES]
    if not images:
        reason = "no .jpg, .png or .webp of its key lies beside it"
        yield Fault(f"{shard.name}/{group[0].name}", "bad_annotations", reason)
        return
    name = f"{shard.name}/{images[0].name}"
    yield attempt(name, _picture, source, file, shard, group, images[0])
    for other in images[1:]:
        yield Fault(f"{shard.name}/{other.name}", "duplicate", f"its key has another picture, {images[0].name}")


def _list_shard(source: WebdatasetSource, shard: _Shard) -> Iterator[Listed | Fault]:
    refuse_compressed(shard.path)
    with shard.path.open("rb") as file:
        for group in _groups(scan_members(file)):
            if isinstance(group, Fault):
                yield Fault(f"{shard.name}/{group.name}".rstrip("/"), group.code, group.reason)
            else:
                yield from _pictures(source, file, shard, group)


def _shards(root: Path) -> Iterator[str | Fault]:
    found = False
    for file in [""] if root.is_file() else walk_files(root, _SHARD):
        found = True
        yield file
    if not found:
        raise PosetwinError("missing_file", f"{root} holds no .tar", "give a shard, or the folder of the shards")


def list_webdataset(source: WebdatasetSource) -> Iterator[Listed | Fault]:
    """Pictures in the order of the shards' paths and of their members; only headers, .txt and .json are read.

    The .json may hold caption or text, class, and keypoints (18×3 x, y, visibility); a .txt goes before its caption.
    Raises PosetwinError: missing_file, unknown_value (a compressed shard).
    """
    root = Path(source.path)
    for file in _shards(root):
        if isinstance(file, Fault):
            yield file
            continue
        try:
            yield from _list_shard(source, _Shard(root, file))
        except OSError as error:
            yield Fault(file or root.name, "missing_file", f"the shard cannot be read: {error.strerror}")
