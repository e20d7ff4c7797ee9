"""The least that assembling pictures can take: decode, resize, detector; nothing is checked, drawn, kept or written.

`bare_data.py <folder> <size> <processes>`, for bench-data.ts.
"""

from __future__ import annotations

import sys
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from posetwin.keypoints.mini import load_mini_detector

BATCH = 32


def decode(path: Path, size: int) -> np.ndarray:
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB").resize((size, size), Image.Resampling.LANCZOS))


@torch.no_grad()
def detect(paths: list[Path], size: int) -> int:
    torch.set_num_threads(1)
    detector, seen = load_mini_detector("mini"), 0
    for start in range(0, len(paths), BATCH):
        pixels = np.stack([decode(path, size) for path in paths[start : start + BATCH]])
        found = detector(torch.from_numpy(pixels).movedim(-1, 1).float() / 127.5 - 1)
        seen += int((found.confidence > 0.5).sum())
    return seen


def main(folder: Path, size: int, processes: int) -> None:
    paths = sorted(folder.iterdir())
    with ProcessPoolExecutor(processes) as pool:
        parts = [pool.submit(detect, paths[number::processes], size) for number in range(processes)]
        print(f"{len(paths)} pictures, {sum(part.result() for part in parts)} keypoints")


if __name__ == "__main__":
    main(Path(sys.argv[1]), *map(int, sys.argv[2:]))
