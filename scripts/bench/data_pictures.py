"""Pictures of the mini world as files, for bench-data.ts: `data_pictures.py <folder> <count> <size> <processes>`."""

from __future__ import annotations

import sys
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

from PIL import Image

from posetwin.mini.world import sample_world


def draw(folder: Path, size: int, number: int) -> None:
    Image.fromarray(sample_world(number, size=size).image).save(folder / f"{number:06d}.png", compress_level=1)


def main(folder: Path, count: int, size: int, processes: int) -> None:
    folder.mkdir(parents=True)
    with ProcessPoolExecutor(processes) as pool:
        for _ in pool.map(partial(draw, folder, size), range(count), chunksize=200):
            pass


if __name__ == "__main__":
    main(Path(sys.argv[1]), *map(int, sys.argv[2:]))
