"""ONNX networks of a few numbers with the inputs and outputs of YuNet and SFace, so that OpenCV's own classes run.

Written as protobuf wire format by hand (onnx.proto, opset 13): a dozen fields, and no dependency for them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Size = int | str
"""A dimension: a number, or the name of one that is open."""

_FLOAT, _INT64 = 1, 7
_AS_FLOAT, _AS_INT, _AS_INTS = 1, 2, 7
_STRIDES = (8, 16, 32)
_STEEP = 40.0


def tiny_yunet(side: tuple[float, float], points: Sequence[tuple[float, float]]) -> bytes:
    """Sees a face of `side` (width, height) wherever a cell of 8x8 pixels is pure red in BGR.

    The face's box has the cell's middle as its own; `points` lie relative to it.
    """
    nodes: list[bytes] = []
    tensors = [_tensor("as_rows", np.array([1, -1, 1], np.int64)), _tensor("as_boxes", np.array([1, -1, 4], np.int64)),
               _tensor("as_points", np.array([1, -1, 10], np.int64))]
    outputs = []
    for stride in _STRIDES:
        red = np.zeros((1, 3, stride, stride), np.float32)
        red[0] = np.array([-1, -1, 1], np.float32)[:, None, None] * _STEEP / (255 * stride**2)
        seen = -_STEEP * 0.75 if stride == _STRIDES[0] else -2 * _STEEP
        box = [0.5, 0.5, math.log(side[0] / stride), math.log(side[1] / stride)]
        kps = [0.5 + value / stride for point in points for value in point]
        heads = {
            "cls": (red, [seen], "as_rows"), "obj": (red, [seen], "as_rows"),
            "bbox": (np.zeros((4, 3, stride, stride), np.float32), box, "as_boxes"),
            "kps": (np.zeros((10, 3, stride, stride), np.float32), kps, "as_points"),
        }
        for head, (weights, bias, shape) in heads.items():
            name = f"{head}_{stride}"
            tensors += [_tensor(f"{name}.w", weights), _tensor(f"{name}.b", np.array(bias, np.float32))]
            nodes.append(_node("Conv", ["input", f"{name}.w", f"{name}.b"], f"{name}.conv", strides=[stride, stride],
                               kernel_shape=[stride, stride]))
            last = f"{name}.conv"
            if head in ("cls", "obj"):
                nodes.append(_node("Sigmoid", [last], f"{name}.sigmoid"))
                last = f"{name}.sigmoid"
            nodes.append(_node("Transpose", [last], f"{name}.last", perm=[0, 2, 3, 1]))
            nodes.append(_node("Reshape", [f"{name}.last", shape], name))
            outputs.append(_value(name, [1, "cells", len(bias)]))
    return _model(nodes, tensors, [_value("input", [1, 3, "height", "width"])], outputs)


def tiny_sface(seed: int = 0) -> bytes:
    """A random projection of 8x8 averaged RGB fields onto 128 numbers."""
    rng = np.random.default_rng(seed)
    fields = np.zeros((3, 3, 14, 14), np.float32)
    for channel in range(3):
        fields[channel, channel] = 1 / (14 * 14 * 255)
    tensors = [
        _tensor("fields.w", fields), _tensor("fields.b", np.full(3, -0.4, np.float32)),
        _tensor("mix.w", rng.normal(size=(192, 128)).astype(np.float32)), _tensor("mix.b", np.zeros(128, np.float32)),
    ]
    nodes = [
        _node("Conv", ["data", "fields.w", "fields.b"], "fields", strides=[14, 14], kernel_shape=[14, 14]),
        _node("Flatten", ["fields"], "flat", axis=1),
        _node("Gemm", ["flat", "mix.w", "mix.b"], "fc1"),
    ]
    return _model(nodes, tensors, [_value("data", [1, 3, 112, 112])], [_value("fc1", [1, 128])])


def _model(nodes: list[bytes], tensors: list[bytes], inputs: list[bytes], outputs: list[bytes]) -> bytes:
    graph = b"".join([
        *(_bytes(1, node) for node in nodes), _bytes(2, b"tiny"), *(_bytes(5, tensor) for tensor in tensors),
        *(_bytes(11, value) for value in inputs), *(_bytes(12, value) for value in outputs),
    ])
    return _number(1, 8) + _bytes(7, graph) + _bytes(8, _number(2, 13))


def _node(kind: str, inputs: list[str], output: str, **attributes: int | list[int]) -> bytes:
    parts = [_bytes(1, name.encode()) for name in inputs] + [_bytes(2, output.encode()), _bytes(3, output.encode())]
    parts.append(_bytes(4, kind.encode()))
    for name, value in attributes.items():
        held = b"".join(_number(8, one) for one in value) if isinstance(value, list) else _number(3, value)
        kind_of = _AS_INTS if isinstance(value, list) else _AS_INT
        parts.append(_bytes(5, _bytes(1, name.encode()) + held + _number(20, kind_of)))
    return b"".join(parts)


def _tensor(name: str, values: npt.NDArray[np.float32] | npt.NDArray[np.int64]) -> bytes:
    kind = _FLOAT if values.dtype == np.float32 else _INT64
    return b"".join(_number(1, size) for size in values.shape) + _number(2, kind) + _bytes(8, name.encode()) + _bytes(
        9, values.tobytes())


def _value(name: str, shape: Sequence[Size]) -> bytes:
    dims = b"".join(_bytes(1, _number(1, one) if isinstance(one, int) else _bytes(2, one.encode())) for one in shape)
    return _bytes(1, name.encode()) + _bytes(2, _bytes(1, _number(1, _FLOAT) + _bytes(2, dims)))


def _number(field: int, value: int) -> bytes:
    return _varint(field << 3) + _varint(value & (2**64 - 1))


def _bytes(field: int, value: bytes) -> bytes:
    return _varint(field << 3 | 2) + _varint(len(value)) + value


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)
