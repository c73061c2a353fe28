"""The checker of sources: does a part yield shown experience as the contract says?

A source is asked in plain Python. So `shapes` looks at its first piece, and `values` at every row of every piece.
"""

from collections.abc import Callable
from typing import Any

import jax
import numpy as np

from umwelt.check.base import Depth, Report, parameter_names, same_form, same_values, wants_values
from umwelt.core import FIRST, SHOWN, TERMINATED, WATCHED, Experience, WorldSpec, spaces
from umwelt.core.contracts import Source

METHODS = ("read",)
SLACK = 1e-4
"""Relative difference that two sums of rewards may have."""


def source(instance: Any, spec: WorldSpec, key: jax.Array | None = None, depth: Depth = "values") -> Report:
    """Report every broken promise of a source, each in a sentence with its mend.

    spec: of the world of the life that is shown it.
    depth: "shapes" reads the first piece alone; "values" reads all, twice.
    """
    report, values = Report("source", type(instance).__name__), wants_values(depth)
    key = jax.random.key(0) if key is None else key
    if not report.rule("parameter names", lambda: parameter_names(Source, instance, METHODS)):
        return report
    pieces: list[Experience] = []

    def read(most: int | None) -> None:
        for piece in instance.read(key, spec):
            pieces.append(jax.tree.map(np.asarray, piece))
            if most is not None and len(pieces) >= most:
                return

    if not report.rule("reads", lambda: read(None if values else 1)):
        return report
    if not report.rule("the form of a piece", lambda: _form(pieces, spec)) or not values:
        return report
    whole = jax.tree.map(lambda *leaves: np.concatenate(leaves), *pieces)
    rules: dict[str, Callable[[], str]] = {
        "origins": lambda: _origins(whole),
        "inside the spaces": lambda: _inside(whole, spec),
        "streams in order": lambda: _streams(whole),
        "whole episodes": lambda: _episodes(whole),
        "rewards to come": lambda: _to_come(whole),
        "same key, same pieces": lambda: _repeats(instance, spec, key, pieces),
    }
    for name, check in rules.items():
        report.rule(name, check)
    return report


def _form(pieces: list[Experience], spec: WorldSpec) -> str:
    """Every piece has leading axes [T, B] and the dtypes of the spaces."""
    if not pieces:
        return "it yields no piece at all"
    for piece in pieces:
        lead = np.shape(piece.origin)
        if len(lead) != 2 or lead[1] != spec.batch or lead[0] < 1:
            return f"a piece has leading axes {list(lead)}, where [T, B] with B = {spec.batch} is asked for"
        parts = {
            "step.observation": (spec.observation, piece.step.observation),
            "next.observation": (spec.observation, piece.next.observation),
            "action": (spec.action, piece.action),
        }
        for name, (space, value) in parts.items():
            wanted = jax.eval_shape(lambda space=space, lead=lead: spaces.zeros(space, *lead))
            if sentence := same_form(wanted, value, name):
                return f"against the spaces of {spec.name}, {sentence}"
        dtypes = {"step.kind": np.int8, "next.kind": np.int8, "origin": np.int8, "to_come": np.float32}
        for name, dtype in dtypes.items():
            value: Any = piece
            for part in name.split("."):
                value = getattr(value, part)
            if value is None or np.shape(value) != lead or value.dtype != dtype:
                return f"{name} is {_described(value)}, where {np.dtype(dtype)}{list(lead)} is asked for"
    return ""


def _described(value: Any) -> str:
    return "None" if value is None else f"{value.dtype}{list(np.shape(value))}"


def _origins(whole: Experience) -> str:
    if not np.isin(whole.origin, [SHOWN, WATCHED]).all():
        return "an origin is neither SHOWN nor WATCHED; a source yields what another agent did"
    watched = whole.origin == WATCHED
    if any(np.any(leaf[watched] != 0) for leaf in jax.tree.leaves(whole.action)):
        return "a WATCHED row has an action; its actions are zeros, because they are unknown"
    return ""


def _inside(whole: Experience, spec: WorldSpec) -> str:
    valid = np.asarray(whole.valid)
    if not valid.any():
        return "no row is `valid`"
    rows = jax.tree.map(lambda leaf: leaf[valid], (whole.step.observation, whole.next.observation))
    acted = jax.tree.map(lambda leaf: leaf[np.asarray(whole.acted)], whole.action)
    parts = (("observation", spec.observation, rows[0]), ("next observation", spec.observation, rows[1]))
    for name, space, value in (*parts, ("action", spec.action, acted)):
        if sentence := spaces.contains(space, value):
            return f"an {name} does not fit: {sentence}" if name[0] in "ao" else f"a {name} does not fit: {sentence}"
    return ""


def _blank(whole: Experience) -> np.ndarray:
    """bool [T, B]: rows that are neither transitions nor seams, which pad a stream."""
    return (whole.step.kind >= TERMINATED) & (whole.next.kind != FIRST)


def _streams(whole: Experience) -> str:
    """Every step that is not blank continues the step before, in its row."""
    blank = _blank(whole)
    if np.any(blank[:-1] & ~blank[1:]):
        return "a blank row stands inside a stream; pad a stream at its end alone"
    ticks, rows = np.nonzero(~blank[1:])
    before, after = (jax.tree.map(lambda leaf, shift=shift: leaf[ticks + shift, rows], whole) for shift in (0, 1))
    sentence = same_values(before.next, after.step, "next, against the step of the row below")
    return sentence and f"a piece does not continue its rows: {sentence}"


def _episodes(whole: Experience) -> str:
    """Every stream begins with FIRST and stops at an end."""
    blank = _blank(whole)
    for row in range(blank.shape[1]):
        ticks = np.flatnonzero(~blank[:, row])
        if not ticks.size:
            continue
        if whole.step.kind[ticks[0], row] != FIRST:
            return f"row {row} begins in the middle of an episode"
        if whole.next.kind[ticks[-1], row] < TERMINATED:
            return f"row {row} stops before its last episode ends; mark the last step TRUNCATED where nothing is known"
        first = whole.next.kind[ticks, row] == FIRST
        if np.any(first != (whole.step.kind[ticks, row] >= TERMINATED)):
            return f"row {row} has a FIRST step that follows no end, or an end that no FIRST step follows"
    return ""


def _to_come(whole: Experience) -> str:
    """Summed again, from the end of each row backwards."""
    total = np.zeros(whole.origin.shape[1], np.float64)
    for tick in reversed(range(len(whole.origin))):
        ended = whole.next.last[tick]
        total = whole.next.reward[tick].astype(np.float64) + np.where(ended, 0.0, total)
        wrong = np.abs(whole.to_come[tick] - total) > SLACK * (1 + np.abs(total))
        wrong &= np.asarray(whole.valid[tick])
        if wrong.any():
            row = int(np.argmax(wrong))
            return (
                f"`to_come` is {whole.to_come[tick, row]:g} at tick {tick} of row {row}, where the rewards from there to the"
                f" episode's end sum to {total[row]:g}"
            )
    return ""


def _repeats(instance: Any, spec: WorldSpec, key: jax.Array, pieces: list[Experience]) -> str:
    again = [jax.tree.map(np.asarray, piece) for piece in instance.read(key, spec)]
    if len(again) != len(pieces):
        return f"it yields {len(pieces)} pieces, and then {len(again)} for the same key"
    return next(filter(None, (same_values(*pair, "a piece") for pair in zip(pieces, again, strict=True))), "")
