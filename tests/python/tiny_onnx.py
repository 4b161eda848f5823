"""Networks of a few ops as the bytes of ONNX files, so that tests can say what they explain.

Just the messages and fields that such a file needs, written as the wire format of protobuf has them.
"""

import re
import struct

import numpy as np

_TYPES = {"float32": 1, "int64": 7}


def network(lines, n_features, weights=None, output="y"):
    """The file of a graph written as ``result = Op(operand, …)``, from ``x [N, *n_features]`` to ``output``."""
    shape = n_features if isinstance(n_features, tuple) else (n_features,)
    tensors = {name: np.asarray(values) for name, values in (weights or {}).items()}
    graph = b"".join(_part(1, _node(line)) for line in lines)
    graph += _part(2, b"tiny") + b"".join(_part(5, _tensor(name, values)) for name, values in tensors.items())
    graph += _part(11, _value("x", shape)) + _part(12, _value(output, None))
    opset = _number(2, 17)
    return _number(1, 8) + _part(7, graph) + _part(8, opset)


def _node(line):
    result, op, operands = re.fullmatch(r"(\w+) = (\w+)\((.*)\)", line).groups()
    inputs = b"".join(_part(1, name.encode()) for name in re.split(r",\s*", operands))
    return inputs + _part(2, result.encode()) + _part(3, result.encode()) + _part(4, op.encode())


def _tensor(name, values):
    values = values.astype("int64" if values.dtype.kind == "i" else "float32")
    dims = b"".join(_number(1, length) for length in values.shape)
    return dims + _number(2, _TYPES[str(values.dtype)]) + _part(8, name.encode()) + _part(9, values.tobytes())


def _value(name, shape):
    tensor = _number(1, _TYPES["float32"])
    if shape is not None:
        dims = _part(1, _part(2, b"N")) + b"".join(_part(1, _number(1, length)) for length in shape)
        tensor += _part(2, dims)
    return _part(1, name.encode()) + _part(2, _part(1, tensor))


def _number(field, value):
    return _varint(field << 3) + _varint(value)


def _part(field, data):
    return _varint(field << 3 | 2) + _varint(len(data)) + data


def _varint(value):
    data = b""
    while value >= 0x80:
        data += struct.pack("B", value & 0x7F | 0x80)
        value >>= 7
    return data + struct.pack("B", value)
