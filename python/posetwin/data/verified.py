"""Sources as a whole: some of each are compared with what a detector and the eye for colours say."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from posetwin.contracts import Dataset
from posetwin.data.decode import decode_pixels
from posetwin.data.index import IndexReader
from posetwin.data.photos import Photo, PhotoReader
from posetwin.data.reading import UNREADABLE, photo_of
from posetwin.data.sources import PictureSource
from posetwin.data.sources.opening import read_content
from posetwin.data.verify import Verdict, channels_look_swapped, sides_look_swapped, summarise
from posetwin.errors import PosetwinError

# Decoded pictures that are in memory together.
TOGETHER = 16


def _chosen(index: IndexReader, count: int) -> list[int]:
    """Rows spread evenly over the list."""
    wanted = min(count, len(index))
    return [number * len(index) // wanted for number in range(wanted)]


def _open(source: PictureSource, index: IndexReader, rows: list[int]) -> list[tuple[Photo, np.ndarray]]:
    """Those with annotated keypoints that can be read; why another one cannot is told where it is assembled."""
    opened = []
    for listed in index.rows(rows):
        if listed.keypoints is None:
            continue
        try:
            photo = photo_of(source, listed, read_content(Path(source.path), listed))
            opened.append((photo, decode_pixels(photo.content, photo.name)))
        except PosetwinError as error:
            if error.code not in UNREADABLE:
                raise
    return opened


def _verdicts(reader: PhotoReader, opened: Sequence[tuple[Photo, np.ndarray]]) -> list[Verdict]:
    verdicts = []
    detected = reader.detect([pixels for _, pixels in opened], opened[0][0].detector) if opened else []
    for (photo, pixels), found in zip(opened, detected, strict=True):
        annotated = np.asarray(photo.keypoints)
        sides = None if found is None else sides_look_swapped(annotated, found)
        verdicts.append(Verdict(sides, channels_look_swapped(pixels, annotated)))
    return verdicts


def verify_sources(index: Path, dataset: Dataset, device: str) -> list[str]:
    """Warnings of every source that annotates keypoints, by at most `filters.num_verified` of its pictures.

    Raises PosetwinError: missing_weights, wrong_weights.
    """
    reader = PhotoReader(dataset.image_size, dataset.resize, dataset.filters, device)
    warnings = []
    for number, source in enumerate(dataset.sources):
        if not isinstance(source, PictureSource):
            continue
        listed = IndexReader(index, number)
        rows, verdicts = _chosen(listed, dataset.filters.num_verified), []
        for start in range(0, len(rows), TOGETHER):
            verdicts += _verdicts(reader, _open(source, listed, rows[start : start + TOGETHER]))
        warnings += summarise(source.path, verdicts)
    return warnings
