"""How an agent stands to the data that it was shown: where they are and where it goes, and whether it does what they did.

Sources are read again, for a memory keeps neither episodes whole nor what was dropped. The life is only read.
"""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from umwelt.core import Discrete, capability, keys, layers, part, spaces
from umwelt.core.step import FIRST, TimeStep
from umwelt.evaluation.proctor import Proctor, is_hosted_mind
from umwelt.life.composition import Life
from umwelt.life.exams.examine import panel_of, probe_key, repeated
from umwelt.life.showing import reading_key
from umwelt.worlds import with_batch
from umwelt.worlds.absent import Absent
from umwelt.worlds.observed import names_of

MOST = 1000
"""Transitions that are compared, at most."""
EPISODES = 4
"""Episodes of each task that the policy is followed for."""


@part
class Offline:
    """N shown transitions, beside what the agent would do, of one seed.

    names: of the observation's numbers. seen: float64 [N, F], observations. done, would: float64 [N, A], the actions that
    were shown and the agent's own, in units of a Box or as whole numbers of choices. choices: they are choices. went:
    float64 [M, F], observations that the agent meets; M is 0 without a world. worth: float64 [N], the learner's value of
    what was done; None where it has none. gained: float64 [N], the discounted reward from there to the end of the episode.
    """

    names: tuple[str, ...]
    seen: np.ndarray
    done: np.ndarray
    would: np.ndarray
    choices: bool
    went: np.ndarray
    worth: np.ndarray | None
    gained: np.ndarray
    discount: float


def offline_of(life: Life, agent_state: Any, seed: int = 0) -> Offline | None:
    """Compare an agent's state with what it was shown; None where nothing with known actions was."""
    spec = life.world.spec
    action = spec.action
    if not life.shown or is_hosted_mind(life.agent) or not spaces.is_leaf(action):
        return None
    key = probe_key(seed)
    learner, held = _learner(life.agent, agent_state)
    discount = float(getattr(learner, "discount", 1.0))
    rows = _rows(life, seed, discount)
    if rows is None:
        return None
    observation, acted, gained = rows
    features = np.asarray(spaces.features(spec.observation, observation), np.float64)
    body = life.agent.embody(key, agent_state, with_batch(life.world, len(gained)).spec)
    would = jax.jit(lambda body: _answer(life.agent, key, body, observation))(body)
    value, worth = capability(learner, "worth") if learner is not None else None, None
    if value is not None and hasattr(held, "observation_form"):
        flat = held.observation_form.flat(observation)
        worth = np.asarray(jax.jit(lambda state: value(state, flat, acted))(held.learner), np.float64)
    width = features.shape[1]
    return Offline(
        names=names_of(life.world) or tuple(f"observation {index}" for index in range(width)),
        seen=features,
        done=_numbers(action, acted),
        would=_numbers(action, would),
        choices=isinstance(action, Discrete),
        went=_went(life, agent_state, key, width),
        worth=worth,
        gained=gained,
        discount=discount,
    )


def to_the_end(reward: np.ndarray, valid: np.ndarray, discount: float) -> np.ndarray:
    """Discounted rewards [T, B] from each transition to the end of its episode, which a transition that is not valid marks."""
    found, held = np.zeros(reward.shape, np.float64), np.zeros(reward.shape[1:], np.float64)
    for tick in range(len(reward) - 1, -1, -1):
        held = np.where(valid[tick], reward[tick] + discount * held, 0.0)
        found[tick] = held
    return found


def _rows(life: Life, seed: int, discount: float) -> tuple[Any, Any, np.ndarray] | None:
    """Observations, actions and discounted returns of up to `MOST` shown transitions, spread evenly over them."""
    found = []
    for number, source in enumerate(life.shown):
        read = list(source.read(reading_key(seed, number), life.world.spec))
        if not read:
            continue
        whole = jax.tree.map(lambda *leaves: np.concatenate([np.asarray(leaf) for leaf in leaves]), *read)
        reward, valid, known = (np.asarray(each) for each in (whole.next.reward, whole.valid, whole.acted))
        found.append((whole.step.observation, whole.action, to_the_end(reward, valid, discount), known))
    if not found or not any(known.any() for *_, known in found):
        return None
    chosen = [jax.tree.map(lambda leaf, known=known: leaf[known], three) for *three, known in found]
    observation, action, gained = jax.tree.map(lambda *leaves: np.concatenate(leaves), *chosen)
    some = np.unique(np.linspace(0, len(gained) - 1, min(MOST, len(gained))).astype(int))
    return *jax.tree.map(lambda leaf: jnp.asarray(leaf[some]), (observation, action)), gained[some]


def _answer(agent: Any, key: jax.Array, body: Any, observation: Any) -> Any:
    """What the agent does where each row begins an episode with an observation."""
    seeing, choosing = keys.split(key, "see", "act")
    rows = len(jax.tree.leaves(observation)[0])
    step = TimeStep(kind=jnp.full(rows, FIRST, jnp.int8), observation=observation, reward=jnp.zeros(rows, jnp.float32))
    return agent.act(choosing, agent.see(seeing, body, step)[0], "exploit")[1]


def _went(life: Life, agent_state: Any, key: jax.Array, width: int) -> np.ndarray:
    """What the agent meets in exams, every row to the end of its episode: float64 [M, F]."""
    if isinstance(life.world, Absent):
        return np.zeros((0, width))
    proctor = Proctor(life.agent, lambda rows: with_batch(life.world, rows))
    steps, _ = proctor.steps(key, agent_state, repeated(panel_of(life), EPISODES))
    # what follows the first end of a row belongs to another episode
    inside = np.cumsum(np.asarray(steps.last), axis=0) - np.asarray(steps.last) == 0
    met = jax.tree.map(lambda leaf: np.asarray(leaf)[inside], steps.observation)
    return np.asarray(spaces.features(life.world.spec.observation, met), np.float64)


def _learner(agent: Any, state: Any) -> tuple[Any, Any]:
    """The learner of an agent that has one, inside its wrappers, and the state of that agent."""
    for layer in layers(agent):
        if hasattr(layer, "learner") and hasattr(state, "learner"):
            return layer.learner, state
        state = getattr(state, "inner", None)
    return None, None


def _numbers(space: Any, action: Any) -> np.ndarray:
    """float64 [N, A]."""
    values = np.asarray(action, np.float64).reshape(len(np.asarray(action)), -1)
    if isinstance(space, Discrete):
        return values
    low, high = (np.asarray(edge, np.float64).reshape(-1) for edge in space.bounds)
    return (values - (low + high) / 2) / np.where(high > low, (high - low) / 2, 1.0) if np.isfinite(high - low).all() else values
