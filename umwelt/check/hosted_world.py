"""The rules of a world that stands around a simulator and cannot be compiled."""

import inspect
from typing import Any, Protocol

import jax
import numpy as np

from umwelt.check.base import Report, same_values
from umwelt.check.walk import Life, Subject
from umwelt.core import TERMINATED, TimeStep, keys

AHEAD = 10
"""How many steps are lived after a restore, to compare."""


class Hosted(Protocol):
    """What a hosted world does beyond `World`. Its state is a ticket, good for one step."""

    def save(self, ticket: Any) -> dict[str, np.ndarray]:
        """All that is needed to be here again. The ticket stays good."""
        ...

    def restore(self, saved: dict[str, np.ndarray]) -> tuple[Any, TimeStep]:
        """A new ticket, and the step that was last returned when it was saved."""
        ...

    def drain(self, ticket: Any) -> list[Any]:
        """The events since the last call."""
        ...

    def close(self, ticket: Any) -> None:
        """End the simulators."""
        ...


def parameters(world: Any) -> str:
    """A sentence where a method of `Hosted` is missing, or takes more or less than its one argument."""
    for method, argument in (("save", "ticket"), ("restore", "saved"), ("drain", "ticket"), ("close", "ticket")):
        found = getattr(world, method, None)
        if found is None:
            return f"it has no method `{method}`; a hosted world has {method}({argument})"
        given = list(inspect.signature(found).parameters)
        if len(given) != 1:
            return f"`{method}` takes ({', '.join(given)}), where a hosted world has {method}({argument})"
    return ""


def examine(report: Report, subject: Subject, life: Life) -> None:
    """Add to the report the rules of a hosted world."""
    report.rule("NumPy steps", lambda: _numpy(life))
    report.rule("steps are kept", lambda: _kept(life))
    report.rule("stale ticket", lambda: _stale(subject, life))
    report.rule("save and restore", lambda: _restores(subject, life, min(len(life.actions) // 2, 20)))
    report.rule("drain", lambda: _drain(subject))
    end = life.ends()
    if end is not None:
        report.rule("save and restore at an end", lambda: _restores(subject, life, end))
        report.rule("action after an end", lambda: _action_ignored(subject, life, end))


def _numpy(life: Life) -> str:
    for step in life.raw:
        for path, leaf in jax.tree.leaves_with_path(step):
            if not isinstance(leaf, np.ndarray):
                return f"the step{jax.tree_util.keystr(path)} is a {type(leaf).__name__}; a hosted world returns NumPy arrays"
    return ""


def _kept(life: Life) -> str:
    for index, (raw, copy) in enumerate(zip(life.raw, life.steps, strict=True)):
        if same_values(raw, copy, "the step"):
            return f"the step returned after {index} steps was overwritten later; return fresh arrays each time"
    return ""


def _stale(subject: Subject, life: Life) -> str:
    state, _ = _relive(subject, life, 0)
    fresh, _ = subject.step(*_given(life, 0, state))
    try:
        subject.step(*_given(life, 0, state))
    except Exception:  # any error will do: the promise is that it does not go on
        return ""
    finally:
        subject.world.close(fresh)
    return (
        "a ticket that was already used was taken a second time; count the steps, and raise where the ticket is not the last one"
    )


def _restores(subject: Subject, life: Life, moment: int) -> str:
    """Live up to `moment`, save, restore, and live on: it must be the same life."""
    state, step = _relive(subject, life, moment)
    saved = subject.world.save(state)
    subject.world.close(state)
    wrong = [name for name, value in saved.items() if not isinstance(value, np.ndarray)]
    if wrong:
        return f"`save` returned a {type(saved[wrong[0]]).__name__} under {wrong[0]!r}; a checkpoint holds NumPy arrays"
    state, found = subject.world.restore(saved)
    difference = same_values(step, found, "the step")
    index = moment
    while not difference and index < min(moment + AHEAD, len(life.actions)):
        state, found = subject.step(*_given(life, index, state))
        index += 1
        difference = same_values(life.steps[index], found, "the step")
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


def _action_ignored(subject: Subject, life: Life, end: int) -> str:
    key, _, action, task = life.arguments(end)
    other = next((each for each in life.actions if same_values(each, action, "")), action)
    rows = life.steps[end].kind >= TERMINATED
    seen = []
    for each in (action, other):
        state, _ = _relive(subject, life, end)
        state, step = subject.step(key, state, each, task)
        seen.append(jax.tree.map(lambda leaf: leaf[rows], step))
        subject.world.close(state)
    difference = same_values(*seen, "the FIRST step")
    return f"after an end the action still matters: {difference}; ignore it in the rows that begin anew" if difference else ""


def _relive(subject: Subject, life: Life, moment: int) -> tuple[Any, TimeStep]:
    """The first `moment` steps of the life, lived again in simulators of their own."""
    state, step = subject.init(keys.fold(subject.key, "init"), subject.rows(0))
    for index in range(moment):
        state, step = subject.step(*_given(life, index, state))
    return state, step


def _given(life: Life, index: int, state: Any) -> tuple[Any, Any, Any, Any]:
    return life.keys[index], state, life.actions[index], life.tasks[index]
