"""Where the bytes of the pictures of an Arrow batch lie in their file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from posetwin.errors import PosetwinError

_OFFSETS = {pa.binary(): np.int32, pa.large_binary(): np.int64}


class BatchImages:
    """A column of pictures: struct of bytes and path, bytes alone, or paths.

    `column` is of a batch that was validated, `whole` the mapped file. Arrow maps a stream into memory as it lies in
    the file, so that the address of a picture is its place there: later it is read without Arrow. Raises
    PosetwinError: unknown_value where the column holds something else or is compressed.
    """

    def __init__(self, column: Any, whole: pa.Buffer, file: Path) -> None:
        is_struct = pa.types.is_struct(column.type)
        names = [column.type.field(k).name for k in range(column.type.num_fields)] if is_struct else []
        self._bytes = column.field("bytes") if "bytes" in names else column if column.type in _OFFSETS else None
        self._paths = column.field("path") if "path" in names else column if pa.types.is_string(column.type) else None
        if self._bytes is None and self._paths is None:
            hint = "it should be a column of type Image: see dataset.sources.image_column"
            raise PosetwinError("unknown_value", f"{file}: the column of pictures has the type {column.type}", hint)
        if self._paths is not None:
            self._paths.validate(full=True)
        self._starts, self._ends = self._places(whole, file)
        # Arrow looks at the first and the last only.
        if (self._starts > self._ends).any() or (self._ends > whole.size).any():
            raise pa.ArrowInvalid("the bytes of a picture reach beyond the file")

    def _places(self, whole: pa.Buffer, file: Path) -> tuple[np.ndarray, np.ndarray]:
        """(rows,) int64 each, bytes from the start of the file."""
        values = self._bytes
        if values is None or values.type not in _OFFSETS or values.null_count == len(values):
            return np.empty(0, np.int64), np.empty(0, np.int64)
        _, offsets, content = values.buffers()
        ends = np.frombuffer(offsets, dtype=_OFFSETS[values.type])[values.offset :][: len(values) + 1]
        place = content.address - whole.address
        if not 0 <= place <= whole.size - content.size:
            raise PosetwinError("unknown_value", f"{file} is compressed", "write it again with save_to_disk")
        return ends[:-1].astype(np.int64) + place, ends[1:].astype(np.int64) + place

    def place_of(self, row: int) -> tuple[int, int] | None:
        """Start and length of the bytes of a row of the batch, or None where it has none."""
        if self._bytes is None or not len(self._starts) or not self._bytes[row].is_valid:
            return None
        return int(self._starts[row]), int(self._ends[row] - self._starts[row])

    def path_of(self, row: int) -> str | None:
        return None if self._paths is None else self._paths[row].as_py()
