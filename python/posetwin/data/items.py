"""items.jsonl, read in chunks from where each begins, so that it may have any length."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from posetwin.contracts import Item
from posetwin.errors import PosetwinError


@dataclass(frozen=True)
class Chunk:
    """Some items that stand together, the unit of work: `count` lines from byte `offset` on."""

    number: int
    offset: int
    count: int


def split_items(path: Path, size: int) -> list[Chunk]:
    """Chunks of `size` items, the last of what is left. Raises PosetwinError: missing_file."""
    if not path.is_file():
        raise PosetwinError("missing_file", f"{path} does not exist", "run the stage again")
    chunks, start, offset, count = [], 0, 0, 0
    with path.open("rb") as file:
        for line in file:
            offset, count = offset + len(line), count + 1
            if count == size:
                chunks.append(Chunk(len(chunks), start, count))
                start, count = offset, 0
    return [*chunks, Chunk(len(chunks), start, count)] if count else chunks


def read_items(path: Path, chunk: Chunk, size: int) -> list[Item]:
    """The items of a chunk. size: of the chunks, for the line number. Raises PosetwinError: contract_violation."""
    adapter: TypeAdapter[Item] = TypeAdapter(Item)
    items = []
    with path.open("rb") as file:
        file.seek(chunk.offset)
        for row in range(chunk.count):
            try:
                items.append(adapter.validate_python(json.loads(file.readline())))
            except (ValidationError, ValueError) as error:
                line = chunk.number * size + row + 1
                raise PosetwinError("contract_violation", f"{path}:{line} is not an item: {error}") from error
    return items
