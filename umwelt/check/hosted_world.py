"""Check the rules of a world that stands around a simulator and cannot be compiled."""

import inspect
from collections.abc import Callable
from typing import Any

import jax
import numpy as np

from umwelt.check.base import Report, same_values
from umwelt.check.walk import Subject, Walk
from umwelt.core import BROKEN, FIRST, TERMINATED, TimeStep, WorldSpec, keys

AHEAD = 10
"""How many steps are taken after a restore, to compare."""
PATIENT = 1.0
"""Seconds of a call above which the report remarks on it."""


def parameters(world: Any) -> str:
    """A sentence where a method of a hosted world is missing, or takes more or less than its one argument."""
    for method, argument in (("save", "ticket"), ("restore", "saved"), ("drain", "ticket"), ("close", "ticket")):
        found = getattr(world, method, None)
        if found is None:
            return f"it has no method `{method}`; a hosted world has {method}({argument})"
        given = list(inspect.signature(found).parameters)
        if len(given) != 1:
            return f"`{method}` takes ({', '.join(given)}), where a hosted world has {method}({argument})"
    return ""


def one_step(subject: Subject, form: Callable[[WorldSpec, Any], str]) -> str:
    """Begin, and take one step: a sentence where a step has not the form of the spec."""
    spec = subject.world.spec
    state, first = subject.init(subject.key, subject.default())
    try:
        fault = form(spec, first)
        if not fault:
            action = subject.native(subject.draw(subject.key, 0))
            state, second = subject.step(subject.key, state, action, subject.default())
            fault = form(spec, second)
    finally:
        subject.world.close(state)
    return fault


def examine(report: Report, subject: Subject, taken: Walk) -> None:
    """Add to the report the rules of a hosted world."""
    report.rule("episodes last", lambda: _broken(taken))
    _remark(report, taken)
    report.rule("NumPy steps", lambda: _numpy(taken))
    report.rule("steps are kept", lambda: _kept(taken))
    report.rule("stale ticket", lambda: _stale(subject, taken))
    report.rule("save and restore", lambda: _restores(subject, taken, min(len(taken.actions) // 2, 20)))
    report.rule("drain", lambda: _drain(subject))
    end = taken.ends()
    if end is not None:
        report.rule("save and restore at an end", lambda: _restores(subject, taken, end))
        report.rule("action after an end", lambda: _action_ignored(subject, taken, end))


def _broken(taken: Walk) -> str:
    """A sentence where the simulator failed on the way: how often, and how the first time."""
    kinds = np.stack([step.kind for step in taken.steps])
    broken, begun = int((kinds == BROKEN).sum()), int((kinds == FIRST).sum())
    if not broken:
        return ""
    first = int(np.argmax((kinds == BROKEN).any(axis=1)))
    told = next((f"{event.name}, {event.message}" for event in taken.events), "it reported no event")
    return (
        f"{broken} of {begun} episodes broke, the first after {first} steps: {told}; a life goes on with the next episode,"
        " and what is broken counts in no return"
    )


def _remark(report: Report, taken: Walk) -> None:
    """Say what no rule forbids and a life will suffer from: a simulator that is slow."""
    begins = [bool((step.kind == FIRST).any()) for step in taken.steps]
    for what, chosen in (("begin an episode", True), ("take a step", False)):
        spent = [seconds for seconds, begin in zip(taken.seconds, begins, strict=True) if begin == chosen]
        if spent and (typical := float(np.median(spent))) > PATIENT:
            report.notes.append(f"it takes {typical:.1f} s to {what}; 1,000 of them take {typical * 1000 / 60:,.0f} minutes")


def _numpy(taken: Walk) -> str:
    for step in taken.raw:
        for path, leaf in jax.tree.leaves_with_path(step):
            if not isinstance(leaf, np.ndarray):
                return f"the step{jax.tree_util.keystr(path)} is a {type(leaf).__name__}; a hosted world returns NumPy arrays"
    return ""


def _kept(taken: Walk) -> str:
    for index, (raw, copy) in enumerate(zip(taken.raw, taken.steps, strict=True)):
        if same_values(raw, copy, "the step"):
            return f"the step returned after {index} steps was overwritten later; return fresh arrays each time"
    return ""


def _stale(subject: Subject, taken: Walk) -> str:
    state, _ = _walk_again(subject, taken, 0)
    fresh, _ = subject.step(*_given(taken, 0, state))
    try:
        subject.step(*_given(taken, 0, state))
    except Exception:  # any error will do: the promise is that it does not go on
        return ""
    finally:
        subject.world.close(fresh)
    return (
        "a ticket that was already used was taken a second time; count the steps, and raise where the ticket is not the last one"
    )


def _restores(subject: Subject, taken: Walk, moment: int) -> str:
    """Walk up to `moment`, save, restore, and walk on: the steps must be the same."""
    state, step = _walk_again(subject, taken, moment)
    saved = subject.world.save(state)
    subject.world.close(state)
    wrong = [name for name, value in saved.items() if not isinstance(value, np.ndarray)]
    if wrong:
        return f"`save` returned a {type(saved[wrong[0]]).__name__} under {wrong[0]!r}; a checkpoint holds NumPy arrays"
    state, found = subject.world.restore(saved)
    difference = same_values(step, found, "the step")
    index = moment
    while not difference and index < min(moment + AHEAD, len(taken.actions)):
        state, found = subject.step(*_given(taken, index, state))
        index += 1
        difference = same_values(taken.steps[index], found, "the step")
    subject.world.close(state)
    if not difference:
        return ""
    return (
        f"saved after {moment} steps and restored, {difference} {index - moment} steps later; save all that the simulator needs"
    )


def _drain(subject: Subject) -> str:
    state, _ = subject.init(keys.fold(subject.key, "init"), subject.rows(0))
    events = subject.world.drain(state)
    subject.world.close(state)
    given = type(events).__name__
    return "" if isinstance(events, list) else f"`drain` returned a {given}; return the list of events since the last call"


def _action_ignored(subject: Subject, taken: Walk, end: int) -> str:
    key, _, action, task = taken.arguments(end)
    other = next((each for each in taken.actions if same_values(each, action, "")), action)
    rows = taken.steps[end].kind >= TERMINATED
    seen = []
    for each in (action, other):
        state, _ = _walk_again(subject, taken, end)
        state, step = subject.step(key, state, each, task)
        seen.append(jax.tree.map(lambda leaf: leaf[rows], step))
        subject.world.close(state)
    difference = same_values(seen[0], seen[1], "the FIRST step")
    return f"after an end the action still matters: {difference}; ignore it in the rows that begin again" if difference else ""


def _walk_again(subject: Subject, taken: Walk, moment: int) -> tuple[Any, TimeStep]:
    """The first `moment` steps of the walk, taken again in simulators of their own."""
    state, step = subject.init(keys.fold(subject.key, "init"), subject.rows(0))
    for index in range(moment):
        state, step = subject.step(*_given(taken, index, state))
    return state, step


def _given(taken: Walk, index: int, state: Any) -> tuple[Any, Any, Any, Any]:
    return taken.keys[index], state, taken.actions[index], taken.tasks[index]
