"""Named arrays as bytes: for what changes its length from save to save."""

import io
import json

import numpy as np


def pack(arrays: dict[str, np.ndarray]) -> bytes:
    """One line of JSON, then the arrays. Equal arrays make equal bytes."""
    ordered = {name: np.ascontiguousarray(arrays[name]).reshape(np.shape(arrays[name])) for name in sorted(arrays)}
    head = [[name, array.dtype.str, list(array.shape)] for name, array in ordered.items()]
    return b"\n".join([json.dumps(head).encode(), b"".join(array.tobytes() for array in ordered.values())])


def unpack(data: bytes) -> dict[str, np.ndarray]:
    """The inverse of `pack`."""
    stream = io.BytesIO(data)
    arrays = {}
    for name, dtype, shape in json.loads(stream.readline()):
        count = int(np.prod(shape, dtype=np.int64))
        raw = stream.read(count * np.dtype(dtype).itemsize)
        arrays[name] = np.frombuffer(raw, dtype).reshape(shape).copy()
    return arrays
