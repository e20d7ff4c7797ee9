"""MPII Human Pose: the .mat as published, or the JSON conversions."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from posetwin.contracts import MpiiSource
from posetwin.data.sources.joints import annotated, from_mpii16
from posetwin.data.sources.listed import Fault, Listed, attempt
from posetwin.data.sources.mpii_json import read_json
from posetwin.data.sources.mpii_mat import read_mat
from posetwin.data.sources.mpii_people import MpiiImage
from posetwin.errors import PosetwinError

# Where the annotations lie as they come, the published ones first; of the conversions the one that holds all.
_PLACES = ("mpii*.mat", "*/mpii*.mat", "*.mat", "annot/trainval.json", "annot/train.json", "*.json")
_READERS = {".mat": read_mat, ".json": read_json}
_HINT = "set dataset.sources.annotations, relative to path"


def _find_annotations(root: Path) -> Path:
    found = next(filter(None, (sorted(root.glob(place)) for place in _PLACES)), [])
    if len(found) == 1:
        return found[0]
    if not found:
        raise PosetwinError("missing_file", f"{root} holds no annotations, neither .mat nor .json", _HINT)
    names = ", ".join(path.relative_to(root).as_posix() for path in found)
    raise PosetwinError("bad_annotations", f"{root} holds several annotations: {names}", _HINT)


def _read(path: Path) -> Iterator[MpiiImage | Fault]:
    reader = _READERS.get(path.suffix.lower())
    if reader is None:
        raise PosetwinError("bad_annotations", f"{path} is neither a .mat nor a .json file", _HINT)
    return reader(path)


def _listed(source: MpiiSource, image: MpiiImage) -> Listed:
    person = image.largest
    return Listed(
        name=f"images/{image.name}",
        file=f"images/{image.name}",
        class_name=image.class_name,
        keypoints=None if person is None else annotated(source.keypoints, from_mpii16, person.joints),
        box=None if person is None else person.box,
        num_people=len(image.people) or -1,
        group=image.group,
    )


def list_mpii(source: MpiiSource) -> Iterator[Listed | Fault]:
    """Pictures in the order of their names, each with the largest of its people; the class is the activity.

    Pictures without joints, as those of the test set, come without keypoints. Raises PosetwinError: missing_file,
    bad_annotations (a form that is not known: what it holds and what is expected).
    """
    root = Path(source.path)
    annotations = _find_annotations(root) if source.annotations is None else root / source.annotations
    if not (root / "images").is_dir():
        raise PosetwinError("missing_file", f"{root} has no folder images", "unpack mpii_human_pose_v1.tar.gz there")
    for image in sorted(_read(annotations), key=lambda entry: entry.name):
        yield image if isinstance(image, Fault) else attempt(f"images/{image.name}", _listed, source, image)
