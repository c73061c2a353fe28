"""Use the known world as a model: the error-free model, and the oracle of planners."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from umwelt.core import (
    DOUBT,
    FIRST,
    SURPRISE,
    Experience,
    Info,
    Prediction,
    TimeStep,
    WorldSpec,
    capability,
    part,
    select,
    spaces,
    struct,
)
from umwelt.core.contracts import Diet


@struct
class Known:
    """The belief of `Truth`. body, task: of each row, leaves [N, ...]."""

    body: Any
    task: Any


@part
class Truth:
    """The dynamics of a pure world whose observation shows its body. It learns nothing and doubts nothing.

    >>> from umwelt.worlds import Pendulum
    >>> model, hanging = Truth(world=Pendulum()), jnp.array([[-1.0, 0.0, 0.0]])
    >>> step = TimeStep(kind=jnp.array([FIRST]), observation=hanging, reward=jnp.zeros(1))

    >>> def foresee(key):
    ...     belief, _ = model.observe(key, (), model.start((), 1), jnp.zeros((1, 1)), step)
    ...     return model.imagine(key, (), belief, jnp.zeros((1, 1)))[1]
    >>> round(float(jax.jit(foresee)(jax.random.key(0)).reward[0]), 2)
    -9.87
    """

    world: Any
    """The world, with the capabilities `body`, `advance` and `observe`; any wrapper that lets them through."""
    task: str = ""
    """The named task by which it predicts where the observation shows none; empty for the world's default."""

    diet: Diet = "stream"
    metrics = (SURPRISE, DOUBT)

    def init(self, key: jax.Array, spec: WorldSpec) -> tuple[()]:
        """Nothing to learn, so nothing to keep."""
        for name in ("body", "advance", "observe"):
            capability(self.world, name, required="world of Truth")
        same = jax.tree.structure(spec.observation, is_leaf=spaces.is_leaf) == jax.tree.structure(
            self.world.spec.observation, is_leaf=spaces.is_leaf
        )
        if not same or spaces.leaves(spec.observation) != spaces.leaves(self.world.spec.observation):
            raise ValueError(
                f"world: Truth knows {self.world.spec.name!r}, whose observation is not that of {spec.name!r};"
                " give it the very world of the life, with its wrappers"
            )
        self._default(1)
        return ()

    def start(self, state: tuple[()], batch: int) -> Known:
        """A body of zeros under the default task."""
        task = self._default(batch)
        body = jax.eval_shape(self._body, spaces.zeros(self.world.spec.observation, batch), task)
        return Known(body=jax.tree.map(lambda leaf: jnp.zeros(leaf.shape, leaf.dtype), body), task=task)

    def observe(self, key: jax.Array, state: tuple[()], belief: Known, action: Any, step: TimeStep) -> tuple[Known, Info]:
        """Read the body from the observation. What it does not show is what `advance` made of the body before.

        The surprise is how far the observation is from the expected one, as a root mean square of its numbers.
        """
        first = jnp.asarray(step.kind == FIRST)
        task = self._task(step.observation, len(first))
        moved, _ = self._moved(key, belief, action)
        begun = jax.tree.map(jnp.zeros_like, moved.body)
        hidden = select(first, begun, moved.body)
        body = jax.tree.map(_fill, self._body(step.observation, task), hidden)
        expected = jax.vmap(self._method("observe"))(moved.body, belief.task)
        space = self.world.spec.observation
        gap = spaces.features(space, expected) - spaces.features(space, step.observation)
        surprise = jnp.where(first, jnp.nan, jnp.sqrt(jnp.mean(gap**2, axis=-1)))
        return Known(body=body, task=task), {"surprise": surprise, "doubt": jnp.where(first, jnp.nan, 0.0)}

    def imagine(self, key: jax.Array, state: tuple[()], belief: Known, action: Any) -> tuple[Known, Prediction]:
        """One step of the world itself."""
        after, (reward, terminated) = self._moved(key, belief, action)
        prediction = Prediction(
            observation=jax.vmap(self._method("observe"))(after.body, after.task),
            reward=reward.astype(jnp.float32),
            continues=1.0 - terminated.astype(jnp.float32),
            doubt=jnp.zeros(reward.shape, jnp.float32),
        )
        return after, prediction

    def learn(self, key: jax.Array, state: tuple[()], experience: Experience) -> tuple[tuple[()], Info]:
        """Learn nothing."""
        return state, {}

    def _moved(self, key: jax.Array, belief: Known, action: Any) -> tuple[Known, tuple[jax.Array, jax.Array]]:
        """The bodies after one decision, with (reward [N], terminated [N])."""
        number = jax.tree.leaves(belief)[0].shape[0]
        advance = jax.vmap(self._method("advance"))
        body, reward, terminated = advance(jax.random.split(key, number), belief.body, action, belief.task)
        return Known(body=body, task=belief.task), (reward, terminated)

    def _body(self, observation: Any, task: Any) -> Any:
        return jax.vmap(self._method("body"))(observation, task)

    def _task(self, observation: Any, number: int) -> Any:
        """Tasks [number]: what the observation shows, or the default."""
        shown = capability(self.world, "task_of")
        return self._default(number) if shown is None else shown(observation)

    def _default(self, number: int) -> Any:
        named = self.world.tasks()
        if self.task and self.task not in named:
            raise ValueError(f"task={self.task!r} of Truth: the world has no such task; known: {', '.join(named)}")
        task = named[self.task or next(iter(named))]
        return jax.tree.map(lambda leaf: jnp.broadcast_to(jnp.asarray(leaf), (number, *np.shape(leaf))), task)

    def _method(self, name: str) -> Any:
        return capability(self.world, name, required="world of Truth")


def _fill(shown: jax.Array, hidden: jax.Array) -> jax.Array:
    """`shown`, with `hidden` where it is NaN."""
    return jnp.where(jnp.isnan(shown), hidden, shown) if jnp.issubdtype(shown.dtype, jnp.floating) else shown
