"""A growing zoo: a small model for each task, which also learns the old tasks that the zoo predicts worst."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp

from umwelt.core import TERMINATED, Experience, Info, Metric, Prediction, TimeStep, WorldSpec, keys, part, select, static, struct
from umwelt.core.contracts import Model
from umwelt.networks import known_tasks
from umwelt.networks.known_tasks import Announcement, KnownTasks, alike

MODELS = Metric(name="models", unit="models", meaning="how many models of the zoo have begun")


@struct
class ZooState:
    """inner: of all models, leaves [K, ...]; the model k began with task k. known: the tasks. learned: bool [K, K], which
    tasks (columns) each model (rows) has learned."""

    inner: Any
    known: KnownTasks
    learned: jax.Array
    announcement: Announcement = static()


@struct
class ZooBelief:
    """inner: of all models, leaves [N, K, ...]. task: float32 [N, width], what is announced of the task."""

    inner: Any
    task: jax.Array


@part
class Zoo:
    """Small models, of which the newest learns. The prediction is the mean of those that have learned the present task
    ("Model Zoo: A growing brain that learns continually", ICLR 2022).

    The task is what the observation announces (`Announced`); where none is announced there is one task, and one model.
    The models read it too, so that each can tell its tasks apart; the paper gives each task an output of its own. When a
    task is new, a model begins. It learns that task and the `old` ones that the zoo predicts worst at that moment, where the
    paper draws them by its losses. It learns from what the agent's memory holds of them, where the paper keeps all. Models
    before it stay as they are.

    >>> from umwelt.models import Ensemble
    >>> from umwelt.worlds import Pendulum
    >>> model = Zoo(model=Ensemble(members=2, layers=1, units=8), most=4)
    >>> state = jax.eval_shape(lambda key: model.init(key, Pendulum().spec), jax.random.key(0))
    >>> state.learned.shape  # which model has learned which task
    (4, 4)
    """

    model: Model
    """What each of the models is. It replays and decodes observations, as an `Ensemble` does."""
    most: int = 8
    """The most models; a task that comes when all have begun counts as the known one that is most like it."""
    old: int = 1
    """How many old tasks a new model learns beside its own; with 0 each task has one model, that learns nothing else."""

    cites = ("model_zoo_2022",)
    diet = "replay"
    passes = ()

    @property
    def inner(self) -> Model:
        """What each of the models is."""
        return self.model

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """What one model declares, and how many there are."""
        return (*self.model.metrics, MODELS)

    def init(self, key: jax.Array, spec: WorldSpec) -> ZooState:
        """Make models without data, of which none has begun."""
        if self.model.diet != "replay":
            raise ValueError(f"model={type(self.model).__name__} learns from a stream; Zoo needs a model whose diet is replay")
        if self.most < 1 or not 0 <= self.old < max(self.most, 2):
            raise ValueError(f"most={self.most} must be at least 1, and old={self.old} neither negative nor all of them")
        announcement = known_tasks.announcement(spec.observation)
        return ZooState(
            inner=jax.vmap(lambda each: self.model.init(each, spec))(jax.random.split(key, self.most)),
            known=known_tasks.none_known(self.most, announcement.width),
            learned=jnp.zeros((self.most, self.most), bool),
            announcement=announcement,
        )

    def start(self, state: ZooState, batch: int) -> ZooBelief:
        """Start all models' beliefs, on the task that was met last."""
        task = state.known.announced[jnp.maximum(state.known.count - 1, 0)]
        inner = jax.vmap(lambda one: self.model.start(one, batch), out_axes=1)(state.inner)
        return ZooBelief(inner=inner, task=jnp.broadcast_to(task, (batch, state.announcement.width)))

    def observe(self, key: jax.Array, state: ZooState, belief: ZooBelief, action: Any, step: TimeStep) -> tuple[ZooBelief, Info]:
        """Filter by the models that have learned a row's task; surprise and doubt are their means."""
        task = state.announcement.tasks(step.observation)
        # a model that is not asked must not carry a belief into the next episode
        belief = select(step.first, self.start(state, step.kind.shape[0]), belief)

        def observe(one: Any, before: Any) -> tuple[Any, Info]:
            return self.model.observe(key, one, before, action, step)

        inner, info = self._averaged(state, task, belief.inner, observe)
        return ZooBelief(inner=inner, task=task), info

    def imagine(self, key: jax.Array, state: ZooState, belief: ZooBelief, action: Any) -> tuple[ZooBelief, Prediction]:
        """Imagine by each model from its own belief; the prediction is their mean."""

        def imagine(one: Any, before: Any) -> tuple[Any, Prediction]:
            return self.model.imagine(key, one, before, action)

        inner, prediction = self._averaged(state, belief.task, belief.inner, imagine)
        return replace(belief, inner=inner), prediction

    def learn(self, key: jax.Array, state: ZooState, experience: Experience) -> tuple[ZooState, Info]:
        """Update the newest model on those rows of experience [N] or [N, L] that are of its tasks; one begins where a row
        is of a new task."""
        looking, learning = keys.split(key, "look", "learn")
        acted = jnp.ravel(experience.acted)
        flat = state.announcement.tasks(experience.step.observation).reshape(acted.size, -1)
        same = alike(flat[:, None], state.known.announced) & (jnp.arange(self.most) < state.known.count)
        unknown = acted & ~jnp.any(same, axis=1)
        begins = jnp.any(unknown) & (state.known.count < self.most)
        known, _ = known_tasks.meet(state.known, flat[jnp.argmax(unknown)], begins)
        newest = jnp.maximum(known.count - 1, 0)
        # the choice asks all models, so it is made only where one begins
        chosen = jax.lax.cond(
            begins, lambda: self._worst(looking, state, experience, same & acted[:, None]), lambda: jnp.zeros(self.most, bool)
        )
        mine = jnp.where(begins, chosen.at[newest].set(True), state.learned[newest])
        found = jnp.any(same, axis=1) | alike(flat, known.announced[newest])
        own = (mine[known_tasks.nearest(known, flat)] & found).reshape(experience.acted.shape)
        kind = jnp.where(own, experience.step.kind, jnp.int8(TERMINATED))
        rows = replace(experience, step=replace(experience.step, kind=kind))
        inner, info = self.model.learn(learning, _one(state.inner, newest), rows)
        after = replace(
            state,
            inner=jax.tree.map(lambda leaf, new: leaf.at[newest].set(new), state.inner, inner),
            known=known,
            learned=jnp.where(begins, state.learned.at[newest].set(mine), state.learned),
        )
        return after, info | {"models": known.count.astype(jnp.float32)}

    def _worst(self, key: jax.Array, state: ZooState, experience: Experience, of: jax.Array) -> jax.Array:
        """bool [K]: the `old` tasks of whose one-step change the zoo misses the greatest share. of: bool [N, K], which rows
        are of which task."""
        lead, number = experience.origin.ndim, experience.origin.size
        rows = jax.tree.map(lambda leaf: leaf.reshape(number, *leaf.shape[lead:]), experience)
        belief, _ = self.observe(key, state, self.start(state, number), rows.action, rows.step.opening)
        _, prediction = self.imagine(key, state, belief, rows.action)
        flat = state.announcement.whole.flat

        def change(expected: Any) -> jax.Array:
            square = jnp.sum((flat(rows.next.observation) - flat(expected)) ** 2, axis=1, keepdims=True)
            return jnp.sum(jnp.where(of, square, 0.0), axis=0)

        missed = change(prediction.observation) / jnp.maximum(change(rows.step.observation), 1e-12)
        held = jnp.any(of, axis=0)
        order = jnp.argsort(jnp.argsort(jnp.where(held, -missed, jnp.inf)))
        return held & (order < self.old)

    def _averaged(
        self, state: ZooState, task: jax.Array, before: Any, ask: Callable[[Any, Any], tuple[Any, Any]]
    ) -> tuple[Any, Any]:
        """The beliefs of all models, and the mean answer of those that have learned each row's task; others are not asked."""
        number = known_tasks.nearest(state.known, task)
        # before any task is known, the first model answers
        learned = state.learned.at[0, 0].set(state.learned[0, 0] | (state.known.count == 0))
        share = learned[:, number] / jnp.maximum(jnp.sum(learned[:, number], axis=0), 1)

        def each(index: jax.Array, held: tuple[Any, Any]) -> tuple[Any, Any]:
            def add() -> tuple[Any, Any]:
                belief, answer = ask(_one(state.inner, index), jax.tree.map(lambda leaf: leaf[:, index], held[0]))
                return jax.tree.map(lambda leaf, new: leaf.at[:, index].set(new), held[0], belief), jax.tree.map(
                    weigh, held[1], answer
                )

            def weigh(total: jax.Array, new: jax.Array) -> jax.Array:
                mine = share[index].reshape(-1, *(1,) * (new.ndim - 1))
                return total + jnp.where(mine > 0.0, mine * new, 0.0)

            return jax.lax.cond(jnp.any(share[index] > 0.0), add, lambda: held)

        forms = jax.eval_shape(lambda: ask(_one(state.inner, 0), jax.tree.map(lambda leaf: leaf[:, 0], before))[1])
        nothing = jax.tree.map(lambda form: jnp.zeros(form.shape, form.dtype), forms)
        return jax.lax.fori_loop(0, self.most, each, (before, nothing))


def _one(tree: Any, number: Any) -> Any:
    """Take the part of one model."""
    return jax.tree.map(lambda leaf: leaf[number], tree)
