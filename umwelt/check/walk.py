"""Walk through a world at random for a while, so that a checker can look at what happened."""

import time
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from umwelt.core import TERMINATED, TimeStep, keys, part, spaces

PATIENCE = 10
"""How many times longer than asked a walk may take until an episode ends."""


@part
class Subject:
    """A world under examination.

    init, step: its methods, compiled where the world is pure. draw: (key, index) -> random actions [B], compiled.
    menu: its named tasks, leaves [K, ...]; the sole task of a pure world is joined by a random one.
    """

    world: Any
    key: Any
    init: Callable[..., Any]
    step: Callable[..., Any]
    draw: Callable[..., Any]
    menu: Any

    def rows(self, shift: int) -> Any:
        """Tasks [B]: row i has the task i + shift of the menu, which repeats."""
        size = jax.tree.leaves(self.menu)[0].shape[0] if jax.tree.leaves(self.menu) else 1
        return self.native(jax.tree.map(lambda leaf: leaf[(np.arange(self.world.spec.batch) + shift) % size], self.menu))

    def default(self) -> Any:
        """Tasks [B]: the first of the menu in every row."""
        return self.native(jax.tree.map(lambda leaf: np.repeat(leaf[:1], self.world.spec.batch, 0), self.menu))

    def native(self, tree: Any) -> Any:
        """The arrays that the world takes: NumPy where it is hosted, JAX where it is pure."""
        return jax.tree.map(np.asarray if self.world.spec.hosted else jnp.asarray, tree)


@part
class Walk:
    """What was given and what came back, for T steps.

    keys, tasks: T each. actions: T, each [B, ...]. states, steps: T + 1, the first of them of `init`.
    steps are copies in NumPy; raw are the very steps that the world returned. events: those of a hosted world.
    seconds: T + 1, what each call took.
    """

    keys: list[Any]
    actions: list[Any]
    tasks: list[Any]
    states: list[Any]
    steps: list[TimeStep]
    raw: list[TimeStep]
    events: list[Any]
    seconds: list[float]

    def ends(self) -> int | None:
        """The index of the first step on which a row ended its episode, if another step follows."""
        return next((index for index, step in enumerate(self.steps[:-1]) if np.any(step.kind >= TERMINATED)), None)

    def arguments(self, index: int) -> tuple[Any, Any, Any, Any]:
        """What `step` was given at `index`."""
        return self.keys[index], self.states[index], self.actions[index], self.tasks[index]


def subject_of(world: Any, key: jax.Array) -> Subject:
    """The subject that `world` is."""
    spec, named = world.spec, list(world.tasks().values())
    if len(named) == 1 and not spec.hosted:
        named.append(jax.device_get(spaces.sample(keys.fold(key, "task"), spec.task)))
    menu = jax.tree.map(lambda *leaves: np.stack([np.asarray(leaf) for leaf in leaves]), *named)
    init, step = (world.init, world.step) if spec.hosted else (jax.jit(world.init), jax.jit(world.step))
    draw = jax.jit(lambda key, index: spaces.sample(jax.random.fold_in(key, index), spec.action, spec.batch))
    return Subject(world=world, key=key, init=init, step=step, draw=draw, menu=menu)


def walk(subject: Subject, steps: int, shift: int = 0, to_an_end: bool = False) -> Walk:
    """Take `steps` random steps; with `to_an_end`, continue until an episode has ended and another begun.

    The same subject always draws the same keys and actions; `shift` moves only the next tasks.
    The simulators of a hosted world are closed at the end.
    """
    spec = subject.world.spec
    for_init, for_steps, for_actions = keys.split(subject.key, "init", "steps", "actions")
    most = steps * PATIENCE if to_an_end else steps
    began = time.perf_counter()
    state, step = subject.init(for_init, subject.rows(0))
    spent = [time.perf_counter() - began]
    taken = Walk(keys=[], actions=[], tasks=[], states=[state], steps=[_copy(step)], raw=[step], events=[], seconds=spent)
    over = False
    while len(taken.actions) < steps or (len(taken.actions) < most and not over):
        index = len(taken.actions)
        taken.keys.append(jax.random.fold_in(for_steps, index))
        taken.actions.append(subject.native(subject.draw(for_actions, index)))
        taken.tasks.append(subject.rows(index + shift))
        began = time.perf_counter()
        state, step = subject.step(*taken.arguments(index))
        taken.seconds.append(time.perf_counter() - began)
        taken.states.append(state)
        taken.steps.append(_copy(step))
        taken.raw.append(step)
        over = over or bool(np.any(taken.steps[-2].kind >= TERMINATED))
    if spec.hosted:
        taken.events.extend(subject.world.drain(state) or ())  # another rule says what it has to return
        subject.world.close(state)
    return taken


def _copy(step: Any) -> TimeStep:
    if not isinstance(step, TimeStep):
        raise TypeError(f"a {type(step).__name__} came where a TimeStep belongs; return (state, TimeStep(...))")
    return jax.tree.map(np.array, step)
