"""Safetensors files written row by row, so that a cache larger than the memory can be made."""

from __future__ import annotations

import json
import os
from pathlib import Path
from types import TracebackType

import numpy as np
import torch
from safetensors import safe_open


class RowWriter:
    """Context manager: declare float32 tensors by shape, fill their rows in any order, get one safetensors file.

    The file appears under its name only when all went well.
    """

    def __init__(self, path: Path, shapes: dict[str, tuple[int, ...]]) -> None:
        self.path, self.temporary = path, path.with_name(f".{path.name}.tmp")
        header, offset = {}, 0
        for name, shape in shapes.items():
            end = offset + 4 * int(np.prod(shape))
            header[name] = {"dtype": "F32", "shape": list(shape), "data_offsets": [offset, end]}
            offset = end
        text = json.dumps(header).encode()
        # The format wants the data to begin at a multiple of 8 bytes.
        text += b" " * (-len(text) % 8)
        start = 8 + len(text)
        with self.temporary.open("wb") as file:
            file.write(len(text).to_bytes(8, "little") + text)
            file.truncate(start + offset)
        self._maps = {
            name: np.memmap(self.temporary, np.float32, "r+", start + header[name]["data_offsets"][0], tuple(shape))
            for name, shape in shapes.items()
        }

    def write(self, name: str, start: int, rows: torch.Tensor) -> None:
        """Rows `start`, `start` + 1, … of the tensor `name`."""
        self._maps[name][start : start + len(rows)] = rows.detach().float().cpu().numpy()

    def __enter__(self) -> RowWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for rows in self._maps.values():
            rows.flush()
        self._maps.clear()
        if kind is None:
            os.replace(self.temporary, self.path)
        else:
            self.temporary.unlink(missing_ok=True)


def read_tensors(path: Path) -> dict[str, torch.Tensor]:
    """All tensors of a file, mapped into memory: only the rows that are used are read from disk."""
    with safe_open(path, framework="pt") as file:
        return {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (no mapping)
