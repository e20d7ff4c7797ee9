"""Append-only JSON-lines files that survive being killed in the middle of a line, and atomic files beside them."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterable
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from posetwin.errors import PosetwinError

Record = dict[str, Any]


def read_lines(path: Path) -> list[Record]:
    """All records of a finished JSON-lines file. Raises PosetwinError: missing_file, corrupt_file (with the line)."""
    if not path.is_file():
        raise PosetwinError("missing_file", f"{path} does not exist", "run the stage that writes it again")
    records = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        try:
            records.append(json.loads(line))
        except json.JSONDecodeError as error:
            raise PosetwinError("corrupt_file", f"{path}:{number} is no JSON: {error}") from error
    return records


def cut_torn_line(path: Path) -> None:
    """Remove what follows the last line break: a writer was killed there, and the next line must not join it."""
    if path.is_file():
        content = path.read_bytes()
        os.truncate(path, content.rfind(b"\n") + 1)


def recover_lines(path: Path) -> list[Record]:
    """The records of a journal that may end in a torn line, which is cut off; an absent journal is empty."""
    cut_torn_line(path)
    return read_lines(path) if path.is_file() else []


def append_lines(path: Path, records: Iterable[Record]) -> None:
    """Add records in one write."""
    text = "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records)
    with path.open("a", encoding="utf-8") as file:
        file.write(text)


def write_atomically(path: Path, content: bytes) -> None:
    """The file is either absent (or as before) or complete, also when the process is killed."""
    temporary = path.with_name(f".{path.name}.tmp")
    temporary.write_bytes(content)
    os.replace(temporary, path)


def sync(path: Path) -> None:
    """Flush a file or folder to the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def replace_folder(temporary: Path, final: Path) -> None:
    """Flush a finished folder and give it its name, in place of an older one: there is never half of one."""
    for path in (*temporary.iterdir(), temporary):
        sync(path)
    shutil.rmtree(final, ignore_errors=True)
    temporary.rename(final)
    sync(final.parent)


def write_json(path: Path, value: object) -> None:
    write_atomically(path, (json.dumps(value, ensure_ascii=False, allow_nan=False, indent=1) + "\n").encode())


def write_png(path: Path, image: np.ndarray) -> None:
    """(H, W) or (H, W, 3) uint8."""
    buffer = BytesIO()
    Image.fromarray(image).save(buffer, format="PNG")
    write_atomically(path, buffer.getvalue())
