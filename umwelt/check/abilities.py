"""Check the capabilities of a world: each says something that its own steps can contradict."""

import inspect
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from umwelt.check.base import Report, same_form
from umwelt.check.walk import Subject, Walk
from umwelt.core import TERMINATED, TimeStep, WorldSpec, capability, innermost, spaces

CLOSE = 1e-3
"""A capability may differ from what the world does by this much, relative to its numbers."""
STEPS = 50
"""How many steps of a walk are compared."""


ARGUMENTS = {
    "position": ("observation",),
    "reward": ("observation", "action", "next_observation", "task"),
    "continues": ("observation", "action", "next_observation", "task"),
    "expert": ("key", "observation", "task"),
    "achieved": ("observation",),
    "guard": ("observation", "action"),
    "task_of": ("observation",),
    "body": ("observation", "task"),
    "advance": ("key", "body", "action", "task"),
    "observe": ("body", "task"),
    "observation_names": (),
}
"""The capabilities of a world and what they take, by name: a wrapper hands arguments on by their names."""


def parameters(world: Any) -> str:
    """A sentence where a capability takes other arguments than the contract says."""
    inside = innermost(world)
    for name, expected in ARGUMENTS.items():
        method = getattr(inside, name, None)
        given = tuple(inspect.signature(method).parameters) if callable(method) else expected
        if given != expected:
            return f"`{name}` takes ({', '.join(given)}), where the contract says ({', '.join(expected)})"
    return ""


def traced(world: Any, key: jax.Array, before: TimeStep, action: Any, after: TimeStep, task: Any) -> dict[str, Any]:
    """What each capability returns for one step of B rows; for use inside a trace."""
    found = {}
    seen, next_seen = before.observation, after.observation
    values = {"key": key, "observation": seen, "action": action, "next_observation": next_seen, "task": task}
    for name, arguments in ARGUMENTS.items():
        method = capability(world, name)
        # of one row, see `_known`; or no arrays
        if method is not None and name not in ("body", "advance", "observe", "observation_names"):
            found[name] = method(*(values[argument] for argument in arguments))
    known = _known(world)
    if known is not None:
        found["known"] = known(key, seen, action, task)
    return found


def outline(spec: WorldSpec, found: dict[str, Any]) -> str:
    """A sentence where a capability returned something of another form than the contract says. found: see `traced`."""
    for name in ("reward", "continues"):
        if name in found and (found[name].dtype, found[name].shape) != (jnp.float32, (spec.batch,)):
            return (
                f"`{name}` returns {found[name].dtype}{list(found[name].shape)}; make it float32[{spec.batch}], one for each row"
            )
    if "position" in found and found["position"].shape not in ((spec.batch, 2), (spec.batch, 3)):
        return f"`position` returns an array of shape {found['position'].shape}; make it [{spec.batch}, 2] or [{spec.batch}, 3]"
    spaced = {"expert": spec.action, "guard": spec.action, "task_of": spec.task}
    if "known" in found:
        found = found | {"`body`, `advance` and `observe`": found["known"][0]}
        spaced["`body`, `advance` and `observe`"] = spec.observation
    for name, space in spaced.items():
        if name not in found:
            continue
        expected = jax.eval_shape(lambda space=space: spaces.zeros(space, spec.batch))
        sentence = same_form(expected, found[name], f"what `{name.strip('`')}` returns")
        if sentence:
            return f"{sentence}; give it the form of its space, for {spec.batch} rows"
    wrong = [np.shape(leaf) for leaf in jax.tree.leaves(found.get("achieved")) if np.shape(leaf)[:1] != (spec.batch,)]
    return f"`achieved` returns an array of shape {wrong[0]}; give it one row for each of {spec.batch}" if wrong else ""


def examine(report: Report, subject: Subject, taken: Walk) -> None:
    """Add the rules of the capabilities that the world has, on its default task."""
    world = subject.world
    names = ("reward", "continues", "expert", "guard")
    compiled = (lambda method: method) if world.spec.hosted else jax.jit
    present = {name: compiled(method) for name in names if (method := capability(world, name)) is not None}
    known = None if world.spec.hosted else _known(world)
    if not present and known is None:
        return
    moves = _moves(subject, taken)
    for name, rule in (("reward", _reward), ("continues", _continues), ("expert", _expert), ("guard", _guard)):
        if name in present:
            report.rule(f"given {name}", lambda rule=rule, name=name: rule(subject, present[name], moves))
    if known is not None:
        report.rule("known model", lambda: _model(subject, known, moves))


def _moves(subject: Subject, taken: Walk) -> list[tuple[TimeStep, Any, TimeStep]]:
    """(step, action, next step) of a walk on the default task."""
    state, step = subject.init(subject.key, subject.default())
    found = []
    for key, action in zip(taken.keys[:STEPS], taken.actions[:STEPS], strict=True):
        before = step
        state, step = subject.step(key, state, action, subject.default())
        found.append((before, action, step))
    if subject.world.spec.hosted:
        subject.world.close(state)
    return found


def _reward(subject: Subject, reward: Any, moves: Any) -> str:
    for before, action, after in moves:
        claimed = np.asarray(reward(before.observation, action, after.observation, subject.default()))
        paid = np.asarray(after.reward)
        gap = np.where(np.asarray(before.kind) < TERMINATED, np.abs(claimed - paid), 0.0)
        if claimed.shape != paid.shape or gap.max() > CLOSE * (1.0 + np.abs(paid).max()):
            return (
                f"`reward` says {claimed.tolist()} where `step` paid {paid.tolist()};"
                " mend it, or leave it out where the reward is not a function of what is seen"
            )
    return ""


def _continues(subject: Subject, continues: Any, moves: Any) -> str:
    for before, action, after in moves:
        claimed = np.asarray(continues(before.observation, action, after.observation, subject.default()))
        within = np.asarray(before.kind) < TERMINATED
        ended = np.asarray(after.terminated)
        if np.any(within & ((ended & (claimed >= 1.0)) | (~ended & (claimed <= 0.0)))):
            return (
                f"`continues` says {claimed.tolist()} where the episodes terminated in {ended.tolist()};"
                " mend it, or leave it out where an end is not a function of what is seen"
            )
    return ""


def _expert(subject: Subject, expert: Any, moves: Any) -> str:
    for before, _, _ in moves:
        outside = spaces.contains(subject.world.spec.action, expert(subject.key, before.observation, subject.default()))
        if outside:
            return f"an action of `expert` is not in `spec.action`: {outside}; clip it"
    return ""


def _guard(subject: Subject, guard: Any, moves: Any) -> str:
    for before, action, _ in moves:
        once = guard(before.observation, action)
        outside = spaces.contains(subject.world.spec.action, once)
        if outside:
            return f"an action of `guard` is not in `spec.action`: {outside}; clip it"
        twice = jax.tree.leaves(guard(before.observation, once))
        if not all(np.allclose(a, b, atol=CLOSE) for a, b in zip(jax.tree.leaves(once), twice, strict=True)):
            return "`guard` changes an action that it has returned itself; let it leave an allowed action as it is"
    return ""


def _known(world: Any) -> Any:
    """(key, observation, action, task) -> (next observation, reward, terminated, the same observation), of B rows; None
    where the world does not give its model."""
    body, advance, observe = (capability(world, name) for name in ("body", "advance", "observe"))
    if body is None or advance is None or observe is None:
        return None

    def one(key: jax.Array, observation: Any, action: Any, task: Any) -> Any:
        before = body(observation, task)
        after, reward, terminated = advance(key, before, action, task)
        return observe(after, task), reward, terminated, observe(before, task)

    def all_rows(key: jax.Array, observation: Any, action: Any, task: Any) -> Any:
        return jax.vmap(one)(jax.random.split(key, world.spec.batch), observation, action, task)

    return all_rows


def _model(subject: Subject, known: Any, moves: Any) -> str:
    """Where the model draws no chance, it says what comes next, what is paid, and what ends."""
    compiled = jax.jit(known)
    for before, action, after in moves:
        first, second = (compiled(jax.random.key(seed), before.observation, action, subject.default()) for seed in (0, 1))
        within = np.asarray(before.kind) < TERMINATED
        pairs = {"seen again": (first[3], before.observation)}
        if all(
            np.array_equal(a, b, equal_nan=True) for a, b in zip(jax.tree.leaves(first), jax.tree.leaves(second), strict=True)
        ):
            pairs |= {"seen next": (first[0], after.observation), "the reward": (first[1], after.reward)}
            pairs["the end"] = (first[2], after.terminated)
        for what, (claimed, found) in pairs.items():
            for a, b in zip(jax.tree.leaves(claimed), jax.tree.leaves(found), strict=True):
                a, b = (np.asarray(leaf, np.float64)[within] for leaf in (a, b))
                if not np.all(np.isnan(a) | (np.abs(a - b) <= CLOSE * (1.0 + np.abs(b)))):
                    return f"by `body` and `advance`, {what} is {a.tolist()}, and the world's own step says {b.tolist()}"
    return ""
