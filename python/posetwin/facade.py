"""What TypeScript may ask Python over the bridge (facadeContract in orchestrator/contracts/facade.ts)."""

from __future__ import annotations

import hashlib
import math
import os
import platform
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from posetwin.bridge import method

# Heavy imports stand in the functions: a question about the environment needs no torch.
if TYPE_CHECKING:
    import torch

    from posetwin.data.pose_tables import Layout

PACKAGES = (
    *("torch", "diffusers", "transformers", "tokenizers", "safetensors", "pydantic", "numpy", "pillow"),
    # Not everyone has these.
    *("bitsandbytes", "wandb"),
)
# Confidence from which a keypoint counts as seen.
SEEN = 0.5
# JSON has no -infinity: where alphas_cumprod is 0, its logarithm is that of the smallest number above 0.
LEAST_LOG = math.log(5e-324)
Json = dict[str, Any]


def _versions() -> dict[str, str]:
    versions = {}
    for name in PACKAGES:
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return versions


def _cpu_memory_mb() -> float:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**20
    except (AttributeError, ValueError, OSError):
        return 0.0


def _private_mb() -> float:
    """What this process holds of the memory for itself, files that ranks share aside; 0 where that is unknown."""
    try:
        resident, shared = (int(pages) for pages in Path("/proc/self/statm").read_text().split()[1:3])
        return (resident - shared) * os.sysconf("SC_PAGE_SIZE") / 2**20
    except (OSError, AttributeError, ValueError, IndexError):
        return 0.0


def _device(kind: str) -> Json:
    import torch

    if kind == "cuda":
        properties = torch.cuda.get_device_properties(0)
        return {"name": properties.name, "kind": kind, "memory_mb": properties.total_memory / 2**20}
    return {"name": platform.processor() or platform.machine(), "kind": kind, "memory_mb": _cpu_memory_mb()}


@method
def probe_environment() -> Json:
    """Versions of Python and the packages, and the devices, best first (memory 0 where it is unknown)."""
    from posetwin.device import available_devices

    devices = [_device(kind) for kind in available_devices()]
    return {"python": platform.python_version(), "packages": _versions(), "devices": devices}


@method
def list_poses() -> Json:
    """The mini world's poses, "random" among them, how often training draws each, and a version that changes whenever
    it draws differently."""
    from posetwin.mini.landmarks import draw_pose
    from posetwin.mini.poses import POSES, pose_names
    from posetwin.mini.world import RANDOM_POSE, RANDOM_POSE_SHARE, sample_world

    digest = hashlib.sha256()
    for seed, (name, pose) in enumerate(POSES.items()):
        drawn = sample_world(seed, pose=name, split=pose.split)
        digest.update(drawn.image.tobytes() + drawn.keypoints.tobytes() + drawn.caption.encode())
        digest.update(draw_pose(drawn.keypoints, seed).image.tobytes())
    shares = {"train": (1 - RANDOM_POSE_SHARE) / len(pose_names("train")), "held_out": 1 / len(pose_names("held_out"))}
    poses = [{"name": name, "split": pose.split, "share": shares[pose.split]} for name, pose in POSES.items()]
    poses.append({"name": RANDOM_POSE, "split": "train", "share": RANDOM_POSE_SHARE})
    return {"version": digest.hexdigest()[:16], "poses": poses}


@method
def suggest(axes: list[Json], seed: int, finished: list[Json], count: int) -> Json:
    """Where the next trials of a search should be. Raises PosetwinError: missing_package."""
    from posetwin.search import Axis, Finished
    from posetwin.search import suggest as search

    asked = [Axis(**axis) for axis in axes], seed, [Finished(**trial) for trial in finished], count
    return {"trials": search(*asked)}


@method
def count_poses(path: str, layout: Layout) -> Json:
    """How many poses a table holds, all of it checked. Raises PosetwinError: as `read_pose_table`."""
    from posetwin.data.pose_tables import read_pose_table

    return {"rows": len(read_pose_table(Path(path), layout))}


def _count(module: torch.nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


def _probe_detector(detector: Json, image_size: int) -> Json:
    """How many keypoints it finds on a drawn figure, and the norm of d(sum of their pixels)/d(image)."""
    import torch
    from pydantic import TypeAdapter

    from posetwin.contracts import Detector
    from posetwin.data.images import to_model
    from posetwin.keypoints.loading import load_detector
    from posetwin.mini.world import sample_world

    image = to_model(sample_world(0, size=64).image)[None]
    image = torch.nn.functional.interpolate(image, (image_size, image_size), mode="bilinear").requires_grad_()
    found = load_detector(TypeAdapter(Detector).validate_python(detector))(image)
    gradient = torch.autograd.grad(found.xy.sum(), image)[0] if found.xy.requires_grad else torch.zeros(1)
    return {"num_keypoints": found.xy.shape[1], "keypoint_gradient": float(gradient.norm())}


@method
def probe_model(backbone: Json, adapter: Json, detector: Json, image_size: int) -> Json:
    """Shapes and sizes of the models, and that the detector's gradient reaches the pixels.

    Raises PosetwinError: missing_weights, wrong_weights, out_of_range.
    """
    import torch

    from posetwin.adapters.t2i import in_channels, load_adapter
    from posetwin.models.backbone import load_backbone

    models, primary = load_backbone(backbone["path"]), load_adapter(adapter["path"])
    with torch.no_grad():
        features = primary(torch.zeros(1, in_channels(primary), image_size, image_size))
    modules = {"unet": models.unet, "vae": models.vae, "text_encoder": models.text_encoder, "adapter": primary}
    return {
        "latent_shape": list(models.latent_shape(image_size)),
        "prompt_embeds_shape": list(models.encode_prompt([""]).shape[1:]),
        "feature_shapes": [list(feature.shape[1:]) for feature in features],
        "num_parameters": {name: _count(module) for name, module in modules.items()},
        **_probe_detector(detector, image_size),
    }


def _in_mb(value: Any) -> Any:
    return {name: _in_mb(part) for name, part in value.items()} if isinstance(value, dict) else value / 2**20


def _from_shapes(compute: Callable[[], Any]) -> tuple[Any, str]:
    """What is computed on tensors without content; else None and why not. Raises PosetwinError."""
    from posetwin.errors import PosetwinError

    try:
        return compute(), ""
    except PosetwinError:
        raise
    except Exception as error:
        # A model may need what such tensors cannot tell: that is no reason not to train it.
        return None, f"{type(error).__name__}: {error}"


@method
def estimate_memory(**asked: Any) -> Json:
    """The memory of one rank of a training, from the models' config.json alone and without any; why not, where a model
    does not run on tensors without content. asked: as in `Training` of posetwin.training.memory.

    Raises PosetwinError: missing_weights, wrong_weights, out_of_range, singular_schedule.
    """
    from pydantic import TypeAdapter

    from posetwin.training.memory.estimate import estimate
    from posetwin.training.memory.task import Training

    training = TypeAdapter(Training).validate_python(asked)
    # The libraries are there and the models are not: so much every rank holds beside them, on a CPU.
    process_mb = _private_mb()
    found, reason = _from_shapes(lambda: estimate(training))
    in_mb = found and {f"{name}_mb": _in_mb(value) for name, value in vars(found).items()}
    return {"process_mb": process_mb, "estimate": in_mb, "reason": reason}


@method
def count_flops(**asked: Any) -> Json:
    """The floating-point operations of one part of a step on one rank; asked, raises and reasons as above."""
    from dataclasses import asdict

    from pydantic import TypeAdapter

    from posetwin.training.memory import flops
    from posetwin.training.memory.task import Training

    training = TypeAdapter(Training).validate_python(asked)
    found, reason = _from_shapes(lambda: flops.count_flops(training))
    return {"flops": found and asdict(found), "reason": reason}


@method
def schedule(config: Json) -> Json:
    """The schedule in float64. Raises PosetwinError: singular_schedule, refused_combination, out_of_range."""
    from posetwin.schedule import build_schedule

    table = build_schedule(config)
    return {
        "alphas_cumprod": table.alphas_cumprod.tolist(),
        "log_alphas_cumprod": table.log_alphas_cumprod.clamp_min(LEAST_LOG).tolist(),
    }


@method
def evaluate_loss_term(term: str, inputs: Json) -> Json:
    """A loss term in float64: what it gives, and the mean of that.

    Raises PosetwinError: unknown_value, wrong_type, not_a_number, and the term's own codes.
    """
    from posetwin.losses import evaluate
    from posetwin.losses.registry import values

    return {"value": evaluate(term, inputs), "values": values(term, inputs)}


def _visible(keypoints: Any) -> list[list[float]] | None:
    """x, y, confidence → x, y, visibility 2 or 0; None where no keypoint is seen well enough."""
    joints = [[x, y, 2.0 if confidence >= SEEN else 0.0] for x, y, confidence in keypoints]
    return joints if any(visibility for _, _, visibility in joints) else None


def _detect(detector: Any, path: str) -> Json:
    import torch

    from posetwin.data.images import to_model
    from posetwin.data.photos import read_photo_pixels
    from posetwin.errors import PosetwinError

    try:
        image = to_model(read_photo_pixels(Path(path)))[None]
    except PosetwinError as error:
        return {"path": path, "keypoints": None, "reason": error.message}
    with torch.no_grad():
        found = detector(image)
    keypoints = _visible(torch.cat([found.xy[0], found.confidence[0, :, None]], dim=-1).tolist())
    return {"path": path, "keypoints": keypoints, "reason": "" if keypoints else "no person found"}


@method
def detect_keypoints(paths: list[str], detector: Json) -> Json:
    """Keypoints in pixels of each picture, or null and the reason why there are none.

    Raises PosetwinError: missing_weights, wrong_weights.
    """
    from pydantic import TypeAdapter

    from posetwin.contracts import Detector
    from posetwin.keypoints.loading import load_detector

    loaded = load_detector(TypeAdapter(Detector).validate_python(detector))
    return {"images": [_detect(loaded, path) for path in paths]}


@method
def write_parquet(path: str, columns: list[Json]) -> Json:
    """A table as a new Parquet file, with the types that `columns` name.

    Raises PosetwinError: usage where the file is there already, disk_full.
    """
    import pyarrow as pa
    from pyarrow import parquet

    from posetwin.errors import PosetwinError

    types = {"string": pa.string(), "integer": pa.int64(), "number": pa.float64(), "boolean": pa.bool_()}
    fields = [pa.field(column["name"], types[column["type"]]) for column in columns]
    table = pa.Table.from_arrays(
        [pa.array(column["values"], field.type) for column, field in zip(columns, fields, strict=True)],
        schema=pa.schema(fields),
    )
    try:
        with open(path, "xb") as file:
            parquet.write_table(table, file)
    except FileExistsError as error:
        raise PosetwinError("usage", f"{path} is there already, and nothing is overwritten") from error
    except BaseException:
        # Half a table would only keep the next try from writing a whole one.
        Path(path).unlink(missing_ok=True)
        raise
    return {"rows": table.num_rows}
