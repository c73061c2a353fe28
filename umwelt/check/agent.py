"""Does an agent keep its contract?"""

from dataclasses import replace
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from umwelt.check.base import Compiled, Report, compiles_once, parameter_names, same_form, same_values
from umwelt.core import FIRST, MID, TRUNCATED, Box, Discrete, Metric, TimeStep, WorldSpec, spaces
from umwelt.core.contracts import Agent

METHODS = ("init", "act", "remember", "learn", "embody", "imagine")
MODES = ("random", "explore", "exploit")
SPEC = WorldSpec(
    name="check",
    observation=Box(shape=(3,), low=-1.0, high=1.0),
    action=Box(shape=(2,), low=-1.0, high=1.0),
    task={"size": Box(low=0.0, high=1.0)},
    batch=3,
)
CHOICES = replace(SPEC, action=Discrete(n=4))
TICKS = 24


def agent(instance: Any, spec: WorldSpec | None = None, key: jax.Array | None = None) -> Report:
    """Every broken promise of an agent, each in a sentence with its mend.

    spec: the world it is to live in; by default small boxes, then also choices as actions.
    """
    report = Report("agent", type(instance).__name__)
    key = jax.random.key(0) if key is None else key
    if not report.rule("parameter names", lambda: parameter_names(Agent, instance, METHODS)):
        return report
    report.rule("metrics", lambda: _metrics(instance))
    for index, world in enumerate((SPEC, CHOICES) if spec is None else (spec,)):
        _examine(report, instance, world, key, "" if index == 0 else " with choices")
    return report


def _examine(report: Report, instance: Any, spec: WorldSpec, key: jax.Array, suffix: str) -> None:
    newborn: list[Any] = []
    if not report.rule(f"init{suffix}", lambda: newborn.append(jax.jit(lambda key: instance.init(key, spec))(key))):
        return
    instance = _Compiled(instance)
    lived: list[Any] = []
    if not report.rule(f"a short life{suffix}", lambda: lived.append(_live(instance, newborn[0], spec, key))):
        return
    state, info, learned = lived[0]
    steps, action = _moment(spec, 1), spaces.sample(key, spec.action, spec.batch)
    report.rule(f"state keeps its form{suffix}", lambda: same_form(newborn[0], state, "the state"))
    report.rule(f"surprise and doubt{suffix}", lambda: _measured(info, spec.batch))
    report.rule(f"declared metrics{suffix}", lambda: _declared(instance, {**info, **learned}))
    for mode in MODES:
        report.rule(f"act, mode {mode}{suffix}", lambda: _acts(instance, key, state, steps, spec, mode))  # noqa: B023 - used at once
    report.rule(f"same key, same action{suffix}", lambda: _repeats(instance, key, state, steps))
    calls = (key, newborn[0], steps), (key, state, _moment(spec, 2))
    report.rule(f"compiles once{suffix}", lambda: compiles_once(instance.acts["explore"], *calls))
    report.rule(f"seams{suffix}", lambda: _seams(instance, key, state, spec, action))
    report.rule(f"embody{suffix}", lambda: _embodies(instance, key, state, spec))
    report.rule(f"imagine{suffix}", lambda: _imagines(instance, key, state, spec))
    report.rule(f"saved and loaded{suffix}", lambda: _reloads(instance, key, state, steps))


class _Compiled:
    """The agent's methods, compiled: an examination calls each of them often."""

    def __init__(self, instance: Any) -> None:
        self.plain, self.metrics = instance, instance.metrics
        self.acts = {mode: Compiled(partial(instance.act, mode=mode)) for mode in MODES}
        self.remember, self.learn, self.imagine = (jax.jit(f) for f in (instance.remember, instance.learn, instance.imagine))
        self.embody = instance.embody

    def act(self, key: jax.Array, state: Any, step: TimeStep, mode: Any = "explore") -> tuple[Any, Any]:
        """The agent's own, by the program of this mode."""
        return self.acts[mode](key, state, step)


def _live(instance: Any, state: Any, spec: WorldSpec, key: jax.Array) -> tuple[Any, Any, Any]:
    """A life of TICKS with an end in the middle; the state after it, and the last two Infos."""
    info, step = {}, _moment(spec, 0, FIRST)
    for tick in range(1, TICKS):
        here = jax.random.fold_in(key, tick)
        state, action = instance.act(here, state, step, mode="random" if tick < TICKS // 2 else "explore")
        kind = {TICKS // 2: TRUNCATED, TICKS // 2 + 1: FIRST}.get(tick, MID)
        after = _moment(spec, tick, kind)
        state, found = instance.remember(here, state, step, action, after)
        info, step = found if kind == MID else info, after
    state, learned = instance.learn(key, state)
    return state, info, learned


def _moment(spec: WorldSpec, tick: int, kind: int = MID) -> TimeStep:
    drawn = spaces.sample(jax.random.key(tick), spec.observation, spec.batch)
    kinds = jnp.full(spec.batch, kind, jnp.int8)
    return TimeStep(kind=kinds, observation=drawn, reward=jnp.full(spec.batch, 0.1 * (kind != FIRST), jnp.float32))


def _metrics(instance: Any) -> str:
    found = getattr(instance, "metrics", None)
    if not isinstance(found, tuple) or not all(isinstance(metric, Metric) for metric in found):
        return "`metrics` is no tuple of Metric; declare every diagnostic that `learn` and `remember` report"
    return ""


def _measured(info: Any, batch: int) -> str:
    for name in ("surprise", "doubt"):
        if name not in info:
            return f"`remember` reports no {name}; add it to its Info, NaN where the agent has none"
        if np.shape(info[name]) != (batch,):
            return f"`remember` reports {name} of shape {np.shape(info[name])}; it is [B] = [{batch}]"
    return ""


def _declared(instance: Any, info: dict[str, Any]) -> str:
    known = {metric.name for metric in instance.metrics} | {"surprise", "doubt"}
    unknown = sorted(set(info) - known)
    return f"{', '.join(unknown)} is reported, but not declared in `metrics`" if unknown else ""


def _acts(instance: Any, key: jax.Array, state: Any, step: TimeStep, spec: WorldSpec, mode: Any) -> str:
    after, action = instance.act(key, state, step, mode=mode)
    why = spaces.contains(spec.action, jax.tree.map(np.asarray, action))
    if why:
        return f"its action is not in the action space: {why}"
    rows = {np.shape(leaf)[0] for leaf in jax.tree.leaves(action)}
    if rows != {spec.batch}:
        return f"it chose {rows} actions for {spec.batch} rows; return one for each row"
    return same_form(state, after, "the state")


def _repeats(instance: Any, key: jax.Array, state: Any, step: TimeStep) -> str:
    # not compiled, because a compiled function repeats what its first call drew
    first, second = (instance.plain.act(key, state, step, "random") for _ in range(2))
    return same_values(first, second, "the result of act")


def _seams(instance: Any, key: jax.Array, state: Any, spec: WorldSpec, action: Any) -> str:
    """What follows an end is a new beginning, and must not be stored or learned from as a transition."""
    after, info = instance.remember(key, state, _moment(spec, 3, TRUNCATED), action, _moment(spec, 4, FIRST))
    for name in ("surprise", "doubt"):
        if not np.isnan(np.asarray(info[name])).all():
            return f"it reports a {name} between the end of an episode and the next FIRST; report NaN there"
    return same_form(state, after, "the state")


def _embodies(instance: Any, key: jax.Array, state: Any, spec: WorldSpec) -> str:
    before = jax.tree.map(lambda leaf: leaf, state)
    wide = replace(spec, batch=5)
    body = instance.embody(key, state, wide)
    why = _acts(instance, key, body, _moment(wide, 5, FIRST), wide, "exploit")
    return why or same_values(before, state, "the examined agent")


def _imagines(instance: Any, key: jax.Array, state: Any, spec: WorldSpec) -> str:
    actions = jax.tree.map(lambda leaf: jnp.stack([leaf] * 4), spaces.sample(key, spec.action, spec.batch))
    found = instance.imagine(key, state, actions)
    if found is None:
        return ""
    for name in ("reward", "continues", "doubt"):
        if np.shape(getattr(found, name)) != (4, spec.batch):
            return f"its imagined {name} has the shape {np.shape(getattr(found, name))}; it is [H, B] = [4, {spec.batch}]"
    return ""


def _reloads(instance: Any, key: jax.Array, state: Any, step: TimeStep) -> str:
    """A state that went through NumPy and back acts bit for bit alike."""
    keys_kept = jax.tree.map(lambda leaf: leaf if jnp.issubdtype(leaf.dtype, jax.dtypes.prng_key) else np.asarray(leaf), state)
    loaded = jax.tree.map(
        lambda leaf, was: jnp.asarray(leaf, was.dtype) if isinstance(leaf, np.ndarray) else leaf, keys_kept, state
    )
    return same_values(instance.act(key, state, step), instance.act(key, loaded, step), "the result of act")
