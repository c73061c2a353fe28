"""From leaves to a manifest's table, and from a manifest and arrays back to a value."""

from collections.abc import Iterator
from typing import Any

import jax
import numpy as np

from umwelt.life.saves.digest import ARRAY, CODE, KEY, PLAIN, Leaf, exact, is_key, plain, statics


class NotAlike(Exception):
    """The saved value has another form than the one asked for. The message names the leaf."""


def table(value: Any, found: list[Leaf]) -> list[dict[str, Any]]:
    """What the manifest says of each leaf: path, kind, form, shape, and its text or the name of its array."""
    entries = []
    for index, (leaf, original) in enumerate(zip(found, jax.tree.leaves(value), strict=True)):
        entry: dict[str, Any] = {"path": leaf.path, "kind": leaf.kind}
        if leaf.kind in (ARRAY, KEY):
            entry |= {"form": leaf.form, "shape": list(leaf.value.shape), "on": _home(original)}
            if leaf.kind == KEY:
                entry["tag"] = str(original.dtype)
            if getattr(original, "weak_type", False):
                entry["weak"] = True
            if leaf.value.size:
                entry["file"] = f"{index:06d}"
        elif leaf.kind == "bytes" and leaf.value:
            entry["file"] = f"{index:06d}"
        elif leaf.kind != CODE:
            entry["text"] = exact(leaf.value)
        entries.append(entry)
    return entries


def fill(manifest: dict[str, Any], arrays: dict[str, np.ndarray], like: Any) -> Any:
    """The saved value in the structure of `like`, or as a dict {path: leaf} where `like` is None."""
    entries = manifest["leaves"]
    if like is None:
        kept = [entry for entry in entries if entry["kind"] != CODE]
        return {entry["path"]: _leaf(entry, arrays, entry.get("on")) for entry in kept}
    wanted = {jax.tree_util.keystr(path): leaf for path, leaf in jax.tree.leaves_with_path(like)}
    fault = next(_faults(manifest, wanted, like), "")
    if fault:
        raise NotAlike(f"{fault}; resume with the recipe and the versions that recipe.json names, or begin a new life")
    made = []
    for entry, leaf in zip(entries, wanted.values(), strict=True):
        made.append(leaf if entry["kind"] == CODE else _leaf(entry, arrays, _home(leaf)))
    return jax.tree.unflatten(jax.tree.structure(like), made)


def _faults(manifest: dict[str, Any], wanted: dict[str, Any], like: Any) -> Iterator[str]:
    """Sentences about how the saved form differs from the wanted one."""
    saved = {entry["path"]: entry for entry in manifest["leaves"]}
    for path, leaf in wanted.items():
        if path not in saved:
            yield f"leaf {path or 'at the root'} is wanted, but was not saved"
        elif _form(leaf) != _saved_form(saved[path]):
            yield f"leaf {path or 'at the root'} was saved as {_saved_form(saved[path])}, where {_form(leaf)} is wanted"
    for path in saved:
        if path not in wanted:
            yield f"leaf {path or 'at the root'} was saved, but is not wanted"
    if list(saved) != list(wanted):
        yield "the leaves were saved in another order"
    now = statics(like)
    for path, text in manifest["statics"].items():
        if now.get(path, text) != text:
            yield f"static field {path} had another value when the life was saved"


def _form(leaf: Any) -> str:
    if is_key(leaf):
        return f"{leaf.dtype}{list(leaf.shape)}"
    if hasattr(leaf, "dtype") and hasattr(leaf, "shape"):
        return f"{np.dtype(leaf.dtype).name}{list(leaf.shape)}"
    return type(leaf).__name__ if type(leaf).__name__ in PLAIN else CODE


def _saved_form(entry: dict[str, Any]) -> str:
    if entry["kind"] == KEY:
        return f"{entry['tag']}{entry['shape'][:-1]}"
    return f"{entry['form']}{entry['shape']}" if entry["kind"] == ARRAY else entry["kind"]


def _home(leaf: Any) -> str:
    if isinstance(leaf, np.generic):
        return "numpy scalar"
    return "numpy" if isinstance(leaf, np.ndarray) else "jax"


def _leaf(entry: dict[str, Any], arrays: dict[str, np.ndarray], home: str | None) -> Any:
    if entry["kind"] == "bytes" and "file" in entry:
        return arrays[entry["file"]].tobytes()
    if entry["kind"] in PLAIN:
        return plain(entry["kind"], entry["text"])
    dtype = np.dtype("uint32" if entry["kind"] == KEY else entry["form"])
    array = arrays[entry["file"]] if "file" in entry else np.zeros(entry["shape"], dtype)
    if entry["kind"] == KEY:
        return jax.random.wrap_key_data(jax.numpy.array(array), impl=entry["form"])
    if home != "jax":
        return array[()] if home == "numpy scalar" else array
    # `array(..., copy=True)` would round float64 to float32 on the way. The copy is needed, since JAX
    # may borrow NumPy's memory, which a donating program could not update in place.
    made = jax.numpy.copy(jax.numpy.asarray(array, dtype=dtype))
    if not entry.get("weak"):
        return made
    # Weakly typed, as numbers written in Python are: that is handed on by `at`, and by little else.
    return jax.numpy.full(made.shape, dtype.type(0).item()).at[...].set(made)
