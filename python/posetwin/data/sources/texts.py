"""Captions, class names and JSON, read from what people left beside their pictures."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from posetwin.errors import PosetwinError

# More is no caption, nor the annotation of one picture.
MAX_TEXT_BYTES = 1 << 20


def clean_text(value: object) -> str:
    """In one line; empty for None. Raises PosetwinError: bad_annotations where it is no text, or no UTF-8."""
    if value is None:
        return ""
    if not isinstance(value, str):
        raise PosetwinError("bad_annotations", f"a caption or class is a {type(value).__name__}, not a text")
    if any("\ud800" <= letter <= "\udfff" for letter in value):
        raise PosetwinError("bad_annotations", "a caption or class is no UTF-8")
    return " ".join(value.replace("\0", " ").split())


def clean_class(value: object) -> str:
    """As a caption says it: `cover_drive` → `cover drive`; a class may be a number. Raises as clean_text."""
    is_number = isinstance(value, int) and not isinstance(value, bool)
    text = clean_text(str(value) if is_number else value)
    return " ".join(text.replace("_", " ").split())


def decode_text(content: bytes) -> str:
    """Raises PosetwinError: bad_annotations where it is no UTF-8 or too long."""
    if len(content) > MAX_TEXT_BYTES:
        raise PosetwinError("bad_annotations", f"a text of more than {MAX_TEXT_BYTES} bytes is no caption")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise PosetwinError("bad_annotations", f"a text beside it is no UTF-8: {error}") from error


def read_caption(path: Path) -> str:
    """The caption in a file; empty where there is no such file. Raises PosetwinError: bad_annotations."""
    try:
        with path.open("rb") as file:
            return clean_text(decode_text(file.read(MAX_TEXT_BYTES + 1)))
    except FileNotFoundError:
        return ""
    except OSError as error:
        raise PosetwinError("bad_annotations", f"its caption cannot be read: {error.strerror}") from error


def parse_record(content: bytes) -> dict[str, Any]:
    """A JSON object. Raises PosetwinError: bad_annotations."""
    try:
        record = json.loads(decode_text(content))
    except (ValueError, RecursionError) as error:
        raise PosetwinError("bad_annotations", f"its annotation is no JSON: {error}") from error
    if not isinstance(record, dict):
        raise PosetwinError("bad_annotations", f"its annotation is a {type(record).__name__}, not an object")
    return record


def _slim(record: dict[str, Any]) -> dict[str, Any]:
    # Outlines fill most of COCO's files, and nobody reads them here.
    record.pop("segmentation", None)
    return record


def load_json(path: Path) -> Any:
    """A whole file of annotations, without outlines. Raises PosetwinError: missing_file, bad_annotations."""
    try:
        with path.open("rb") as file:
            return json.load(file, object_hook=_slim)
    except FileNotFoundError as error:
        raise PosetwinError("missing_file", f"{path} does not exist") from error
    except (ValueError, RecursionError, OSError) as error:
        raise PosetwinError("bad_annotations", f"{path} is no JSON: {error}", "see that it is whole") from error
