"""The checker of agents."""

from dataclasses import replace
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from umwelt.check.base import (
    Depth,
    Report,
    declares_metrics,
    parameter_names,
    reloaded,
    same_form,
    same_values,
    settles,
    wants_values,
)
from umwelt.core import (
    FIRST,
    MID,
    SHOWN,
    TRUNCATED,
    WATCHED,
    Box,
    Discrete,
    Experience,
    TimeStep,
    WorldSpec,
    is_hosted,
    keys,
    lived,
    spaces,
)
from umwelt.core.contracts import Agent

METHODS = ("init", "see", "act", "remember", "learn", "embody", "imagine")
SPEC = WorldSpec(
    name="check",
    observation=Box(shape=(3,), low=-1.0, high=1.0),
    action=Box(shape=(2,), low=-1.0, high=1.0),
    task={"size": Box(low=0.0, high=1.0)},
    batch=3,
)
CHOICES = replace(SPEC, action=Discrete(n=4))
TICKS, WATCHES = 24, 8
"""Decisions of the short life, and transitions that are watched."""
AHEAD = 4
"""Imagined steps."""


def agent(instance: Any, spec: WorldSpec | None = None, key: jax.Array | None = None, depth: Depth = "values") -> Report:
    """Report every broken promise of an agent, each in a sentence with its mend.

    spec: the world that it is for; by default small boxes, and choices as actions too, which are looked at for shapes only.
    depth: `shapes` traces all methods once, in one function, and compiles nothing; `values` runs a short life as well.
    """
    report = Report("agent", type(instance).__name__)
    key = jax.random.key(0) if key is None else key
    deep = wants_values(depth)
    if not report.rule("parameter names", lambda: parameter_names(Agent, instance, METHODS)):
        return report
    report.rule("metrics", lambda: declares_metrics(instance))
    if _examine_shapes(report, instance, spec or SPEC, key, "") and deep:
        _examine_values(report, instance, spec or SPEC, key)
    if spec is None:
        _examine_shapes(report, instance, CHOICES, key, " with choices")
    return report


def _examine_shapes(report: Report, instance: Any, spec: WorldSpec, key: jax.Array, suffix: str) -> bool:
    """The rules that one trace decides. True where the trace succeeded."""
    found: list[dict[str, Any]] = []

    def traced() -> None:
        turns = partial(_turns, instance, spec)
        found.append(turns(key) if is_hosted(instance) else jax.eval_shape(turns, key))

    if not report.rule(f"one turn{suffix}", traced):
        return False
    seen, like = found[0], jax.eval_shape(lambda: spaces.zeros(spec.action, spec.batch))
    for method in ("see", "act", "remember", "learn"):
        after = seen["states"][method]
        report.rule(f"{method} keeps the state{suffix}", lambda: settles(seen["states"]["init"], after, "the state"))  # noqa: B023
    shown = seen["states"]["shown"]
    report.rule(f"shown experience{suffix}", lambda: settles(seen["states"]["init"], shown, "the state"))
    body, moved = seen["states"]["embody"], seen["states"]["examined"]
    report.rule(f"embody{suffix}", lambda: settles(body, moved, "the state in a new body"))
    for mode, action in seen["actions"].items():
        wanted = jax.eval_shape(lambda: spaces.zeros(spec.action, _wide(spec).batch)) if mode == "exploit" else like
        report.rule(f"act, mode {mode}{suffix}", lambda: same_form(wanted, action, "its action"))  # noqa: B023 - used at once
    report.rule(f"surprise and doubt{suffix}", lambda: _measured(seen["infos"]["see"], spec.batch))
    report.rule(f"declared metrics{suffix}", lambda: _declared(instance, seen["infos"], spec.batch))
    report.rule(f"imagine{suffix}", lambda: _imagined(seen["imagined"], spec.batch))
    return True


def _turns(instance: Any, spec: WorldSpec, key: jax.Array) -> dict[str, Any]:
    """Call every method once, in the order of a life: the states, Infos, actions and predictions."""
    named = keys.split(key, "init", "see", "act", "remember", "learn", "embody", "imagine", "shown")
    first, next = _step(spec, 0, FIRST), _step(spec, 1)
    begun = instance.init(named[0], spec)
    seen, measured = instance.see(named[1], begun, first)
    _, drawn = instance.act(named[2], seen, "random")
    acted, action = instance.act(named[2], seen, "explore")
    experience = lived(first, action, next, task=spaces.zeros(spec.task, spec.batch), surprise=measured["surprise"])
    remembered, took = instance.remember(named[3], acted, experience)
    shown, _ = instance.remember(named[7], remembered, _foreign(spec, 1, spaces.zeros(spec.action, spec.batch), SHOWN))
    learned, updated = instance.learn(named[4], remembered)
    wide = _wide(spec)
    body = instance.embody(named[5], learned, wide)
    examined, best = instance.act(named[2], instance.see(named[1], body, _step(wide, 2, FIRST))[0], "exploit")
    actions = jax.tree.map(lambda leaf: jnp.stack([leaf] * AHEAD), action)
    states = {"init": begun, "see": seen, "act": acted, "remember": remembered, "shown": shown, "learn": learned}
    return {
        "states": {**states, "embody": body, "examined": examined},
        "infos": {"see": measured, "remember": took, "learn": updated},
        "actions": {"random": drawn, "explore": action, "exploit": best},
        "imagined": instance.imagine(named[6], learned, actions),
    }


def _examine_values(report: Report, instance: Any, spec: WorldSpec, key: jax.Array) -> None:
    """The rules that need numbers, after a short life."""
    subject, after = _Subject(instance, spec), []
    if not report.rule("a short life", lambda: after.append(subject.life(key))):
        return
    state, action = after[0], subject.action
    report.rule("actions in their space", lambda: subject.fault)
    report.rule("seams", lambda: subject.seam)
    report.rule("same key, same result", lambda: _repeats(instance, spec, key, state))
    report.rule("remember leaves the belief", lambda: _keeps_belief(subject, key, state, action))
    report.rule("watched actions", lambda: _unread(subject, key, state))
    report.rule("embody leaves the agent", lambda: _embodies(subject, key, state))
    report.rule("saved and loaded", lambda: _reloads(subject, key, state))


class _Subject:
    """An agent with its methods compiled, and what its short life showed."""

    def __init__(self, instance: Any, spec: WorldSpec) -> None:
        self.spec, self.fault, self.seam = spec, "", ""
        compiled = (lambda function: function) if is_hosted(instance) else jax.jit
        self.action = spaces.zeros(spec.action, spec.batch)
        self.begin = compiled(lambda key: instance.see(key, instance.init(key, spec), _step(spec, 0, FIRST))[0])
        self.tick, self.learn, self.remember = compiled(self._tick), compiled(instance.learn), compiled(instance.remember)
        self.embody, self.examine = compiled(lambda key, state: instance.embody(key, state, _wide(spec))), compiled(self._examine)
        self.instance = instance

    def life(self, key: jax.Array) -> Any:
        """The state after TICKS with an end in the middle, and one round of learning."""
        state, step = self.begin(key), _step(self.spec, 0, FIRST)
        for tick in range(1, TICKS):
            kind = {TICKS // 2: TRUNCATED, TICKS // 2 + 1: FIRST}.get(tick, MID)
            next = _step(self.spec, tick, kind)
            state, action, info = self.tick(jax.random.fold_in(key, tick), state, step, next)
            self._look(action, info, kind)
            step, self.action = next, action
        return self.learn(key, state)[0]

    def _look(self, action: Any, info: dict[str, Any], kind: int) -> None:
        """Write down an action outside the space, and a seam that is measured."""
        outside = spaces.contains(self.spec.action, jax.tree.map(np.asarray, action))
        self.fault = self.fault or (outside and f"its action is not in the action space: {outside}")
        for name in ("surprise", "doubt"):
            if kind == FIRST and not np.isnan(np.asarray(info[name])).all():
                self.seam = f"`see` reports a {name} on a FIRST step, which nothing preceded; report NaN there"

    def _tick(self, key: jax.Array, state: Any, step: TimeStep, next: TimeStep) -> tuple[Any, Any, Any]:
        state, action = self.instance.act(key, state, "explore")
        state, info = self.instance.see(key, state, next)
        task = spaces.zeros(self.spec.task, self.spec.batch)
        state, _ = self.instance.remember(key, state, lived(step, action, next, task=task, surprise=info["surprise"]))
        return state, action, info

    def _examine(self, key: jax.Array, body: Any) -> tuple[Any, Any]:
        seen, _ = self.instance.see(key, body, _step(_wide(self.spec), 5, FIRST))
        return self.instance.act(key, seen, "exploit")


def _step(spec: WorldSpec, tick: int, kind: int = MID) -> TimeStep:
    drawn = spaces.sample(jax.random.key(tick), spec.observation, spec.batch)
    kinds = jnp.full(spec.batch, kind, jnp.int8)
    return TimeStep(kind=kinds, observation=drawn, reward=jnp.full(spec.batch, 0.1 * (kind != FIRST), jnp.float32))


def _wide(spec: WorldSpec) -> WorldSpec:
    return replace(spec, batch=spec.batch + 2)


def _foreign(spec: WorldSpec, tick: int, action: Any, origin: int) -> Experience:
    """Experience [B] of another agent, as a source shows it: without task and surprise, with the return to come."""
    before, after = _step(spec, 100 + tick - 1, MID if tick else FIRST), _step(spec, 100 + tick)
    experience = lived(before, action, after)
    origins, to_come = jnp.full_like(experience.origin, origin), jnp.full(spec.batch, 0.5, jnp.float32)
    return replace(experience, origin=origins, to_come=to_come)


def _measured(info: Any, batch: int) -> str:
    for name in ("surprise", "doubt"):
        if name not in info:
            return f"`see` reports no {name}; add it to its Info, NaN where the agent has none"
        if np.shape(info[name]) != (batch,):
            return f"`see` reports {name} of shape {np.shape(info[name])}; it is [B] = [{batch}]"
    return ""


def _declared(instance: Any, infos: dict[str, Any], batch: int) -> str:
    known = {metric.name for metric in instance.metrics} | {"surprise", "doubt"}
    for method, info in infos.items():
        if unknown := sorted(set(info) - known):
            return f"`{method}` reports {', '.join(unknown)}, which `metrics` does not declare; declare it with unit and meaning"
        allowed = [(batch,)] if method == "see" else [()] if method == "learn" else [(), (batch,)]
        for name, value in info.items():
            if np.shape(value) not in allowed:
                return f"`{method}` reports {name} of shape {np.shape(value)}; it is one of {allowed}"
    return ""


def _imagined(found: Any, batch: int) -> str:
    if found is None:
        return ""
    for name in ("reward", "continues", "doubt"):
        if np.shape(getattr(found, name)) != (AHEAD, batch):
            return f"its imagined {name} has the shape {np.shape(getattr(found, name))}; it is [H, B] = [{AHEAD}, {batch}]"
    return ""


def _repeats(instance: Any, spec: WorldSpec, key: jax.Array, state: Any) -> str:
    # not compiled, because a compiled function repeats what its first call drew
    def once() -> Any:
        seen, info = instance.see(key, state, _step(spec, 7))
        return info, instance.act(key, seen, "random")

    return same_values(once(), once(), "the result of see and act")


def _keeps_belief(subject: _Subject, key: jax.Array, state: Any, action: Any) -> str:
    after, _ = subject.remember(key, state, _foreign(subject.spec, 1, action, SHOWN))
    before, left = (getattr(each, "belief", None) for each in (state, after))
    return same_values(before, left, "`remember` changes what `see` left: the belief")


def _unread(subject: _Subject, key: jax.Array, state: Any) -> str:
    """Another agent's unknown actions must not matter, whatever stands in their place."""
    spec, bodies = subject.spec, []
    for shuffled in (False, True):
        after = state
        for tick in range(WATCHES):
            here = jax.random.fold_in(key, tick)
            action = spaces.sample(here, spec.action, spec.batch) if shuffled else spaces.zeros(spec.action, spec.batch)
            after, _ = subject.remember(here, after, _foreign(spec, tick, action, WATCHED))
        after, info = subject.learn(key, after)
        bodies.append((subject.embody(key, after), info))
    differ = same_values(bodies[0], bodies[1], "what it learned")
    return differ and f"it reads the actions of WATCHED experience, which are unknown: {differ}; weigh rows by `acted`"


def _embodies(subject: _Subject, key: jax.Array, state: Any) -> str:
    kept = jax.tree.map(jnp.copy, state)
    _, action = subject.examine(key, subject.embody(key, state))
    outside = spaces.contains(subject.spec.action, jax.tree.map(np.asarray, action))
    return (outside and f"its action in a probe is not in the action space: {outside}") or same_values(kept, state, "the agent")


def _reloads(subject: _Subject, key: jax.Array, state: Any) -> str:
    """A state that went through NumPy and back goes on bit for bit alike."""
    steps = _step(subject.spec, TICKS - 1), _step(subject.spec, TICKS)
    first, second = (subject.tick(key, each, *steps) for each in (state, reloaded(state)))
    return same_values(first, second, "the next tick")
