"""Show the world model of a life as a Gymnasium environment, to train in or to look at."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import gymnasium
import jax
import jax.numpy as jnp
import numpy as np
from gymnasium.envs.registration import EnvSpec

from umwelt.core import Box, Prediction, TimeStep, keys, spaces
from umwelt.evaluation.proctor import close, is_hosted_mind, with_model
from umwelt.gymnasium.in_play import check_options, checked_actions, plain_space, shown
from umwelt.life.api import examination
from umwelt.life.composition import BadLife, Life
from umwelt.worlds import with_batch
from umwelt.worlds.stream import rows


class Dreamt(gymnasium.Env[Any, Any]):
    """What the world model of a life imagines, one decision at a time.

    `reset` draws one of `starts` first observations, which the life's own world showed when this environment, or a task,
    was first used. All that follows is imagined. It is not the world: errors add up along an episode, and a policy that
    trains here learns to use them. `info["doubt"]` says how little the model knows of a step, where it has a doubt.

    An episode terminates by a draw from the continuation that the model predicts (`info["continues"]`), and `horizon`
    decisions truncate it. Observations are as the life sees them, after the wrappers of its world. They are clipped to
    their bounds. `options={"task": NAME}` only changes where an episode begins, unless the observation shows the task.
    """

    def __init__(self, life: Life, agent_state: Any, *, horizon: int = 50, starts: int = 16, task: str = "") -> None:
        if horizon < 1 or starts < 1:
            raise ValueError(f"horizon={horizon} and starts={starts} must be at least 1")
        found = with_model(life.agent, agent_state)
        if found is None:
            raise BadLife(f"path: {type(life.agent).__name__} has no world model, so there is no dream to act in")
        if is_hosted_mind(life.agent):
            raise BadLife(f"path: the model of {type(life.agent).__name__} is hosted, and a dream needs a compiled one")
        self.life, self.agent_state, self.horizon, self.starts = life, agent_state, horizon, starts
        self.model, self.model_state = found[0].model, found[1].model
        self.metadata = {"render_modes": []}
        self.observation_space = spaces.to_gymnasium(life.world.spec.observation)
        self.action_space = spaces.to_gymnasium(plain_space(life.world.spec.action))
        self.task = self._known(task or next(iter(life.world.tasks())))
        self._opened: dict[str, tuple[TimeStep, Any]] = {}
        self._onward = onward(self.model, life.world.spec.observation)
        self._belief: Any = None
        self._key, self._age = np.zeros(2, np.uint32), 0
        self._check()

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """Begin an episode after a real first observation."""
        super().reset(seed=seed)
        check_options(options)
        task = self._known((options or {}).get("task", self.task))
        step, beliefs = self._open(task)
        row = int(self.np_random.integers(self.starts))
        self._belief = jax.tree.map(lambda leaf: leaf[row : row + 1], beliefs)
        self._key, self._age = self.np_random.integers(0, 2**32, 2, dtype=np.uint32), 0
        return shown(self.life.world.spec.observation, step.observation, row), {"task": task}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        """Imagine one decision."""
        if self._belief is None:
            raise gymnasium.error.ResetNeeded("the episode has ended or none has begun: call reset before step")
        space, action = self.life.world.spec, checked_actions(self.life.world.spec.action, action)[None]
        self._age += 1
        belief, *answer = self._onward(self._key, np.uint32(self._age), self.model_state, self._belief, action)
        # NumPy reads single entries much faster than JAX does
        expected, ends = jax.tree.map(np.asarray, tuple(answer))
        terminated, truncated = bool(ends[0]), self._age >= self.horizon
        self._belief = None if terminated or truncated else belief
        info = {"doubt": float(expected.doubt[0]), "continues": float(expected.continues[0])}
        observation = shown(space.observation, expected.observation, 0)
        return observation, float(expected.reward[0]), terminated, truncated and not terminated, info

    def _open(self, task: str) -> tuple[TimeStep, Any]:
        """First observations [starts] of a task, and what the life's agent believes after them."""
        if task not in self._opened:
            world = with_batch(self.life.world, self.starts)
            key = keys.fold(jax.random.key(self.life.seed), f"dream {task}")
            state, step = world.init(key, rows(world.tasks()[task], self.starts))
            close(world, state)
            step = jax.tree.map(jnp.asarray, step)
            self._opened[task] = step, jax.jit(self._after)(key, self.agent_state, step)
        return self._opened[task]

    def _after(self, key: jax.Array, agent_state: Any, step: TimeStep) -> Any:
        """The beliefs of the agent after a first step, in a body of as many rows."""
        agent, (enter, see) = self.life.agent, keys.split(key, "embody", "see")
        body = agent.embody(enter, agent_state, replace(self.life.world.spec, batch=self.starts))
        found = with_model(agent, agent.see(see, body, step)[0])
        assert found is not None
        return found[1].belief

    def _known(self, task: Any) -> str:
        if task not in self.life.world.tasks():
            raise ValueError(f"task {task!r} is no task of the life's world; known: {', '.join(self.life.world.tasks())}")
        return str(task)

    def _check(self) -> None:
        """Refuse a model that does not predict what the world shows."""
        beliefs = self._open(self.task)[1]
        action = spaces.zeros(self.life.world.spec.action, self.starts)
        form = jax.eval_shape(self.model.imagine, jax.random.key(0), self.model_state, beliefs, action)[1].observation
        kind = type(self.model).__name__
        if form is None:
            raise BadLife(
                f"path: the model of this life ({kind}) predicts rewards and beliefs, but no observation; a dream needs a model"
                " that does, such as Ensemble, Losse, or Rssm with a decoder"
            )
        if fault := spaces.contains(
            self.life.world.spec.observation, jax.tree.map(lambda leaf: np.zeros(leaf.shape, leaf.dtype), form)
        ):
            raise BadLife(f"path: the model of this life ({kind}) predicts other observations than its world shows: {fault}")


def onward(model: Any, space: Any) -> Callable[..., tuple[Any, Prediction, jax.Array]]:
    """A compiled imagined step: (words, count, model state, belief, action) -> (belief, prediction, whether it ends)."""

    def clipped(leaf: Any, value: jax.Array) -> jax.Array:
        return jnp.clip(value, *leaf.bounds) if isinstance(leaf, Box) else value

    @jax.jit
    def imagine(words: Any, count: Any, state: Any, belief: Any, action: Any) -> tuple[Any, Prediction, jax.Array]:
        key = jax.random.fold_in(jax.random.wrap_key_data(words), count)
        think, end = keys.split(key, "imagine", "end")
        belief, expected = model.imagine(think, state, belief, action)
        observation = spaces.map_space(clipped, space, expected.observation)
        ends = jax.random.uniform(end, expected.continues.shape) >= expected.continues
        return belief, replace(expected, observation=observation), ends

    return imagine


def dream(
    path: str | Path,
    *,
    horizon: int = 50,
    starts: int = 16,
    task: str = "",
    seed: int | None = None,
    lives: str | Path = "lives",
) -> Dreamt:
    """Make a Gymnasium environment of the world model in a life's last save. Nothing is written.

    horizon: decisions that truncate an episode. starts: real first observations to begin from. task: where episodes
    begin. seed: which life of the folder, where it holds several.
    """
    life, minds, _ = examination(path, lives)
    chosen = life.seed if seed is None else seed
    if chosen not in minds:
        raise ValueError(f"seed={seed} is no seed of this life; known: {', '.join(map(str, minds))}")
    made = Dreamt(life, minds[chosen], horizon=horizon, starts=starts, task=task)
    keywords = {"path": str(path), "horizon": horizon, "starts": starts, "task": task, "seed": seed, "lives": str(lives)}
    made.spec = EnvSpec("umwelt/Dream-v0", "umwelt.gymnasium:dream", kwargs=keywords)
    return made
