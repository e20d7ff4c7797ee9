"""Uncompressed tar shards as WebDataset readers know them, and random access to a file in one of them."""

from __future__ import annotations

import contextlib
import hashlib
import os
import tarfile
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from types import TracebackType

from posetwin.data.journal import sync
from posetwin.errors import PosetwinError

SHARDS = "shards"


@dataclass(frozen=True)
class Stored:
    """Where a file lies in a shard, in bytes."""

    offset: int
    length: int


def shard_name(number: int) -> str:
    """Relative to the folder of the set."""
    return f"{SHARDS}/{number:06d}.tar"


class ShardWriter:
    """Context manager: a tar under a temporary name, which gets its own once `close` says that it is whole.

    The same files give the same bytes: no times, no owners.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        # Of this process alone: one that outlived its parent for a moment must not write into ours.
        self.temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
        path.parent.mkdir(parents=True, exist_ok=True)
        self._tar = tarfile.TarFile(self.temporary, "w", format=tarfile.USTAR_FORMAT)

    def add(self, name: str, content: bytes) -> Stored:
        member = tarfile.TarInfo(name)
        member.size = len(content)
        offset = self._tar.offset + tarfile.BLOCKSIZE
        self._tar.addfile(member, BytesIO(content))
        return Stored(offset, len(content))

    def close(self) -> tuple[int, str]:
        """Size in bytes and sha256 of the shard, which is on the disk under its name."""
        self._tar.close()
        sync(self.temporary)
        content = self.temporary.read_bytes()
        os.replace(self.temporary, self.path)
        return len(content), hashlib.sha256(content).hexdigest()

    def __enter__(self) -> ShardWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # A disk that is full fails once more here: what matters was raised before.
        if kind is not None:
            with contextlib.suppress(OSError):
                self._tar.close()
        self.temporary.unlink(missing_ok=True)


def read_stored(folder: Path, shard: str, offset: int, length: int) -> bytes:
    """The bytes of one file. Raises PosetwinError: missing_file, corrupt_file (the shard ends before)."""
    try:
        with (folder / shard).open("rb") as file:
            file.seek(offset)
            content = file.read(length)
    except FileNotFoundError as error:
        raise PosetwinError("missing_file", f"{folder / shard} does not exist", "assemble the set again") from error
    if len(content) != length:
        raise PosetwinError("corrupt_file", f"{folder / shard} ends before byte {offset + length}")
    return content
