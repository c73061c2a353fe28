"""A network that makes the networks: one small model, whose weights are another's answer to which task it is.

What is remembered of an old task is what was answered to it. So nothing of its experience has to be kept: before the
answer to a new task is learned, the network is copied once, and held to the copy's answers to all tasks before.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp
import optax
from jax.flatten_util import ravel_pytree

from umwelt.core import TERMINATED, Experience, Info, Metric, Prediction, TimeStep, WorldSpec, keys, part, static, struct
from umwelt.networks import layers, shown
from umwelt.networks.layers import Stack
from umwelt.networks.shown import Names


@struct
class Maker:
    """The network that answers. tasks: float32 [most, width], what it is told of each task. pieces: [pieces, width], what
    it is told of each piece of the answer. stack: from both to a piece, [2 width] -> [piece]."""

    tasks: jax.Array
    pieces: jax.Array
    stack: Stack


@struct
class HypernetworkState:
    """inner: the model's states for all tasks, leaves [most, ...], their weights as they are made now, without optimisers.
    born: float32 [P], weights to which answers are added. maker: who answers, before: as it was when the task in hand
    began. optimiser: of the maker. names: the tasks. now: int32, which task was learned last. width: of the observation
    without the task."""

    inner: Any
    born: jax.Array
    maker: Maker
    before: Maker
    optimiser: Any
    names: Names
    now: jax.Array
    width: int = static()


@struct
class HypernetworkBelief:
    """inner: the model's [N]. told: float32 [N, entries], what is shown of the task."""

    inner: Any
    told: jax.Array


@part
class Hypernetwork:
    """An `Ensemble` whose weights are made for each task ("Continual learning with hypernetworks", ICLR 2020; for models
    of the world "Continual model-based reinforcement learning with hypernetworks", ICRA 2021).

    The task is the last `entries` numbers of the observation, which the model inside does not see; with 0 there is one
    task. A lesson is about one task, that of most of its rows. Give it a memory of what is newest: older tasks need none.

    Answers are made in pieces, as in the first paper's small networks, and are added to weights that stay as they were
    born, so that they begin at the right size. Old answers are held at their present value and not, as in that paper,
    one step ahead. Inputs and targets are scaled for each task by itself, or a new task would change what is read of an
    old one.
    """

    model: Any
    """An `Ensemble`, or whoever has its `lesson`. Of its settings those of the optimiser are not used."""
    entries: int = 0
    """Numbers at the end of the observation that tell the task."""
    most: int = 8
    """The most tasks; later ones share the last one's place."""
    strength: float = 10.0
    """What a unit of squared change of the old answers costs, of the mean old task."""
    width: int = 16
    """How many numbers stand for a task, and for a piece."""
    units: int = 64
    """Width of the two hidden layers of the network that answers."""
    piece: int = 512
    """Weights that are made at once."""
    learning_rate: float = 3e-4
    """Step size of Adam."""

    diet = "replay"

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """The inner model's."""
        return self.model.metrics

    def init(self, key: jax.Array, spec: WorldSpec) -> HypernetworkState:
        """No task is known; the first one's weights are those that the inner model was born with."""
        if not hasattr(self.model, "lesson"):
            raise ValueError(
                f"model={type(self.model).__name__} has no `lesson`; Hypernetwork makes the weights of an `Ensemble`"
            )
        if self.model.protection is not None or self.model.early_stop:
            raise ValueError("model: its protection and early_stop would act on weights that are made; leave them out")
        if self.entries < 0 or self.most < 1:
            raise ValueError(f"entries={self.entries} must not be negative, and most={self.most} at least 1")
        rest = shown.without(spec, self.entries)
        for_model, for_tasks, for_pieces, for_stack = keys.split(key, "model", "tasks", "pieces", "stack")
        inner = self.model.init(for_model, rest)
        born, _ = ravel_pytree(inner.weights)
        sizes = (2 * self.width, self.units, self.units, self.piece)
        maker = Maker(
            tasks=jax.random.normal(for_tasks, (self.most, self.width)),
            pieces=jax.random.normal(for_pieces, (-(-born.size // self.piece), self.width)),
            stack=layers.stack(for_stack, sizes, scale=0.0, normed=False),
        )
        return HypernetworkState(
            inner=jax.tree.map(lambda leaf: jnp.repeat(leaf[None], self.most, axis=0), replace(inner, optimiser=None)),
            born=born,
            maker=maker,
            before=jax.tree.map(jnp.copy, maker),
            optimiser=optax.adam(self.learning_rate).init(maker),
            names=shown.unnamed(self.most, self.entries),
            now=jnp.zeros((), jnp.int32),
            width=rest.observation.shape[0],
        )

    def start(self, state: HypernetworkState, batch: int) -> HypernetworkBelief:
        """The inner start, on the task that was learned last."""
        told = jnp.broadcast_to(state.names.shown[state.now], (batch, self.entries))
        return HypernetworkBelief(inner=self.model.start(_one(state.inner, state.now), batch), told=told)

    def observe(
        self, key: jax.Array, state: HypernetworkState, belief: HypernetworkBelief, action: Any, step: TimeStep
    ) -> tuple[HypernetworkBelief, Info]:
        """What the model of each row's task sees; of a task that was not met, the one that is shown most like it."""
        told, rest = step.observation[..., state.width :], self._cut(state, step)
        inner, info = self._asked(state, told, lambda one: self.model.observe(key, one, belief.inner, action, rest))
        return HypernetworkBelief(inner=inner, told=told), info

    def imagine(
        self, key: jax.Array, state: HypernetworkState, belief: HypernetworkBelief, action: Any
    ) -> tuple[HypernetworkBelief, Prediction]:
        """The imagination of the model of each row's task; the task stays."""
        inner, prediction = self._asked(state, belief.told, lambda one: self.model.imagine(key, one, belief.inner, action))
        seen = jnp.concatenate([prediction.observation, belief.told], axis=-1)
        return replace(belief, inner=inner), replace(prediction, observation=seen)

    def learn(self, key: jax.Array, state: HypernetworkState, experience: Experience) -> tuple[HypernetworkState, Info]:
        """One update of the network that answers, from those rows of experience [N] or [N, L] that are of the most
        frequent task."""
        del key
        told, any_valid = experience.step.observation[..., state.width :], jnp.any(experience.valid)
        flat, valid = told.reshape(experience.valid.size, self.entries), jnp.ravel(experience.valid)
        alike = jnp.sum(jnp.all(flat[:, None] == flat, axis=-1) & valid, axis=1)
        name = flat[jnp.argmax(jnp.where(valid, alike, -1))]
        names, task = shown.met(state.names, name, any_valid)
        kind = jnp.where(jnp.all(told == name, axis=-1), experience.step.kind, jnp.int8(TERMINATED))
        step = replace(self._cut(state, experience.step), kind=kind)
        met, loss = self.model.lesson(
            _one(state.inner, task), replace(experience, step=step, next=self._cut(state, experience.next))
        )
        # another task begins: from here on, what was answered to all others is to be answered again
        turns = (task != state.now) & any_valid
        before = jax.tree.map(lambda new, old: jnp.where(turns, new, old), state.maker, state.before)
        old = (jnp.arange(self.most) < state.names.known) & (jnp.arange(self.most) != task)
        wanted = self._answers(before, state.born)

        def total(maker: Maker) -> tuple[jax.Array, Info]:
            answers = self._answers(maker, state.born)
            lost, info = loss(self._weights(state, answers[task]))
            change = jnp.sum((answers - wanted) ** 2, axis=1)
            return lost + self.strength * jnp.sum(jnp.where(old, change, 0.0)) / jnp.maximum(jnp.sum(old), 1), info

        gradient, info = jax.grad(total, has_aux=True)(state.maker)
        update, optimiser = optax.adam(self.learning_rate).update(gradient, state.optimiser)
        maker = optax.apply_updates(state.maker, update)
        weights = jax.vmap(lambda answer: self._weights(state, answer))(self._answers(maker, state.born))
        known = jax.tree.map(
            lambda leaf, new: leaf.at[task].set(new), replace(state.inner, weights=None), replace(met, weights=None)
        )
        after = HypernetworkState(
            inner=replace(known, weights=weights),
            born=state.born,
            maker=maker,
            before=before,
            optimiser=optimiser,
            names=names,
            now=task,
            width=state.width,
        )
        info = {name: value for name, value in info.items() if name != "held_out"}
        return jax.tree.map(lambda new, old: jnp.where(any_valid, new, old), after, state), info

    def _answers(self, maker: Maker, born: jax.Array) -> jax.Array:
        """The flat weights for every task, float32 [most, P]."""
        most, pieces = self.most, maker.pieces.shape[0]
        both = [jnp.repeat(maker.tasks, pieces, axis=0), jnp.tile(maker.pieces, (most, 1))]
        made = layers.apply(maker.stack, jnp.concatenate(both, axis=-1), jax.nn.silu)
        return born + made.reshape(most, pieces * self.piece)[:, : born.size]

    def _weights(self, state: HypernetworkState, answer: jax.Array) -> Any:
        """The inner model's weights from flat ones [P]."""
        return ravel_pytree(_one(state.inner.weights, 0))[1](answer)

    def _asked(self, state: HypernetworkState, told: jax.Array, ask: Callable[[Any], Any]) -> Any:
        """Each row's answer [N, ...] by the model of its own task; of a task that no row is on, nobody is asked."""
        number = shown.nearest(state.names, told)

        def each(task: jax.Array, held: Any) -> Any:
            mine = number == task

            def choose(new: jax.Array, old: jax.Array) -> jax.Array:
                return jnp.where(mine.reshape(-1, *(1,) * (new.ndim - 1)), new, old)

            return jax.lax.cond(jnp.any(mine), lambda: jax.tree.map(choose, ask(_one(state.inner, task)), held), lambda: held)

        nothing = jax.tree.map(lambda form: jnp.zeros(form.shape, form.dtype), jax.eval_shape(lambda: ask(_one(state.inner, 0))))
        return jax.lax.fori_loop(0, self.most, each, nothing)

    def _cut(self, state: HypernetworkState, step: TimeStep) -> TimeStep:
        """The step without what is shown of the task."""
        return replace(step, observation=step.observation[..., : state.width])


def _one(inner: Any, number: Any) -> Any:
    """The model's state for one task."""
    return jax.tree.map(lambda leaf: leaf[number], inner)
