"""The adapter of the best validation so far, beside the checkpoints and never deleted."""

from __future__ import annotations

import json
import math
from pathlib import Path

from diffusers.models.adapter import T2IAdapter
from safetensors.torch import load_file

from posetwin.adapters.t2i import save_adapter
from posetwin.data.journal import replace_folder, write_json
from posetwin.moments import at
from posetwin.training.checkpoint import disk_errors

RECORD, WEIGHTS_NAME = "best.json", "diffusion_pytorch_model.safetensors"


class Best:
    """`folder`: what T2IAdapter.from_pretrained loads, with best.json: {step, value}."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    def step(self) -> int | None:
        """None where nothing was validated."""
        record = self._record()
        return None if record is None else int(record["step"])

    def _record(self) -> dict[str, float] | None:
        path = self.folder / RECORD
        return json.loads(path.read_text()) if path.is_file() else None

    def beats(self, value: float) -> bool:
        """Whether a validation with this value is the best one: the lowest, the first of equal ones."""
        record = self._record()
        return math.isfinite(value) and (record is None or value < record["value"])

    def load_into(self, adapter: T2IAdapter) -> None:
        adapter.load_state_dict(load_file(self.folder / WEIGHTS_NAME))

    def save(self, adapter: T2IAdapter, step: int, value: float) -> None:
        """Raises PosetwinError: disk_full, with the one before intact."""
        temporary = self.folder.with_name(f".{self.folder.name}.partial")
        with disk_errors(self.folder, temporary):
            save_adapter(adapter, temporary)
            write_json(temporary / RECORD, {"step": step, "value": value})
            at("best_written", step)
            replace_folder(temporary, self.folder)
        at("best_saved", step)
