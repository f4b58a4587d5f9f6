"""An ONNX network with YuNet's inputs and outputs and weights made by hand.

It does not detect faces: on the grid of stride 32 it gives each cell's mean red as its score and puts a box
and landmarks at known places of the cell. OpenCV reads it and decodes its outputs as it does YuNet's. It is
written field by field (protocol buffers, onnx.proto3), so that no further package is needed.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

BOX = (0.5, 0.5, np.log(0.5), np.log(0.75))
"""Offset of the middle from the cell's corner, and log of width and height, in cells."""

POINTS = np.array([[0.4, 0.3], [0.6, 0.3], [0.5, 0.5], [0.42, 0.7], [0.58, 0.7]])
"""Landmarks from the cell's corner, in cells: the eye that is left in the picture comes first."""


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes([*out, value])


def _whole(field: int, value: int) -> bytes:
    return _varint(field << 3) + _varint(value & (1 << 64) - 1)


def _bytes(field: int, value: bytes | str) -> bytes:
    value = value.encode() if isinstance(value, str) else value
    return _varint(field << 3 | 2) + _varint(len(value)) + value


def _array(name: str, values: np.ndarray) -> bytes:
    kind = 1 if values.dtype == np.float32 else 7
    shape = b"".join(_whole(1, side) for side in values.shape)
    return _bytes(5, shape + _whole(2, kind) + _bytes(8, name) + _bytes(9, values.tobytes()))


def _ports(field: int, name: str, shape: tuple[int, ...]) -> bytes:
    sides = b"".join(_bytes(1, _whole(1, side)) for side in shape)
    kind = _bytes(1, _whole(1, 1) + _bytes(2, sides))
    return _bytes(field, _bytes(1, name) + _bytes(2, kind))


def _node(kind: str, inputs: list[str], output: str, **numbers: list[int]) -> bytes:
    attributes = b"".join(
        _bytes(5, _bytes(1, name) + b"".join(_whole(8, v) for v in values) + _whole(20, 7))
        for name, values in numbers.items()
    )
    names = b"".join(_bytes(1, name) for name in inputs)
    return _bytes(1, names + _bytes(2, output) + _bytes(4, kind) + attributes)


def write(path: Path) -> Path:
    """Write the network."""
    nodes, arrays, outputs = b"", b"", b""
    biases = {"cls": [0.0], "obj": [0.0], "bbox": list(BOX), "kps": POINTS.ravel().tolist()}
    for stride in (8, 16, 32):
        for kind, bias in biases.items():
            name = f"{kind}_{stride}"
            kernel = np.zeros((len(bias), 3, stride, stride), np.float32)
            if kind in ("cls", "obj") and stride == 32:
                kernel[:, 2] = 1 / (255 * stride**2)  # OpenCV shows blue, green, red
            arrays += _array(f"{name}_w", kernel) + _array(f"{name}_b", np.array(bias, np.float32))
            arrays += _array(f"{name}_s", np.array([1, -1, len(bias)], np.int64))
            nodes += _node("Conv", ["input", f"{name}_w", f"{name}_b"], f"{name}_c",
                           kernel_shape=[stride] * 2, strides=[stride] * 2)  # fmt: skip
            nodes += _node("Transpose", [f"{name}_c"], f"{name}_t", perm=[0, 2, 3, 1])
            nodes += _node("Reshape", [f"{name}_t", f"{name}_s"], name)
            outputs += _ports(12, name, (1, (640 // stride) ** 2, len(bias)))
    graph = nodes + _bytes(2, "small") + arrays + _ports(11, "input", (1, 3, 640, 640)) + outputs
    opset = _bytes(8, _bytes(1, "") + _whole(2, 11))
    path.write_bytes(_whole(1, 6) + _bytes(7, graph) + opset)
    return path
