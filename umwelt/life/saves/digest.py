"""What a value is made of, leaf by leaf, and its fingerprint."""

import dataclasses
import hashlib
import json
import struct
from typing import Any

import jax
import numpy as np

from umwelt.core import part

ARRAY, KEY, CODE = "array", "key", "code"
PLAIN: dict[str, Any] = {kind.__name__: kind for kind in (bool, int, float, complex, str, bytes)}


@part
class Leaf:
    """One leaf of a pytree, on the host.

    path: where it stands, as `jax.tree_util.keystr` writes it.
    kind: "array" (JAX or NumPy), "key" (typed random keys), "code" (a function, which is never data),
        or the name of a plain Python type: bool, int, float, complex, str, bytes.
    value: a NumPy array (of the raw words of a key), a Python value, or None for code.
    form: the dtype of an array, the generator of a key, else "".
    """

    path: str
    kind: str
    value: Any
    form: str = ""


def leaves(value: Any) -> list[Leaf]:
    """Every leaf of a pytree in its order. A leaf that cannot be kept raises TypeError with its path."""
    return [_leaf(jax.tree_util.keystr(path), leaf) for path, leaf in jax.tree.leaves_with_path(value)]


def digest(value: Any) -> str:
    """sha256 over the paths, kinds, dtypes, shapes and exact bits of all leaves (NaN payloads included).

    A NumPy array and a JAX array of the same bits agree. Functions count by their place only.
    """
    total = hashlib.sha256()
    for leaf in leaves(value):
        data = raw(leaf.value) if leaf.kind in (ARRAY, KEY) else exact(leaf.value).encode()
        head = [leaf.path, leaf.kind, leaf.form, list(np.shape(leaf.value)), len(data)]
        total.update(json.dumps(head).encode() + b"\n")
        total.update(data)
    return total.hexdigest()


def statics(value: Any, path: str = "") -> dict[str, str]:
    """The static fields of all structs and modules inside `value` that hold plain data: path -> exact text."""
    found: dict[str, str] = {}
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        for field in dataclasses.fields(value):
            child = getattr(value, field.name, None)
            where = f"{path}.{field.name}"
            if not field.metadata.get("static"):
                found |= statics(child, where)
            elif _plain(child):
                found[where] = exact(child)
    elif isinstance(value, dict):
        for name, child in value.items():
            found |= statics(child, f"{path}[{name!r}]")
    elif isinstance(value, list | tuple):
        for index, child in enumerate(value):
            found |= statics(child, f"{path}[{index}]")
    return found


def raw(array: np.ndarray) -> memoryview:
    """The bytes of an array in row-major order, not copied where they already lie so."""
    return np.ascontiguousarray(array).reshape(-1).view(np.uint8).data


def exact(value: Any) -> str:
    """A plain Python value as text that keeps every bit; `plain` is its inverse."""
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, float):
        return struct.pack("<d", value).hex()
    if isinstance(value, complex):
        return struct.pack("<dd", value.real, value.imag).hex()
    if isinstance(value, tuple | list | dict):
        items = value.items() if isinstance(value, dict) else value
        return f"{type(value).__name__}({', '.join(exact(item) for item in items)})"
    return str(value)


def plain(kind: str, text: str) -> Any:
    """The Python value of type `kind` that `exact` wrote."""
    if kind == "bool":
        return text == "True"
    if kind == "bytes":
        return bytes.fromhex(text)
    if kind == "float":
        return struct.unpack("<d", bytes.fromhex(text))[0]
    if kind == "complex":
        return complex(*struct.unpack("<dd", bytes.fromhex(text)))
    return PLAIN[kind](text)


def is_key(leaf: Any) -> bool:
    """True for typed random keys, and for the abstract form of one."""
    return hasattr(leaf, "dtype") and jax.numpy.issubdtype(leaf.dtype, jax.dtypes.prng_key)


def _leaf(path: str, leaf: Any) -> Leaf:
    if is_key(leaf):
        words = np.asarray(jax.random.key_data(leaf))
        return Leaf(path=path, kind=KEY, value=words, form=str(jax.random.key_impl(leaf)))
    if isinstance(leaf, jax.Array | np.ndarray | np.generic):
        array = np.asarray(leaf)
        if array.dtype.kind not in "biufc" and array.dtype.type.__module__ != "ml_dtypes":
            raise TypeError(f"leaf {path} is an array of {array.dtype}, which is not data; keep numbers, text or bytes there")
        if not array.dtype.isnative:
            array = array.astype(array.dtype.newbyteorder("="))
        return Leaf(path=path, kind=ARRAY, value=array, form=array.dtype.name)
    if type(leaf).__name__ in PLAIN and type(leaf) is PLAIN[type(leaf).__name__]:
        return Leaf(path=path, kind=type(leaf).__name__, value=leaf)
    if callable(leaf):
        return Leaf(path=path, kind=CODE, value=None)
    raise TypeError(f"leaf {path} is a {type(leaf).__name__}, which cannot be kept; make it an array or a static field")


def _plain(value: Any) -> bool:
    if isinstance(value, dict):
        return all(_plain(item) for item in value.items())
    if isinstance(value, tuple | list):
        return all(_plain(item) for item in value)
    return value is None or isinstance(value, tuple(PLAIN.values()))
