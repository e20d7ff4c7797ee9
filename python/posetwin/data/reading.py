"""Pictures that lie on disk: their bytes, their person, their caption."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from posetwin.contracts import Dataset, PictureItem, Source
from posetwin.data.captioner import PictureCaptioner
from posetwin.data.index import IndexReader
from posetwin.data.photos import Photo, PhotoPerson, PhotoReader, Rejected
from posetwin.data.picture_hash import to_signed
from posetwin.data.pictures import LeftOut, Made, Picture
from posetwin.data.resize import from_pixel_indices
from posetwin.data.sources import PictureSource
from posetwin.data.sources.captions import caption_of
from posetwin.data.sources.listed import IndexedPicture
from posetwin.data.sources.names import location_of
from posetwin.data.sources.opening import read_content
from posetwin.errors import PosetwinError

# Encoded pictures that are in memory together.
TOGETHER = 64
# What makes a file one to be left out; any other error is not the picture's.
UNREADABLE = frozenset({"missing_file", "source_changed", "bad_image"})
# Their annotations count pixels; those of other sources are places.
COUNTED_IN_PIXELS = frozenset({"mpii", "coco"})


def picture_source(sources: Sequence[Source], number: int) -> PictureSource:
    source = sources[number]
    if not isinstance(source, PictureSource):
        raise PosetwinError("bug", f"source {number} has no pictures on disk")
    return source


def photo_of(source: PictureSource, listed: IndexedPicture, content: bytes, is_described: bool = False) -> Photo:
    """As its annotations say, in px from the corner of the picture."""
    keypoints, box = listed.keypoints, None if listed.box is None else np.array(listed.box, dtype=np.float64)
    if source.kind in COUNTED_IN_PIXELS and keypoints is not None:
        keypoints = from_pixel_indices(keypoints)
    name = location_of(Path(source.path), listed.name)
    return Photo(name, content, source.detector, keypoints, box, listed.num_people, is_described)


class FileReader:
    """The picture items of a chunk as pictures. index: folder of the stage `index`."""

    def __init__(self, dataset: Dataset, index: Path, device: str) -> None:
        self.dataset, self._index, self._device = dataset, index, device
        self._people = PhotoReader(dataset.image_size, dataset.resize, dataset.filters, device)
        self._lists: dict[int, IndexReader] = {}
        self._captioner: PictureCaptioner | None = None

    def read(self, items: Sequence[PictureItem]) -> Iterator[Made]:
        """One answer an item, in their order. Raises PosetwinError as detectors and captioner do."""
        listed = self._listed(items)
        for start in range(0, len(items), TOGETHER):
            yield from self._read_together(items[start : start + TOGETHER], listed)

    def _listed(self, items: Sequence[PictureItem]) -> dict[int, IndexedPicture]:
        """By item id; each list is read from front to back, however its pictures were drawn."""
        found: dict[int, IndexedPicture] = {}
        for number in sorted({item.source for item in items}):
            mine = sorted((item for item in items if item.source == number), key=lambda item: item.row)
            if number not in self._lists:
                self._lists[number] = IndexReader(self._index, number)
            rows = self._lists[number].rows([item.row for item in mine])
            found.update(zip((item.id for item in mine), rows, strict=True))
        return found

    def _read_together(self, items: Sequence[PictureItem], listed: dict[int, IndexedPicture]) -> Iterator[Made]:
        photos = {item.id: self._open(item, listed[item.id]) for item in items}
        whole = {id_: photo for id_, photo in photos.items() if isinstance(photo, Photo)}
        people = dict(zip(whole, self._people.read_people(list(whole.values())), strict=True))
        described = self._describe(people)
        for item in items:
            source, picture = picture_source(self.dataset.sources, item.source), listed[item.id]
            person, photo = people.get(item.id), photos[item.id]
            if isinstance(photo, LeftOut):
                yield photo
            elif isinstance(person, PhotoPerson):
                text = described.get(item.id) or caption_of(picture, source.caption)
                signed = to_signed(person.picture_hash)
                yield Picture(person.image, person.keypoints, text, photo.name, picture.class_name, hash=signed)
            elif isinstance(person, Rejected):
                yield LeftOut(photo.name, person.code, person.reason)

    def _open(self, item: PictureItem, listed: IndexedPicture) -> Photo | LeftOut:
        source = picture_source(self.dataset.sources, item.source)
        try:
            content = read_content(Path(source.path), listed)
            return photo_of(source, listed, content, is_described=item.describe and not listed.caption)
        except PosetwinError as error:
            if error.code not in UNREADABLE:
                raise
            return LeftOut(location_of(Path(source.path), listed.name), error.code, error.message)

    def _describe(self, people: dict[int, PhotoPerson | Rejected]) -> dict[int, str]:
        """Captions by item id."""
        wanted = {
            id_: person.overview
            for id_, person in people.items()
            if isinstance(person, PhotoPerson) and person.overview is not None
        }
        if not wanted or self.dataset.captioner is None:
            return {}
        self._captioner = self._captioner or PictureCaptioner(self.dataset.captioner, self._device)
        return dict(zip(wanted, self._captioner.describe(list(wanted.values())), strict=True))
