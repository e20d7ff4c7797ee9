"""What is looked at between the steps of a training: the held-out loss, and pictures."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from posetwin.contracts import Train
from posetwin.moments import at
from posetwin.training.best import Best
from posetwin.training.samples import paint_samples
from posetwin.training.secondary import logged
from posetwin.training.sinks import Emit
from posetwin.training.smoke import part_sizes
from posetwin.training.task import Task
from posetwin.training.update import Update
from posetwin.training.validation import validate
from posetwin.training.world import World


def _is_due(step: int, every: int) -> bool:
    return every > 0 and step % every == 0


@dataclass(frozen=True)
class Lookout:
    """Looks at the averaged weights, where there are any. folder: of the stage, for `best` and `samples`."""

    task: Task
    settings: Train
    seed: int
    world: World
    folder: Path
    update: Update
    emit: Emit

    @property
    def best(self) -> Best:
        return Best(self.folder / "best")

    def finish(self) -> None:
        """The adapter ends with the weights that are saved: the best, the average, or the last."""
        self.update.finish()
        if self.settings.load_best_model_at_end and self.best.step is not None:
            self.best.load_into(self.task.adapter)

    def look(self, step: int) -> None:
        """What is due after this step. Raises PosetwinError: too_few_samples, disk_full."""
        with self.update.averaged():
            if _is_due(step, self.settings.validation.steps):
                self._validate(step)
            if _is_due(step, self.settings.samples.steps):
                path = paint_samples(
                    self.task, self.settings.samples, self.seed, self.world, self.folder / "samples", step
                )
                self.emit({"type": "samples", "step": step, "path": str(path)})

    def _validate(self, step: int) -> None:
        at("validation_started", step)
        # What fits in memory with gradients does so without.
        batch_size = part_sizes(self.settings, self.world)[-1]
        found = validate(self.task, self.settings.validation, self.world, batch_size, step)
        at("validated", step)
        value = found.metric(self.settings.metric_for_best_model)
        is_best = self.world.is_main and self.best.beats(value)
        if is_best:
            self.best.save(self.task.adapter, step, value)
        event = {"num_pairs": found.num_pairs, "objective": logged(found.objective), "best": is_best}
        terms = {name: logged(value) for name, value in found.terms.items()}
        self.emit({"type": "validation", "step": step, **event, "terms": terms})
