"""Turn what an environment shows into what a policy reads, and what a policy chose into what the environment takes.

A description in JSON says how; `umwelt.policy.describing` writes it. A copy of this file travels in every exported policy,
so it needs NumPy alone.
"""

import math
from typing import Any

import numpy as np

NUMBERS = "fiub"
"""The kinds of NumPy's types that hold numbers."""


class Codec:
    """The two directions for one observation at a time, or (rows) for so many at once.

    observation, action: descriptions. Leaves are arrays [N, ...] in the order of the life's own spaces, N = 1 without rows.
    """

    def __init__(self, description: dict[str, Any], rows: int | None = None) -> None:
        self.description, self.rows = description, rows
        self.lead: tuple[int, ...] = () if rows is None else (rows,)
        self._seen, self._done = description["observation"], _prepared(description["action"])

    def observation(self, raw: Any) -> list[np.ndarray]:
        """The leaves [N, ...] of an observation, or of a batch: batched arrays, or a list of single observations."""
        if self.rows is not None and isinstance(raw, list) and self._seen["kind"] not in ("array", "choice", "vector", "bytes"):
            _fits(len(raw) == self.rows, "observation", f"a list of {self.rows} observations", f"{len(raw)} of them")
            each = [_leaves(self._seen, one, (), f"observation[{row}]") for row, one in enumerate(raw)]
            found = [np.stack(leaf) for leaf in zip(*each, strict=True)]
        else:
            found = _leaves(self._seen, raw, self.lead, "observation")
            found = found if self.lead else [leaf[None] for leaf in found]
        for leaf in found:
            if leaf.dtype.kind == "f" and not np.isfinite(leaf).all():
                raise ValueError("observation: it holds NaN or infinity; expected finite numbers")
        return found

    def action(self, leaves: list[np.ndarray]) -> Any:
        """The environment's own action, or N of them, from leaves [N, ...]."""
        return _own(self._done, iter(leaves if self.lead else [leaf[0] for leaf in leaves]))

    def action_leaves(self, actions: Any) -> list[np.ndarray]:
        """The leaves [H, N, ...] of H actions in the environment's own form, [H, ...] or [H, N, ...] of a batch."""
        count = _count(self._done, actions)
        found = _chosen(self._done, actions, (count, *self.lead), "actions")
        return found if self.lead else [leaf[:, None] for leaf in found]


def _fits(fine: bool, name: str, expected: str, found: str) -> None:
    if not fine:
        raise ValueError(f"{name}: expected {expected}, and it is {found}")


def _array(raw: Any, shape: tuple[int, ...], name: str, kinds: str = NUMBERS) -> np.ndarray:
    """Numbers of one shape; anything else is a ValueError."""
    what = "whole numbers" if "f" not in kinds else "numbers"
    expected = f"{what} of shape {list(shape)}"
    if raw is None or isinstance(raw, str | bytes | dict | set):
        raise ValueError(f"{name}: expected {expected}, and it is of type {type(raw).__name__}")
    try:
        found = np.asarray(raw)
    except ValueError as error:
        raise ValueError(f"{name}: expected {expected}, and it is no array ({error})") from error
    _fits(found.dtype.kind in kinds, name, expected, f"of type {found.dtype}")
    _fits(found.shape == shape, name, expected, f"of shape {list(found.shape)}")
    return found


def _parts(node: dict[str, Any], raw: Any, name: str) -> list[tuple[dict[str, Any], Any, str]]:
    """(description, value, name) of each part of a dictionary or a tuple."""
    if node["kind"] == "tuple":
        count = len(node["parts"])
        _fits(isinstance(raw, tuple | list), name, f"a tuple of {count} parts", f"of type {type(raw).__name__}")
        _fits(len(raw) == count, name, f"a tuple of {count} parts", f"one of {len(raw)}")
        return [(part, raw[index], f"{name}[{index}]") for index, part in enumerate(node["parts"])]
    names = node["names"]
    values = raw if hasattr(raw, "keys") else getattr(raw, "__dict__", None)
    missing = [each for each in names if values is None or each not in values]
    if values is None or missing:
        found = f"without {', '.join(map(str, missing))}" if values is not None else f"of type {type(raw).__name__}"
        raise ValueError(f"{name}: expected entries {', '.join(map(str, names))}, and it is {found}")
    return [(part, values[each], f"{name}[{each!r}]") for each, part in zip(names, node["parts"], strict=True)]


def _leaves(node: dict[str, Any], raw: Any, lead: tuple[int, ...], name: str) -> list[np.ndarray]:
    """The leaves of an observation, each of shape [*lead, ...]."""
    kind = node["kind"]
    if kind in ("entries", "tuple"):
        return [leaf for inner, value, called in _parts(node, raw, name) for leaf in _leaves(inner, value, lead, called)]
    if kind == "flat":
        parts = _flat(node["space"], raw, lead, name)
        return [parts[0] if len(parts) == 1 else np.concatenate(parts, axis=-1)]
    if kind == "sized":
        pieces = zip(node["sizes"], _parts(node, raw, name), strict=True)
        return [np.concatenate([_sized(value, size, lead, called) for size, (_, value, called) in pieces], axis=-1)]
    if kind == "choice":
        found = _array(raw, lead, name, "iub")
        _within(found, 0, node["n"], name)
        return [found.astype(np.int32)]
    found = _array(raw, (*lead, *node["shape"]), name, "iu" if kind == "bytes" else NUMBERS)
    if kind == "vector":
        return [_float32(found).reshape(*lead, -1)]
    if kind == "bytes":
        _within(found, 0, 256, name)
        if "axes" in node:  # a picture whose channels do not stand last
            found = found.transpose(*range(len(lead)), *(len(lead) + axis for axis in node["axes"])).reshape(*lead, *node["made"])
        return [found.astype(np.uint8)]
    if np.dtype(node["dtype"]).kind in "iu":
        limits = np.iinfo(node["dtype"])
        _within(found, int(limits.min), int(limits.max) + 1, name)
    return [_float32(found) if node["dtype"] == "float32" else found.astype(node["dtype"])]


def _float32(found: np.ndarray) -> np.ndarray:
    with np.errstate(over="ignore"):  # what is too large becomes infinite, and is refused afterwards
        return found.astype(np.float32, copy=False)


def _sized(raw: Any, size: int, lead: tuple[int, ...], name: str) -> np.ndarray:
    found = np.asarray(raw)
    fine = found.dtype.kind in NUMBERS and found.size == size * math.prod(lead)
    _fits(fine, name, f"{[*lead, size]} numbers", f"{found.dtype}{list(found.shape)}")
    return found.reshape(*lead, size).astype(np.float32)


def _within(found: np.ndarray, low: Any, beyond: Any, name: str) -> None:
    """Raise where whole numbers leave low .. beyond - 1, whose edges may be arrays."""
    if ((found < low) | (found >= beyond)).any():
        last = np.max(np.asarray(beyond)) - 1
        raise ValueError(f"{name}: expected whole numbers {np.min(np.asarray(low))} .. {last}, and it is {found.tolist()}")


def _flat(space: dict[str, Any], raw: Any, lead: tuple[int, ...], name: str) -> list[np.ndarray]:
    """The numbers of a value of a Gymnasium space as Gymnasium flattens it, float32 [*lead, width] each."""
    kind = space["kind"]
    if kind in ("entries", "tuple"):
        return [flat for inner, value, called in _parts(space, raw, name) for flat in _flat(inner, value, lead, called)]
    if kind == "text":
        return [_spelt(space, raw, lead, name)]
    if kind == "one of":
        return [_alternative(space, raw, lead, name)]
    shape = (*lead, *space["shape"])
    if kind == "box":
        return [_float32(_array(raw, shape, name).astype(space["dtype"])).reshape(*lead, -1)]
    found = _array(raw, shape, name, NUMBERS if kind == "binary" else "iub").reshape(*lead, -1)
    if kind == "binary":
        _fits(bool(((found == 0) | (found == 1)).all()), name, "zeros and ones", str(found.tolist()))
        return [found.astype(np.float32)]
    counts, start = np.asarray(space["counts"]), np.asarray(space["start"])
    _within(found, start, start + counts, name)
    hot = np.zeros((*lead, int(counts.sum())), np.float32)
    np.put_along_axis(hot, found.astype(np.int64) - start + (np.cumsum(counts) - counts), 1.0, axis=-1)
    return [hot]


def _spelt(space: dict[str, Any], raw: Any, lead: tuple[int, ...], name: str) -> np.ndarray:
    """The places of a text's letters among the known ones, filled up to the longest text."""
    letters, length = space["letters"], space["length"]
    texts = [raw] if not lead else list(raw)
    made = np.full((len(texts), length), len(letters), np.float32)
    for row, text in enumerate(texts):
        fine = isinstance(text, str) and space["shortest"] <= len(text) <= length and set(text) <= set(letters)
        _fits(fine, name, f"a text of {space['shortest']} .. {length} letters of {letters!r}", repr(text))
        made[row, : len(text)] = [letters.index(letter) for letter in text]
    return made if lead else made[0]


def _alternative(space: dict[str, Any], raw: Any, lead: tuple[int, ...], name: str) -> np.ndarray:
    """Which of several spaces, and the numbers of a value of it, filled up with the first of them to the widest space."""
    made = []
    for row, pair in enumerate(list(raw) if lead else [raw]):
        called, count = f"{name}[{row}]" if lead else name, len(space["parts"])
        _fits(isinstance(pair, tuple | list) and len(pair) == 2, called, "a pair (which, value)", repr(pair)[:80])
        which = int(_array(pair[0], (), f"{called}[0]", "iu"))
        _within(np.asarray(which), 0, count, f"{called}[0]")
        flat = np.concatenate(_flat(space["parts"][which], pair[1], (), f"{called}[1]"))
        made.append(
            np.concatenate([np.full(1, which, np.float32), flat, np.full(space["width"] - flat.size, flat[0], np.float32)])
        )
    _fits(not lead or len(made) == lead[0], name, f"{lead} pairs", f"{len(made)} of them")
    return np.stack(made) if lead else made[0]


def _prepared(node: dict[str, Any]) -> dict[str, Any]:
    """The description of actions, its bounds and tables made once."""
    if "parts" in node:
        return {**node, "parts": [_prepared(part) for part in node["parts"]]}
    if node["kind"] == "table":
        counts, shape = node["counts"], node["shape"]
        rows = np.stack(np.unravel_index(np.arange(math.prod(counts)), counts), axis=-1) + np.asarray(node["start"])
        return {**node, "table": rows.astype(node["dtype"]).reshape(-1, *shape)}
    if node["kind"] == "box":
        edges = [np.broadcast_to(np.asarray(node[side], node["dtype"]), node["shape"]) for side in ("low", "high")]
        return {**node, "low": edges[0], "high": edges[1]}
    return node


def _own(node: dict[str, Any], leaves: Any) -> Any:
    """The environment's own action."""
    kind = node["kind"]
    if kind == "entries":
        return {name: _own(part, leaves) for name, part in zip(node["names"], node["parts"], strict=True)}
    if kind == "tuple":
        return tuple(_own(part, leaves) for part in node["parts"])
    leaf = next(leaves)
    if kind == "box":
        return np.minimum(np.maximum(leaf, node["low"]), node["high"]).astype(node["dtype"], copy=False)
    if kind == "table":
        return node["table"][leaf]
    start = node.get("start")  # none where the world takes the arrays of its spec
    if start is None:
        return np.asarray(leaf, np.int32)
    return int(leaf) + start if np.ndim(leaf) == 0 else np.asarray(leaf, np.int64) + start


def _count(node: dict[str, Any], actions: Any) -> int:
    """How many actions there are, by the first leaf."""
    while "parts" in node:
        node, actions, _ = _parts(node, actions, "actions")[0]
    _fits(np.ndim(actions) > 0 and len(actions) > 0, "actions", "[H, ...], one for each step", f"of shape {np.shape(actions)}")
    return len(actions)


def _chosen(node: dict[str, Any], raw: Any, lead: tuple[int, ...], name: str) -> list[np.ndarray]:
    """The leaves of actions in the environment's own form, each of shape [*lead, ...]."""
    if "parts" in node:
        return [leaf for inner, value, called in _parts(node, raw, name) for leaf in _chosen(inner, value, lead, called)]
    if node["kind"] == "box":
        return [_array(raw, (*lead, *node["shape"]), name).astype(node["form"])]
    if node["kind"] == "choice":
        found = _array(raw, lead, name, "iub") - (node.get("start") or 0)
        _within(found, 0, node["n"], name)
        return [found.astype(np.int32)]
    found = _array(raw, (*lead, *node["shape"]), name, "iub").reshape(*lead, -1).astype(np.int64)
    counts, start = np.asarray(node["counts"]), np.asarray(node["start"])
    _within(found, start, start + counts, name)
    places = np.ravel_multi_index(tuple(np.moveaxis(found - start, -1, 0)), tuple(node["counts"]))
    return [np.asarray(places, np.int32)]
