"""What turns gradients into new weights: AdamW, the loss scale of fp16, the running average of the weights."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from diffusers.training_utils import EMAModel

from posetwin.contracts import Train
from posetwin.errors import PosetwinError
from posetwin.training.task import Means

# Below this the gradients of fp16 do not overflow because they are scaled, but because they are no numbers.
LEAST_LOSS_SCALE = 1.0
Tensors = dict[str, torch.Tensor]


class Update:
    """The optimiser of one adapter with all that a resumed training needs of it.

    adapter: trained in its own precision (float32). loss_scale: what the loss is multiplied by before its gradient is
    taken, 1 unless fp16 needs it larger; read from the device where it may have changed. Raises PosetwinError:
    missing_package.
    """

    def __init__(self, adapter: torch.nn.Module, settings: Train) -> None:
        self._adapter, self._max_grad_norm = adapter, settings.max_grad_norm
        self._optimizer = make_optimizer(adapter, settings)
        self._scaler = _make_scaler(next(adapter.parameters()).device) if settings.mixed_precision == "fp16" else None
        self._average = EMAModel(adapter.parameters(), decay=settings.ema_decay) if settings.ema_decay > 0 else None
        self.loss_scale = self._read_loss_scale()

    def _read_loss_scale(self) -> float:
        return 1.0 if self._scaler is None else float(self._scaler.get_scale())

    def zero_grad(self) -> None:
        self._optimizer.zero_grad(set_to_none=True)

    def clip(self) -> torch.Tensor:
        """Take the loss scale out of the gradients and clip them; their norm before that, on the device."""
        if self._scaler is not None:
            self._scaler.unscale_(self._optimizer)
        return torch.nn.utils.clip_grad_norm_(self._adapter.parameters(), self._max_grad_norm)

    def refuse_divergence(self, step: int, used: tuple[str, ...], seen: list[tuple[int, Means]], norm: float) -> None:
        """used: the terms that are minimised. seen: (t, means over the global batch). norm: of the gradients.

        fp16 leaves out a step that overflows, and scales the loss down: only where that does not help, its gradients
        are no numbers.

        Raises PosetwinError: diverged.
        """
        faults = [f"{name} at t = {t}" for t, means in seen for name in used if not math.isfinite(means[name])]
        if not math.isfinite(norm) and self.loss_scale <= LEAST_LOSS_SCALE:
            faults.append(f"the gradient at t = {', '.join(str(t) for t, _ in seen)}")
        if faults:
            raise PosetwinError(
                "diverged",
                f"step {step}: {'; '.join(faults)} is not finite",
                "lower train.learning_rate or look at this t of the schedule; the last checkpoint is intact",
            )

    def step(self, learning_rate: float) -> None:
        """New weights and a new average, from gradients that were clipped."""
        for group in self._optimizer.param_groups:
            group["lr"] = learning_rate
        if self._scaler is None:
            self._optimizer.step()
        else:
            self._scaler.step(self._optimizer)
            self._scaler.update()
            self.loss_scale = self._read_loss_scale()
        if self._average is not None:
            self._average.step(self._adapter.parameters())

    @contextmanager
    def averaged(self) -> Iterator[None]:
        """While this lasts the adapter has its averaged weights, where an average is kept."""
        if self._average is None:
            yield
            return
        self._average.store(self._adapter.parameters())
        self._average.copy_to(self._adapter.parameters())
        try:
            yield
        finally:
            self._average.restore(self._adapter.parameters())

    def finish(self) -> None:
        """The adapter gets its averaged weights for good, where an average is kept."""
        if self._average is not None:
            self._average.copy_to(self._adapter.parameters())

    def state(self) -> Tensors:
        """All of it by name, on the CPU."""
        tensors = {
            f"optimizer.{name}.{key}": torch.as_tensor(value)
            for name, parameter in self._adapter.named_parameters()
            for key, value in self._optimizer.state.get(parameter, {}).items()
        }
        if self._average is not None:
            names = [name for name, _ in self._adapter.named_parameters()]
            tensors |= {f"average.{n}": p for n, p in zip(names, self._average.shadow_params, strict=True)}
        if self._scaler is not None:
            tensors |= {f"scaler.{k}": torch.tensor(v) for k, v in self._scaler.state_dict().items()}
        # Copies, because AdamW8bit lets all weights share one table, which safetensors does not write.
        return {name: tensor.detach().to("cpu", copy=True).contiguous() for name, tensor in tensors.items()}

    def load_state(self, tensors: Tensors, steps: int) -> None:
        """What `state` gave after so many steps."""
        for name, parameter in self._adapter.named_parameters():
            found = _below(f"optimizer.{name}.", tensors)
            self._optimizer.state[parameter] = {key: _restored(key, value, parameter) for key, value in found.items()}
        if self._average is not None:
            averages, parameters = _below("average.", tensors), dict(self._adapter.named_parameters())
            self._average.shadow_params = [averages[name].to(p.device) for name, p in parameters.items()]
            self._average.optimization_step = steps
        if self._scaler is not None:
            self._scaler.load_state_dict({key: value.item() for key, value in _below("scaler.", tensors).items()})
            self.loss_scale = self._read_loss_scale()


def _below(prefix: str, tensors: Tensors) -> Tensors:
    """Those whose name begins with the prefix, without it."""
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}


def _restored(key: str, value: torch.Tensor, parameter: torch.nn.Parameter) -> Any:
    """AdamW keeps its step counter on the CPU whatever the device, AdamW8bit as a plain number."""
    if key != "step":
        return value.to(parameter.device)
    return value if value.is_floating_point() else int(value)


def _make_scaler(device: torch.device) -> torch.amp.grad_scaler.GradScaler:
    scaler = torch.amp.grad_scaler.GradScaler(device.type)
    # Its scale comes to the device with the first loss that it scales; here the loss is scaled by hand.
    scaler.scale(torch.ones((), device=device))
    return scaler


def make_optimizer(adapter: torch.nn.Module, train: Train) -> torch.optim.Optimizer:
    """AdamW of torch or of bitsandbytes. Raises PosetwinError: missing_package."""
    options = {
        "lr": train.learning_rate,
        "betas": (train.adam_beta1, train.adam_beta2),
        "weight_decay": train.adam_weight_decay,
        "eps": train.adam_epsilon,
    }
    if not train.use_8bit_adam:
        return torch.optim.AdamW(adapter.parameters(), foreach=False, **options)
    try:
        from bitsandbytes.optim import AdamW8bit  # pyright: ignore[reportMissingImports] (may be absent)
    except ImportError as error:
        raise PosetwinError(
            "missing_package",
            f"train.use_8bit_adam needs bitsandbytes: {error}",
            "pip install bitsandbytes, or set train.use_8bit_adam: false",
        ) from error
    return AdamW8bit(adapter.parameters(), **options)
