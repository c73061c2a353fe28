"""Check whether a world model keeps its contract."""

import dataclasses
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from umwelt.check import imagining, learning
from umwelt.check.base import (
    Depth,
    Report,
    declares_metrics,
    parameter_names,
    same_form,
    same_program,
    settles,
    undeclared,
    wants_values,
)
from umwelt.check.plant import BOXES, CHOICES, ROWS, Subject, subject
from umwelt.core import FIRST, MID, Experience, TimeStep, WorldSpec, capability, is_hosted, lived, spaces
from umwelt.core.contracts import Model

METHODS = ("init", "start", "observe", "imagine", "learn")
DIETS = ("stream", "replay")
OTHER = 7
"""A number of rows that is not the world's."""


def model(
    instance: Any,
    spec: WorldSpec | None = None,
    key: jax.Array | None = None,
    steps: int = 400,
    length: int | None = None,
    depth: Depth = "values",
) -> Report:
    """Report every broken promise of a world model, each in a sentence with its mend.

    depth: `shapes` traces all methods together and compiles nothing. `values` also examines the model in a small linear
    world, and has it learn that world in `steps` calls of `learn`.
    spec: a world that the model needs; it then reads random values of those spaces, and does not have to learn. Without
    one, the small world is examined with boxes as actions, and the shapes with choices too.
    length: of the sequences [N, L] that a replay model learns from; None for transitions [N].
    """
    report, deep = Report("model", type(instance).__name__), wants_values(depth)
    key = jax.random.key(0) if key is None else key
    if not report.rule("parameter names", lambda: parameter_names(Model, instance, METHODS)):
        return report
    declared = report.rule("diet", lambda: _diet(instance))
    declared &= report.rule("metrics", lambda: declares_metrics(instance, ("surprise", "doubt")))
    if not declared:
        return report
    born = dataclasses.replace(spec or BOXES, batch=ROWS)
    if _shapes(report, instance, born, key, length, "") and deep:
        hosted = is_hosted(instance)
        _values(report, subject(instance, born, key, max(steps, 40), length, spec is None, hosted), steps, spec is None)
    if spec is None:
        _shapes(report, instance, CHOICES, key, length, " with choices")
    return report


def _values(report: Report, examined: Subject, steps: int, learnable: bool) -> None:
    """The rules that need numbers. The methods are examined after `steps` calls of `learn`."""
    states: list[Any] = []
    if not report.rule("init", lambda: states.append(examined.state())):
        return
    if not report.rule("learning", lambda: states.append(learning.taught(examined, states[0], steps))):
        return
    imagining.examine(report, examined, states[1])
    learning.examine(report, examined, states[1])
    if learnable:
        learning.grades(report, examined, *states)


def _shapes(report: Report, instance: Any, spec: WorldSpec, key: jax.Array, length: int | None, suffix: str) -> bool:
    """The rules that one trace decides; the first world's also by a second trace. True where values can be examined."""
    programs: list[Any] = []
    shapes: list[dict[str, Any]] = []
    stage = ["init"]

    def traced() -> str:
        """Trace once more; a fresh function, because a known one is not traced again."""
        try:
            if is_hosted(instance):
                shapes.append(_turns(instance, spec, length, key, stage))
                return ""
            program, found = jax.make_jaxpr(lambda key: _turns(instance, spec, length, key, stage), return_shape=True)(key)
        except Exception as error:  # a checker explains whatever a user's part raises
            return f"in `{stage[0]}` it raised {type(error).__name__}: {error}"
        programs.append(program)
        shapes.append(found)
        return ""

    if not report.rule(f"one trace{suffix}", traced):
        return False
    once = not suffix and not is_hosted(instance)
    if once:
        report.rule("same key", lambda: traced() or same_program(*programs))
    sound = True
    for rule, stops, check in _rules(instance, spec):
        sound &= report.rule(f"{rule}{suffix}", lambda check=check: check(shapes[0])) or not stops
    if once and sound:
        report.rule("several seeds", lambda: _seeds(instance, spec, key, length, shapes[0]))
    return sound


def _rules(instance: Any, spec: WorldSpec) -> list[tuple[str, bool, Callable[[dict[str, Any]], str]]]:
    """Each rule's name, whether a fault stops the examination, and its check of the shapes."""
    return [
        ("beliefs keep their form", True, lambda shapes: _beliefs(shapes, spec)),
        ("predictions", True, lambda shapes: _predictions(shapes, spec)),
        ("surprise and doubt", True, lambda shapes: _noticed(instance, shapes["observed"], spec)),
        ("learn keeps the form", True, lambda shapes: _kept(shapes)),
        ("reports", False, lambda shapes: undeclared(instance, shapes["info"], "learn", ())),
        ("compiles once", False, lambda shapes: _once(shapes)),
        ("capabilities", False, lambda shapes: _abilities(instance, shapes, spec)),
    ]


def _turns(instance: Any, spec: WorldSpec, length: int | None, key: jax.Array, stage: list[str]) -> dict[str, Any]:
    """Call every method; `stage` names the one that is called now."""

    def call(name: str, *arguments: Any) -> Any:
        stage[0] = name
        return getattr(instance, name)(*arguments)

    first, step = (_step(spec, kind) for kind in (FIRST, MID))
    action = spaces.zeros(spec.action, spec.batch)
    state = call("init", key, spec)
    start = call("start", state, spec.batch)
    opened, _ = call("observe", key, state, start, action, first)
    belief, observed = call("observe", key, state, opened, action, step)
    dreamt, prediction = call("imagine", key, state, belief, action)
    wide = call("imagine", key, state, call("start", state, OTHER), spaces.zeros(spec.action, OTHER))
    rows = _rows(instance, lived(first, action, step), length)
    after, info = call("learn", key, state, rows)
    stage[0] = "capabilities"
    able = _capabilities(instance, key, state, belief, spec)
    return {
        "state": state, "start": start, "beliefs": {"observe": belief, "imagine": dreamt}, "observed": observed,
        "prediction": prediction, "wide": wide, "after": after, "info": info, "able": able,
    }  # fmt: skip


def _capabilities(instance: Any, key: jax.Array, state: Any, belief: Any, spec: WorldSpec) -> dict[str, Any]:
    """What each capability returns that the model has."""
    action = spaces.zeros(spec.action, spec.batch)
    experience = lived(_step(spec, FIRST), action, _step(spec, MID))
    arguments = {
        "value": (state, belief),
        "prior": (key, state, belief),
        "odds": (state, belief),
        "imitate": (key, state, experience),
        "recall": (key, state, _sequences(experience, 2)),
        "learn_and_recall": (key, state, _sequences(experience, 2)),
    }
    able = {name: capability(instance, name) for name in arguments}
    return {name: method(*arguments[name]) for name, method in able.items() if method}


def _seeds(instance: Any, spec: WorldSpec, key: jax.Array, length: int | None, shapes: dict[str, Any]) -> str:
    """A sentence where `init` and `learn` do not serve several seeds at once."""

    def both(key: jax.Array) -> Any:
        rows = _rows(instance, lived(_step(spec, FIRST), spaces.zeros(spec.action, spec.batch), _step(spec, MID)), length)
        learned = jax.vmap(lambda each: instance.learn(each, instance.init(each, spec), rows)[0])
        return jax.tree.map(lambda leaf: leaf[0], learned(jax.random.split(key, 2)))

    return same_form(shapes["state"], jax.eval_shape(both, key), "as one of two seeds under vmap, the state")


def _step(spec: WorldSpec, kind: int) -> TimeStep:
    kinds = jnp.full(spec.batch, kind, jnp.int8)
    return TimeStep(kind=kinds, observation=spaces.zeros(spec.observation, spec.batch), reward=jnp.zeros(spec.batch, jnp.float32))


def _rows(instance: Any, experience: Experience, length: int | None) -> Experience:
    """What `learn` reads: [B] of a stream, or of a replay [B] or [B, length]."""
    return experience if instance.diet == "stream" or length is None else _sequences(experience, length)


def _sequences(experience: Experience, length: int) -> Experience:
    return jax.tree.map(lambda leaf: jnp.repeat(leaf[:, None], length, axis=1), experience)


def _beliefs(shapes: dict[str, Any], spec: WorldSpec) -> str:
    for leaf in jax.tree.leaves(shapes["start"]):
        if np.shape(leaf)[:1] != (spec.batch,):
            return f"`start` made an array of shape {np.shape(leaf)}; every array of a belief has the leading axis `batch`"
    for method, belief in shapes["beliefs"].items():
        if difference := same_form(shapes["start"], belief, "the belief"):
            return f"in `{method}` {difference}; return it in the form in which `start` makes it"
    wide, prediction = shapes["wide"]
    if prediction.reward.shape != (OTHER,) or any(leaf.shape[0] != OTHER for leaf in jax.tree.leaves(wide)):
        return f"`imagine` read {OTHER} beliefs of `start` and did not return {OTHER}; take N from the belief, not the spec"
    return ""


def _predictions(shapes: dict[str, Any], spec: WorldSpec) -> str:
    rows, prediction = spec.batch, shapes["prediction"]
    for field in ("reward", "continues", "doubt"):
        found = getattr(prediction, field)
        if np.shape(found) != (rows,) or found.dtype != jnp.float32:
            shape = list(np.shape(found))
            return f"the prediction's `{field}` is {found.dtype}{shape}; make it float32[{rows}], one for each row"
    if prediction.observation is None:
        return ""
    like = jax.eval_shape(lambda: spaces.zeros(spec.observation, rows))
    difference = same_form(like, prediction.observation, "the predicted observation")
    return f"{difference}; give it the form of the world's observation, or None where there is no decoder" if difference else ""


def _noticed(instance: Any, info: dict[str, Any], spec: WorldSpec) -> str:
    for name in ("surprise", "doubt"):
        if name not in info:
            return f"`observe` reports no `{name}`; return it in the Info, float32 [N]"
        found = info[name]
        if np.shape(found) != (spec.batch,) or found.dtype != jnp.float32:
            return f"`observe` reports `{name}` as {found.dtype}{list(np.shape(found))}; it is float32 [N], one for each row"
    sentence = undeclared(instance, info, "observe")
    return f"{sentence}; declare each as an umwelt.core.Metric" if sentence else ""


def _kept(shapes: dict[str, Any]) -> str:
    difference = same_form(shapes["state"], shapes["after"], "the state")
    return f"in `learn` {difference}; return every array in the form in which `init` makes it" if difference else ""


def _once(shapes: dict[str, Any]) -> str:
    pairs = {"learn": (shapes["state"], shapes["after"], "the state")}
    pairs |= {method: (shapes["start"], belief, "the belief") for method, belief in shapes["beliefs"].items()}
    for method, pair in pairs.items():
        sentence = settles(*pair)
        if sentence and not same_form(*pair):
            return f"`{method}`: {sentence}"
    return ""


def _abilities(instance: Any, shapes: dict[str, Any], spec: WorldSpec) -> str:
    able, rows = shapes["able"], spec.batch
    for name, shape in (("value", (rows,)), ("odds", (rows, spaces.width(spec.action)))):
        if name in able and (np.shape(able[name]) != shape or able[name].dtype != jnp.float32):
            return f"`{name}` returned {able[name].dtype}{list(np.shape(able[name]))}; it is float32{list(shape)}"
    if "prior" in able:
        like = jax.eval_shape(lambda: spaces.zeros(spec.action, rows))
        if difference := same_form(like, able["prior"], "an action of `prior`"):
            return f"{difference}; return it in the form of the action space"
    for name in ("imitate", "learn_and_recall"):
        if name in able and (difference := same_form(shapes["state"], able[name][0], "the state")):
            return f"in `{name}` {difference}; return every array in the form in which `init` makes it"
    along = jax.eval_shape(lambda start: jax.tree.map(lambda leaf: jnp.stack([leaf] * 3), start), shapes["start"])
    for name in ("recall", "learn_and_recall"):
        if name in able:
            beliefs = able[name] if name == "recall" else able[name][2]
            if difference := same_form(along, beliefs, "the beliefs"):
                return f"of sequences of two `{name}` returned other forms: {difference}; return beliefs [L + 1, N], time first"
    return ""


def _diet(instance: Any) -> str:
    found = getattr(instance, "diet", None)
    return "" if found in DIETS else f"`diet` is {found!r}; declare on the class that it is one of {DIETS}"
