"""TFLite's sparse constants: dense axes with one compressed (CSR) axis last."""

from __future__ import annotations

from typing import Any

import numpy as np
import tflite

from posetwin.errors import PosetwinError

_VECTORS = {
    tflite.SparseIndexVector.Int32Vector: tflite.Int32Vector,
    tflite.SparseIndexVector.Uint16Vector: tflite.Uint16Vector,
    tflite.SparseIndexVector.Uint8Vector: tflite.Uint8Vector,
}


def _integers(kind: int, table: Any) -> np.ndarray:
    vector = _VECTORS[kind]()
    vector.Init(table.Bytes, table.Pos)
    return vector.ValuesAsNumpy().astype(np.int64)


def _is_rows_of_csr(sparsity: Any, axes: int) -> bool:
    formats = [sparsity.DimMetadata(axis).Format() for axis in range(sparsity.DimMetadataLength())]
    dense, compressed = tflite.DimensionType.DENSE, tflite.DimensionType.SPARSE_CSR
    in_order = sparsity.TraversalOrderAsNumpy().tolist() == list(range(axes))
    return in_order and sparsity.BlockMapLength() == 0 and formats == [dense] * (axes - 1) + [compressed]


def densify(values: np.ndarray, shape: tuple[int, ...], sparsity: Any) -> np.ndarray:
    """values: (n,) stored non-zeros → array of `shape`. Raises PosetwinError: wrong_weights for another packing."""
    if not _is_rows_of_csr(sparsity, len(shape)):
        raise PosetwinError("wrong_weights", "a sparse tensor is packed in a way that is not supported")
    last = sparsity.DimMetadata(len(shape) - 1)
    segments = _integers(last.ArraySegmentsType(), last.ArraySegments())
    columns = _integers(last.ArrayIndicesType(), last.ArrayIndices())
    rows = np.repeat(np.arange(len(segments) - 1), np.diff(segments))
    dense = np.zeros((len(segments) - 1, shape[-1]), values.dtype)
    dense[rows, columns] = values[: len(columns)]
    return dense.reshape(shape)
