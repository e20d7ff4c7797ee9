"""The stage `assemble`: items that TypeScript chose → shards, samples.parquet and rejected.jsonl.

Items are worked on in chunks, each of which is a shard; a chunk that is in the journal is never made again.
"""

from __future__ import annotations

import os
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from posetwin.contracts import Dataset, Item, PictureItem
from posetwin.data.chunks import CHUNKS, ChunkFiles, ChunkRecord, make_chunk
from posetwin.data.finish import finish
from posetwin.data.items import Chunk, read_items, split_items
from posetwin.data.journal import read_lines
from posetwin.data.pictures import Made, draw_picture
from posetwin.data.workers import Tell, work_in_processes
from posetwin.errors import PosetwinError
from posetwin.moments import at

if TYPE_CHECKING:
    from posetwin.data.reading import FileReader

CHUNK = 512
# Drawing takes less than starting a process does.
DRAWN_A_WORKER = 4 * CHUNK
# After so many pictures progress is told.
TOLD_EVERY = 32

Progress = Callable[[int, int, str], None]


@dataclass(frozen=True)
class Assembly:
    """What a process needs to know. index: folder of the stage `index`, None where every picture is drawn."""

    folder: Path
    items: Path
    index: Path | None
    dataset: Dataset
    device: str
    num_threads: int
    num_workers: int
    # (k, n): chunks k, k + n, k + 2n, … and not the end; None: all of them.
    part: tuple[int, int] | None = None
    chunk_size: int = field(default_factory=lambda: CHUNK)


class _Maker:
    """One process's tools: what reads, detects and describes is loaded once, and when it is needed."""

    def __init__(self, assembly: Assembly, number: int) -> None:
        self.assembly = assembly
        self._device = f"cuda:{number}" if assembly.device == "cuda" else assembly.device
        self._reader: FileReader | None = None

    def make(self, items: list[Item]) -> Iterator[tuple[Item, Made]]:
        read = self._read([item for item in items if isinstance(item, PictureItem)])
        for item in items:
            drawn = not isinstance(item, PictureItem)
            yield item, draw_picture(item, self.assembly.dataset.image_size) if drawn else next(read)

    def _read(self, items: list[PictureItem]) -> Iterator[Made]:
        if not items or self.assembly.index is None:
            return
        # torch is loaded where a picture is read, and nowhere else.
        from posetwin.data.reading import FileReader
        from posetwin.device import use_threads

        use_threads(self.assembly.num_threads, self.assembly.num_workers)
        self._reader = self._reader or FileReader(self.assembly.dataset, self.assembly.index, self._device)
        yield from self._reader.read(items)


def _work(maker: _Maker, chunk: Chunk, tell: Tell) -> ChunkRecord:
    assembly = maker.assembly
    items = read_items(assembly.items, chunk, assembly.chunk_size)
    files = ChunkFiles(assembly.folder, chunk.number)
    return make_chunk(files, items, assembly.dataset, maker.make, tell)


class _Watch:
    """Counts what is done and left out, tells it, and ends the stage where too much is left out."""

    def __init__(self, assembly: Assembly, total: int, progress: Progress) -> None:
        self.assembly, self.total, self._progress = assembly, total, progress
        self.before = self.told = self.number = 0
        self.rejected: Counter[str] = Counter()

    def known(self, record: ChunkRecord) -> None:
        self.before += record.num_items
        self.count(record)

    def count(self, record: ChunkRecord) -> None:
        self.rejected.update(record.rejected)
        if self.rejected.total() > self.assembly.dataset.max_rejected * self.total:
            raise self._too_many()

    def progress(self, done: int) -> None:
        """done: in this run."""
        if done != self.told:
            self.told = done
            self._progress(self.before + done, self.total, "images")

    def tell(self) -> None:
        """One more picture, in this process."""
        self.number += 1
        if self.number % TOLD_EVERY == 0 or self.before + self.number == self.total:
            self.progress(self.number)

    def _too_many(self) -> PosetwinError:
        journals = sorted((self.assembly.folder / CHUNKS).glob("*.rejected.jsonl"))
        first = next(fault for path in journals for fault in read_lines(path))
        reasons = ", ".join(f"{count} {code}" for code, count in self.rejected.most_common())
        return PosetwinError(
            "too_many_rejected",
            f"{self.rejected.total()} of {self.total} pictures cannot be used ({reasons}); "
            f"the first is {first['source']}: {first['reason']}",
            f"see {self.assembly.folder / CHUNKS}; where that is what you expect, raise dataset.max_rejected",
        )


def _num_workers(assembly: Assembly, chunks: list[Chunk]) -> int:
    """No more than there is work for; drawn figures are quicker than the start of a process."""
    if assembly.index is None:
        return min(assembly.num_workers, len(chunks), max(1, sum(c.count for c in chunks) // DRAWN_A_WORKER))
    return min(assembly.num_workers, len(chunks))


def _make(assembly: Assembly, chunks: list[Chunk], watch: _Watch) -> None:
    workers = _num_workers(assembly, chunks)
    assembly = replace(assembly, num_workers=workers)
    if workers <= 1:
        maker = _Maker(assembly, 0)
        for chunk in chunks:
            watch.count(_work(maker, chunk, watch.tell))
        return
    for record in work_in_processes(workers, _Maker, assembly, _work, chunks, watch.progress):
        watch.count(record)


def _verify(assembly: Assembly) -> list[str]:
    if assembly.index is None or assembly.dataset.filters.num_verified == 0:
        return []
    from posetwin.data.verified import verify_sources

    return verify_sources(assembly.index, assembly.dataset, assembly.device)


def assemble(assembly: Assembly, progress: Progress) -> None:
    """Write shards/, samples.parquet, rejected.jsonl and result.json, or a part of the shards; what is there is kept.

    Killed at any moment it goes on where it was, and the files are the same bytes either way, for any number of
    processes. Raises PosetwinError: too_many_rejected, worker_died, and what a picture raises that ends the stage.
    """
    if (assembly.folder / "result.json").is_file():
        # Killed at the very end: only what was no longer needed may be there.
        shutil.rmtree(assembly.folder / CHUNKS, ignore_errors=True)
        return
    every = split_items(assembly.items, assembly.chunk_size)
    start, step = assembly.part or (0, 1)
    chunks = every[start::step]
    watch = _Watch(assembly, sum(chunk.count for chunk in chunks), progress)
    todo = []
    for chunk in chunks:
        record = ChunkFiles(assembly.folder, chunk.number).record()
        if record is None:
            todo.append(chunk)
        else:
            watch.known(record)
    _make(assembly, todo, watch)
    if assembly.part is not None:
        return
    warnings = _verify(assembly)
    at("sources_verified", len(chunks))
    finish(assembly.folder, len(chunks), assembly.index, assembly.dataset, warnings)


def default_workers(device: str) -> int:
    """One a GPU, or one a core."""
    if device != "cuda":
        return os.cpu_count() or 1
    import torch

    return max(1, torch.cuda.device_count())
