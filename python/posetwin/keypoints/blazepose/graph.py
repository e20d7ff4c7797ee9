"""A TFLite model as a torch module."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import nn

from posetwin.keypoints.blazepose.flatbuffer import Model, Node, read_tflite
from posetwin.keypoints.blazepose.operators import make_operator


class TFLiteGraph(nn.Module):
    """Runs a model's nodes in their order, differentiable in its one input; the weights are buffers, so frozen."""

    def __init__(self, model: Model) -> None:
        super().__init__()
        self.nodes, self.input, self.outputs = model.nodes, model.inputs[0], model.outputs
        self.operators = nn.ModuleList(make_operator(node, model.constants) for node in model.nodes)
        self._sources = [[n for n in node.inputs if n not in model.constants] for node in model.nodes]
        self._plans: dict[tuple[int, ...], list[int]] = {}

    def _plan(self, wanted: tuple[int, ...]) -> list[int]:
        """The positions of the nodes that these outputs depend on."""
        if wanted not in self._plans:
            needed, steps = {self.outputs[index] for index in wanted}, []
            for step in range(len(self.nodes) - 1, -1, -1):
                if self.nodes[step].output in needed:
                    needed.update(self._sources[step])
                    steps.append(step)
            self._plans[wanted] = steps[::-1]
        return self._plans[wanted]

    def forward(self, x: torch.Tensor, wanted: tuple[int, ...]) -> list[torch.Tensor]:
        """x: (B, C, H, W). wanted: positions among the model's outputs; what only others need is not computed.

        Images come back as (B, C, H, W), other outputs in the shape the file gives, with batch B.
        """
        values = {self.input: x}
        for step in self._plan(wanted):
            node: Node = self.nodes[step]
            values[node.output] = self.operators[step](*(values[number] for number in self._sources[step]))
        return [values[self.outputs[index]] for index in wanted]


def load_graph(path: Path) -> TFLiteGraph:
    """In eval mode, float32, on the CPU. Raises PosetwinError: wrong_weights."""
    return TFLiteGraph(read_tflite(path)).eval()
