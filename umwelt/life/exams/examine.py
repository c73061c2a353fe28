"""Probes: an examination on a fixed panel of tasks, with fixed keys. The learner is only read."""

from dataclasses import field, replace
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from umwelt.core import part, spaces, zeros_step
from umwelt.evaluation.exam import model_error
from umwelt.evaluation.knowledge import Knowledge, decisions_a_second, foresee, has_observation, knowledge
from umwelt.evaluation.proctor import Proctor, is_hosted_mind, with_model
from umwelt.evaluation.statistics import interval
from umwelt.life.composition import BadLife, Life

PROBE_KEY = 20_000
"""The seed of every probe. The life's own seed is folded in, see `probe_key`."""
MODEL_STEPS = 200
"""Decisions of each episode in which the model's one-step error is measured, at most."""


@part
class Probe:
    """One task's result. returns: one for each episode, NaN for one that broke. statistics: what the chronicle keeps of them.
    named: what the world names, {name: one for each episode}, NaN where it did not report it, or broke."""

    task: str
    returns: tuple[float, ...]
    statistics: dict[str, float]
    named: dict[str, tuple[float, ...]] = field(default_factory=dict)

    @property
    def broken(self) -> int:
        """How many episodes ended because the world failed."""
        return int(np.isnan(self.returns).sum())


def panel_of(life: Life, names: tuple[str, ...] = ()) -> dict[str, Any]:
    """The tasks that a life is examined on, by name.

    They are `names` of the world's tasks, else the life's own panel, else its teacher's, else the world's default task.
    """
    named = life.world.tasks()
    if chosen := names or life.panel:
        if unknown := [name for name in chosen if name not in named]:
            raise BadLife(f"tasks: the world has none called {', '.join(unknown)}; it has {', '.join(named)}")
        return {name: named[name] for name in chosen}
    return life.teacher.panel(named) or dict([next(iter(named.items()))])


def repeated(panel: dict[str, Any], episodes: int) -> Any:
    """The tasks of a panel for its rows: leaves [len(panel) x episodes, ...], the episodes of a task in a row."""
    stacked = jax.tree.map(lambda *leaves: jnp.stack([jnp.asarray(leaf) for leaf in leaves]), *panel.values())
    return jax.tree.map(lambda leaf: jnp.repeat(leaf, episodes, axis=0), stacked)


def probe_key(seed: int) -> jax.Array:
    """Return the key of all probes of one seed.

    All probes of a life meet the same episodes, and so do two agents of one seed; lives of different seeds meet others.
    So a paired comparison is exact, and an interval over seeds contains the choice of episodes.
    """
    return jax.random.fold_in(jax.random.key(PROBE_KEY), seed)


def examine(proctor: Proctor, agent_state: Any, panel: dict[str, Any], episodes: int, seed: int = 0) -> list[Probe]:
    """Run `episodes` episodes on each task of the panel; which ones depends on the seed.

    The return of an episode that breaks is unknown, so it counts in no mean.
    """
    tasks, key = repeated(panel, episodes), probe_key(seed)
    exam = proctor.examine(key, agent_state, tasks)
    returns = np.where(exam.broken, np.nan, np.asarray(exam.returns, np.float64)).reshape(len(panel), episodes)
    reported = {
        name: np.where(exam.broken, np.nan, np.asarray(values, np.float64)).reshape(len(panel), episodes)
        for name, values in (exam.named or {}).items()
    }
    lengths = np.asarray(exam.length, np.float64).reshape(len(panel), episodes).mean(axis=1)
    # at random, because then every probe of a seed measures its model on the very same transitions
    errors = model_error(proctor.examine(key, agent_state, tasks, "random", MODEL_STEPS), len(panel))
    probes = []
    for index, name in enumerate(panel):
        mean, low, high = mean_with_interval(returns[index], seed)
        found = {"mean": mean, "low": low, "high": high, "model_error": float(errors[index]), "length": float(lengths[index])}
        named = {each: tuple(values[index]) for each, values in reported.items()}
        probes.append(Probe(task=name, returns=tuple(returns[index]), statistics=found, named=named))
    return probes


def mean_with_interval(values: Any, seed: int) -> tuple[float, float, float]:
    """The mean of a probe's episodes, with the ends of its interval of 95 %; those that are NaN do not count, and NaN where
    all are."""
    known = np.asarray(values, np.float64)
    known = known[~np.isnan(known)]
    if not known.size:
        return float("nan"), float("nan"), float("nan")
    low, high = interval(probe_key(seed), known)
    return float(known.mean()), low, high


def examine_model(
    proctor: Proctor, life: Life, agent_state: Any, panel: dict[str, Any], episodes: int, seed: int = 0
) -> dict[str, Knowledge]:
    """Measure what the model knows on each task of the panel, in one journey of MODEL_STEPS decisions an episode."""
    agent, world, key = life.agent, life.world, probe_key(seed)
    found = with_model(agent, agent_state)
    if found is None:
        raise BadLife(f"recipe: {type(agent).__name__} has no world model that could be examined; a plain probe will do")
    if is_hosted_mind(agent):
        raise BadLife(f"recipe: the model of {type(agent).__name__} is hosted and cannot be compiled; a plain probe will do")
    model, state, belief = found[0].model, found[1].model, found[1].belief
    action = spaces.zeros(world.spec.action, world.spec.batch)
    decoded = has_observation(jax.jit(model.imagine)(key, state, belief, action)[1])
    compared = "observation" if decoded else "belief"
    foreseen = jax.jit(partial(foresee, key, model, space=world.spec.observation, decoded=decoded))
    rows = {}
    for name, task in panel.items():
        journey = proctor.journey(key, agent_state, repeated({name: task}, episodes), MODEL_STEPS)
        rows[name] = knowledge(foreseen(state, journey), compared)
    alone = replace(world.spec, batch=1)
    body, step = agent.embody(key, agent_state, alone), zeros_step(alone)

    def decide(body: Any) -> Any:
        # the action alone is returned: JAX would copy any other leaf of a state that came out
        return agent.act(key, agent.see(key, body, step)[0], "exploit")[1]

    act = jax.jit(decide)
    rate = decisions_a_second(lambda: act(body))
    return {name: replace(row, decisions=rate) for name, row in rows.items()}
