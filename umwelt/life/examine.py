"""Probes: an examination on a fixed panel of tasks, with fixed keys. The learner is only read."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from umwelt.core import part
from umwelt.core.contracts import World
from umwelt.evaluation.exam import Proctor, model_error
from umwelt.evaluation.statistics import interval
from umwelt.life.life import Life

PROBE_KEY = 20_000
"""The seed of every probe, so that all probes of all lives meet the same episodes."""
MODEL_STEPS = 200
"""Decisions of each episode in which the model's one-step error is measured, at most."""


@part
class Probe:
    """One task's result. returns: one for each episode. statistics: what the chronicle keeps of them."""

    task: str
    returns: tuple[float, ...]
    statistics: dict[str, float]


def panel_of(life: Life) -> tuple[str, ...]:
    """The tasks that a life is examined on: those its teacher names, or the world's default one."""
    named = getattr(life.teacher, "names", ())
    return tuple(dict.fromkeys(named)) or (next(iter(life.world.tasks())),)


def examine(proctor: Proctor, world: World, agent_state: Any, names: tuple[str, ...], episodes: int) -> list[Probe]:
    """`episodes` episodes on each of the named tasks."""
    tasks = repeated(world, names, episodes)
    exam = proctor.examine(jax.random.key(PROBE_KEY), agent_state, tasks)
    returns = np.asarray(exam.returns, np.float64).reshape(len(names), episodes)
    lengths = np.asarray(exam.length, np.float64).reshape(len(names), episodes).mean(axis=1)
    # at random, because then every probe of every life measures its model on the very same transitions
    errors = model_error(proctor.examine(jax.random.key(PROBE_KEY), agent_state, tasks, "random", MODEL_STEPS), len(names))
    probes = []
    for index, name in enumerate(names):
        low, high = interval(jax.random.key(PROBE_KEY), returns[index])
        mean = float(returns[index].mean())
        found = {"mean": mean, "low": low, "high": high, "model_error": float(errors[index]), "length": float(lengths[index])}
        probes.append(Probe(task=name, returns=tuple(returns[index]), statistics=found))
    return probes


def repeated(world: World, names: tuple[str, ...], episodes: int) -> Any:
    """Tasks [len(names) x episodes], each name's in a row."""
    named = world.tasks()
    chosen = [named[name] for name in names]
    stacked = jax.tree.map(lambda *leaves: jnp.stack([jnp.asarray(leaf) for leaf in leaves]), *chosen)
    return jax.tree.map(lambda leaf: jnp.repeat(leaf, episodes, axis=0), stacked)
