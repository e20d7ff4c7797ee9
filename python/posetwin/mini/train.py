"""Trains the mini models but the primary adapter in resumable slices; `npm run mini:train` has all of it in order.

Exits with UNFINISHED where `--minutes` have passed before all is done.
"""

from __future__ import annotations

import argparse
import importlib
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

STAGES = ("tokenizer", "vae", "decoder", "detector", "judge", "text_to_image", "pack")
UNFINISHED = 75  # as EX_TEMPFAIL of sysexits.h: try again later
# `install` puts the packed models in place of the shipped ones; never run unless named.
NAMED = (*STAGES, "install")


def _arguments(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m posetwin.mini.train", description=__doc__)
    parser.add_argument("stages", nargs="*", metavar="stage", help=f"of {', '.join(NAMED)}; all but install if none")
    parser.add_argument("--minutes", type=float, default=45.0, help="length of this slice; run again to go on")
    parser.add_argument("--out", type=Path, default=Path(".posetwin/mini"), help="folder of checkpoints and caches")
    parser.add_argument("--threads", type=int, default=2, help="CPU threads")
    parser.add_argument("--steps", type=int, help="instead of the recipe's: shorter, or longer from where it stands")
    arguments = parser.parse_args(argv)
    for stage in arguments.stages:
        if stage not in NAMED:
            parser.error(f"no stage {stage!r}; one of {', '.join(NAMED)}")
    return arguments


def main(argv: list[str] | None = None) -> None:
    arguments = _arguments(argv)
    torch.set_num_threads(arguments.threads)
    arguments.out.mkdir(parents=True, exist_ok=True)
    deadline = time.monotonic() + 60 * arguments.minutes
    for stage in arguments.stages or STAGES:
        module: Any = importlib.import_module(f".stages.{stage}", __package__)
        if arguments.steps is not None and hasattr(module, "RECIPE"):
            module.RECIPE = replace(module.RECIPE, steps=arguments.steps)
        if not module.run(arguments.out, deadline):
            print(f"{stage} is not finished: run the same command again to go on", flush=True)
            sys.exit(UNFINISHED)
        print(f"{stage} done", flush=True)


if __name__ == "__main__":
    main()
