"""A hypernetwork: one network makes the weights of a small model for each task.

What the hypernetwork answered for an old task is all that is kept of it, so nothing of its experience has to be. A copy
is made before each new task, and a penalty holds the hypernetwork to the copy's answers for all tasks before.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp
from jax.flatten_util import ravel_pytree

from umwelt.core import (
    TERMINATED,
    Experience,
    Info,
    Metric,
    Prediction,
    TimeStep,
    WorldSpec,
    capability,
    keys,
    part,
    static,
    struct,
)
from umwelt.networks import known_tasks, layers, optimise
from umwelt.networks.known_tasks import Announcement, KnownTasks, alike
from umwelt.networks.layers import Stack


@struct
class Maker:
    """The hypernetwork. tasks: float32 [most, width], an embedding of each task. pieces: [pieces, width], of each piece of
    the weights. stack: from both to a piece, [2 width] -> [piece]."""

    tasks: jax.Array
    pieces: jax.Array
    stack: Stack


@struct
class HypernetworkState:
    """inner: the model's states for all tasks, leaves [most, ...], with the weights that are made now, without optimisers.
    initial: float32 [P], weights to which answers are added. maker: the hypernetwork; before: as it was when the present
    task began. optimiser: of the maker. known: the tasks. now: int32, which task was learned last."""

    inner: Any
    initial: jax.Array
    maker: Maker
    before: Maker
    optimiser: Any
    known: KnownTasks
    now: jax.Array
    announcement: Announcement = static()


@struct
class HypernetworkBelief:
    """inner: the model's [N]. task: float32 [N, width], what is announced of the task."""

    inner: Any
    task: jax.Array


@part
class Hypernetwork:
    """An `Ensemble` whose weights are made for each task ("Continual learning with hypernetworks", ICLR 2020; for models
    of the world "Continual model-based reinforcement learning with hypernetworks", ICRA 2021).

    The task is what the observation announces (`Announced`), and the model inside does not read it; where none is announced
    there is one task. An update is about one task, that of most of its rows. Give it a memory of what is newest: older
    tasks need none.

    Answers are made in pieces, as in the first paper's small networks. They are added to fixed initial weights, so that
    they begin at the right size. The penalty holds old answers at their present value and not, as in that paper, one step
    ahead. Inputs and targets are scaled for each task by itself, or a new task would change what is read of an old one.

    >>> from umwelt.models import Ensemble
    >>> from umwelt.worlds import Pendulum
    >>> model = Hypernetwork(model=Ensemble(members=2, layers=1, units=8), most=3, piece=32)
    >>> state = jax.eval_shape(lambda key: model.init(key, Pendulum().spec), jax.random.key(0))
    >>> state.initial.size, state.maker.pieces.shape[0]  # so many weights, made in pieces of 32
    (250, 8)
    """

    model: Any
    """An `Ensemble`, or a model with its `loss_of`. Of its settings those of the optimiser are not used."""
    most: int = 8
    """The most tasks; later ones share the last one's place."""
    strength: float = 10.0
    """Penalty on a unit of squared change of the old answers, of the mean old task."""
    width: int = 16
    """Numbers of the embedding of a task, and of a piece."""
    units: int = 64
    """Width of the two hidden layers of the hypernetwork."""
    piece: int = 512
    """Weights that are made at once."""
    learning_rate: float = 3e-4
    """Step size of Adam."""

    cites = ("hypernetworks_2020", "hypercrl_2021")
    diet = "replay"
    passes = ()

    @property
    def inner(self) -> Any:
        """The model whose weights are made."""
        return self.model

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """The inner model's."""
        return self.model.metrics

    def init(self, key: jax.Array, spec: WorldSpec) -> HypernetworkState:
        """Know no task; the first one's weights are the inner model's initial ones."""
        capability(self.model, "loss_of", required="model=... of Hypernetwork, which makes the weights of an Ensemble")
        if self.model.protection is not None or self.model.early_stop:
            raise ValueError("model: its protection and early_stop would act on weights that are made; leave them out")
        if self.most < 1:
            raise ValueError(f"most={self.most} must be at least 1")
        announcement = known_tasks.announcement(spec.observation)
        for_model, for_tasks, for_pieces, for_stack = keys.split(key, "model", "tasks", "pieces", "stack")
        inner = self.model.init(for_model, replace(spec, observation=announcement.rest.space))
        initial, _ = ravel_pytree(inner.weights)
        sizes = (2 * self.width, self.units, self.units, self.piece)
        maker = Maker(
            tasks=jax.random.normal(for_tasks, (self.most, self.width)),
            pieces=jax.random.normal(for_pieces, (-(-initial.size // self.piece), self.width)),
            stack=layers.stack(for_stack, sizes, scale=0.0, normed=False),
        )
        return HypernetworkState(
            inner=jax.tree.map(lambda leaf: jnp.repeat(leaf[None], self.most, axis=0), replace(inner, optimiser=None)),
            initial=initial,
            maker=maker,
            before=jax.tree.map(jnp.copy, maker),
            optimiser=optimise.optimiser(self.learning_rate).init(maker),
            known=known_tasks.none_known(self.most, announcement.width),
            now=jnp.zeros((), jnp.int32),
            announcement=announcement,
        )

    def start(self, state: HypernetworkState, batch: int) -> HypernetworkBelief:
        """Start the inner model's beliefs, on the task that was learned last."""
        task = jnp.broadcast_to(state.known.announced[state.now], (batch, state.announcement.width))
        return HypernetworkBelief(inner=self.model.start(_one(state.inner, state.now), batch), task=task)

    def observe(
        self, key: jax.Array, state: HypernetworkState, belief: HypernetworkBelief, action: Any, step: TimeStep
    ) -> tuple[HypernetworkBelief, Info]:
        """Filter by the model of each row's task; for a new task, by that of the known task that is most like it."""
        task, rest = state.announcement.tasks(step.observation), self._cut(state, step)
        inner, info = self._by_task(state, task, lambda one: self.model.observe(key, one, belief.inner, action, rest))
        return HypernetworkBelief(inner=inner, task=task), info

    def imagine(
        self, key: jax.Array, state: HypernetworkState, belief: HypernetworkBelief, action: Any
    ) -> tuple[HypernetworkBelief, Prediction]:
        """Imagine by the model of each row's task; the task stays."""
        inner, prediction = self._by_task(state, belief.task, lambda one: self.model.imagine(key, one, belief.inner, action))
        observation = state.announcement.joined(prediction.observation, belief.task)
        return replace(belief, inner=inner), replace(prediction, observation=observation)

    def learn(self, key: jax.Array, state: HypernetworkState, experience: Experience) -> tuple[HypernetworkState, Info]:
        """Update the hypernetwork once, from those rows of experience [N] or [N, L] that are of the most frequent task."""
        del key
        tasks, acted = state.announcement.tasks(experience.step.observation), experience.acted
        some = jnp.any(acted)
        flat, rows = tasks.reshape(acted.size, -1), jnp.ravel(acted)
        twins = jnp.sum(alike(flat[:, None], flat) & rows, axis=1)
        present = flat[jnp.argmax(jnp.where(rows, twins, -1))]
        known, task = known_tasks.meet(state.known, present, some)
        kind = jnp.where(alike(tasks, present), experience.step.kind, jnp.int8(TERMINATED))
        step = replace(self._cut(state, experience.step), kind=kind)
        met, loss = self.model.loss_of(
            _one(state.inner, task), replace(experience, step=step, next=self._cut(state, experience.next))
        )
        # another task begins: from here on, the answers to all others are held
        turns = (task != state.now) & some
        before = jax.tree.map(lambda new, old: jnp.where(turns, new, old), state.maker, state.before)
        old = (jnp.arange(self.most) < state.known.count) & (jnp.arange(self.most) != task)
        target = self._answers(before, state.initial)

        def total(maker: Maker) -> tuple[jax.Array, Info]:
            answers = self._answers(maker, state.initial)
            lost, info = loss(self._weights(state, answers[task]))
            change = jnp.sum((answers - target) ** 2, axis=1)
            return lost + self.strength * jnp.sum(jnp.where(old, change, 0.0)) / jnp.maximum(jnp.sum(old), 1), info

        gradient, info = jax.grad(total, has_aux=True)(state.maker)
        adam = optimise.optimiser(self.learning_rate)
        maker, optimiser = optimise.stepped(adam, gradient, state.optimiser, state.maker)
        weights = jax.vmap(lambda answer: self._weights(state, answer))(self._answers(maker, state.initial))
        inner = jax.tree.map(
            lambda leaf, new: leaf.at[task].set(new), replace(state.inner, weights=None), replace(met, weights=None)
        )
        after = replace(
            state,
            inner=replace(inner, weights=weights),
            maker=maker,
            before=before,
            optimiser=optimiser,
            known=known,
            now=task,
        )
        info = {name: value for name, value in info.items() if name != "held_out"}
        return jax.tree.map(lambda new, old: jnp.where(some, new, old), after, state), info

    def _answers(self, maker: Maker, initial: jax.Array) -> jax.Array:
        """Make the flat weights for every task, float32 [most, P]."""
        most, pieces = self.most, maker.pieces.shape[0]
        both = [jnp.repeat(maker.tasks, pieces, axis=0), jnp.tile(maker.pieces, (most, 1))]
        made = layers.apply(maker.stack, jnp.concatenate(both, axis=-1), jax.nn.silu)
        return initial + made.reshape(most, pieces * self.piece)[:, : initial.size]

    def _weights(self, state: HypernetworkState, answer: jax.Array) -> Any:
        """Shape flat weights [P] like the inner model's."""
        return ravel_pytree(_one(state.inner.weights, 0))[1](answer)

    def _by_task(self, state: HypernetworkState, task: jax.Array, ask: Callable[[Any], Any]) -> Any:
        """Answer each row [N, ...] by the model of its own task; the model of a task that no row is on is not asked."""
        number = known_tasks.nearest(state.known, task)

        def each(index: jax.Array, held: Any) -> Any:
            mine = number == index

            def choose(new: jax.Array, old: jax.Array) -> jax.Array:
                return jnp.where(mine.reshape(-1, *(1,) * (new.ndim - 1)), new, old)

            return jax.lax.cond(jnp.any(mine), lambda: jax.tree.map(choose, ask(_one(state.inner, index)), held), lambda: held)

        nothing = jax.tree.map(lambda form: jnp.zeros(form.shape, form.dtype), jax.eval_shape(lambda: ask(_one(state.inner, 0))))
        return jax.lax.fori_loop(0, self.most, each, nothing)

    def _cut(self, state: HypernetworkState, step: TimeStep) -> TimeStep:
        """Leave the task out of a step."""
        return replace(step, observation=state.announcement.without(step.observation))


def _one(inner: Any, number: Any) -> Any:
    """Take the model's state for one task."""
    return jax.tree.map(lambda leaf: leaf[number], inner)
