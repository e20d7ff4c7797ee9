"""Which tensors are alive while code runs, and the most bytes that ever were at once."""

from __future__ import annotations

import weakref
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from typing import Any, Literal

import torch
from torch._subclasses.fake_tensor import FakeTensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

Purpose = Literal["frozen", "trained", "gradients", "optimizer", "batch", "saved", "temporary"]
# The purposes of what a step makes and gives up again.
WORK: tuple[Purpose, ...] = ("saved", "temporary")
# What a fake tensor is asked that only content could tell.
_ANSWERS: dict[Any, Callable[[torch.Tensor], Any]] = {
    torch.ops.aten._local_scalar_dense.default: lambda x: 1.0 if x.is_floating_point() else 1,
    torch.ops.aten.nonzero.default: lambda x: x.new_empty((0, x.ndim), dtype=torch.int64),
}


class Ledger(TorchDispatchMode):
    """Counts every storage once, from the operation that makes it until nothing holds it any more.

    Works on fake tensors (FakeTensorMode), which take no memory, and on real ones alike. Asked for its value, a fake
    tensor answers 1; asked which of its values are not 0, none: whoever branches on values must know.
    """

    def __init__(self) -> None:
        super().__init__()
        self.live: Counter[Purpose] = Counter()
        self._purposes: dict[int, Purpose] = {}
        self.restart()

    def restart(self) -> None:
        """Forget the heights so far. peak: the most bytes at once; most: the same of each purpose. kept: the most work
        there was when a backward pass began. no_grad: the most that is temporary while no graph is made."""
        self.peak, self.most = sum(self.live.values()), self.live.copy()
        self.kept = self.no_grad = 0
        self._backward = -1

    def own(self, purpose: Purpose, tensors: Iterable[torch.Tensor]) -> None:
        """The memory of these tensors serves this purpose from now on."""
        for tensor in tensors:
            storage = tensor.untyped_storage()
            key, size = storage._cdata, storage.nbytes()
            if key in self._purposes:
                self.live[self._purposes[key]] -= size
            else:
                # The Python object lives as long as the storage itself.
                weakref.finalize(storage, self._free, key, size)
            self._purposes[key] = purpose
            self.live[purpose] += size
            self.most[purpose] = max(self.most[purpose], self.live[purpose])

    def watch_autograd(self) -> AbstractContextManager[Any]:
        """Within it, what a graph keeps for its backward pass is `saved` and no longer `temporary`."""

        def pack(tensor: torch.Tensor) -> torch.Tensor:
            if self._purposes.get(tensor.untyped_storage()._cdata) == "temporary":
                self.own("saved", [tensor])
            return tensor

        return torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor)

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        self._note_backward()
        if func in _ANSWERS and isinstance(args[0], FakeTensor):
            return _ANSWERS[func](args[0])
        result = func(*args, **(kwargs or {}))
        made = (leaf for leaf in tree_leaves(result) if isinstance(leaf, torch.Tensor))
        self.own("temporary", (tensor for tensor in made if tensor.untyped_storage()._cdata not in self._purposes))
        self.peak = max(self.peak, sum(self.live.values()))
        if self._backward == -1 and not torch.is_grad_enabled():
            self.no_grad = max(self.no_grad, self.live["temporary"])
        return result

    @property
    def _work(self) -> int:
        return sum(self.live[purpose] for purpose in WORK)

    def _note_backward(self) -> None:
        task = torch._C._current_graph_task_id()
        if task not in (-1, self._backward):
            self.kept = max(self.kept, self._work)
        self._backward = task

    def _free(self, key: int, size: int) -> None:
        self.live[self._purposes.pop(key)] -= size
