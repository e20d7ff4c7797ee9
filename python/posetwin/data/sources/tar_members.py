"""The members of an uncompressed tar, by their headers alone."""

from __future__ import annotations

import os
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from posetwin.data.sources.listed import Fault
from posetwin.data.sources.names import fault_of_path
from posetwin.errors import PosetwinError

_COMPRESSED = {b"\x1f\x8b": "gzip", b"BZh": "bzip2", b"\xfd7zXZ\0": "xz", b"\x28\xb5\x2f\xfd": "zstd"}
# What tarfile raises for headers that are damaged in one way or another.
_DAMAGED = (tarfile.TarError, OSError, ValueError, OverflowError, RecursionError)


@dataclass(frozen=True)
class Member:
    """A file of a shard. start, length: where its bytes lie in the shard."""

    name: str
    start: int
    length: int


def refuse_compressed(path: Path) -> None:
    """Raises PosetwinError: unknown_value for a compressed tar, in which nothing can be found without reading all."""
    with path.open("rb") as file:
        head = file.read(6)
    kind = next((kind for magic, kind in _COMPRESSED.items() if head.startswith(magic)), None)
    if kind is not None:
        hint = f"unpack it: {'gunzip' if kind == 'gzip' else kind + ' -d'} {path.name}, and name it .tar"
        raise PosetwinError("unknown_value", f"{path} is compressed ({kind})", hint)


def _fault_of(info: tarfile.TarInfo, size: int) -> Fault | None:
    fault = fault_of_path(info.name)
    if fault is not None:
        return fault
    if not info.isreg():
        return Fault(info.name, "unsafe_path", "it is a link or a device, not a file")
    if info.issparse():
        return Fault(info.name, "bad_image", "it is stored with holes")
    if info.offset_data + info.size > size:
        return Fault(info.name, "corrupt_file", "the shard ends in the middle of it")
    return None


def _headers(tar: tarfile.TarFile) -> Iterator[tarfile.TarInfo]:
    while (info := tar.next()) is not None:
        # It remembers all of them, millions too.
        tar.members = []  # pyright: ignore[reportAttributeAccessIssue]
        if not info.isdir():
            yield info


def _is_ended(file: BinaryIO, offset: int) -> bool:
    """A tar ends with blocks of zeros. tarfile takes any end, and a damaged header, for one."""
    return os.pread(file.fileno(), tarfile.BLOCKSIZE, offset) == bytes(tarfile.BLOCKSIZE)


def scan_members(file: BinaryIO) -> Iterator[Member | Fault]:
    """In the order of the shard. What is behind a tear or a damaged header is told as one fault, corrupt_file."""
    size = os.fstat(file.fileno()).st_size
    try:
        with tarfile.open(fileobj=file, mode="r:") as tar:
            for info in _headers(tar):
                fault = _fault_of(info, size)
                yield fault or Member(info.name, info.offset_data, info.size)
                if fault is not None and fault.code == "corrupt_file":
                    return
            if not _is_ended(file, tar.offset):
                yield Fault("", "corrupt_file", f"the shard is torn or damaged at byte {tar.offset}")
    except _DAMAGED as error:
        yield Fault("", "corrupt_file", f"the shard cannot be read any further: {error}")
