"""A growing zoo: a small model for each task, which also learns the old tasks that the zoo is worst at."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp

from umwelt.core import TERMINATED, Experience, Info, Metric, Prediction, TimeStep, WorldSpec, keys, part, struct
from umwelt.core.contracts import Model
from umwelt.networks import shown
from umwelt.networks.shown import Names

MODELS = Metric(name="models", unit="models", meaning="how many models of the zoo have begun")


@struct
class ZooState:
    """inner: of all models, leaves [K, ...]; the model k began with task k. names: the tasks. saw: bool [K, K], which
    tasks (columns) each model (rows) has learned."""

    inner: Any
    names: Names
    saw: jax.Array


@struct
class ZooBelief:
    """inner: of all models, leaves [N, K, ...]. told: float32 [N, entries], what is shown of the task."""

    inner: Any
    told: jax.Array


@part
class Zoo:
    """Small models, of which the newest learns; what is expected is the mean of those that have learned the task in hand
    ("Model Zoo: A growing brain that learns continually", ICLR 2022).

    The task is the last `entries` numbers of the observation, which the models see too, so that one of them can tell its
    tasks apart; the paper gives each task an output of its own. When a task is met for the first time, a model begins. It
    learns that task and the `old` ones that the zoo foresees worst at that moment, where the paper draws them by its
    losses; and it learns from what the agent's memory holds of them, where the paper keeps all. Models before it
    stay as they are.
    """

    model: Model
    """What each of the models is. It replays and tells observations; give an `Ensemble` its `still`, as many as `entries`."""
    entries: int = 0
    """Numbers at the end of the observation that tell the task; with 0 there is one task, and one model."""
    most: int = 8
    """The most models; tasks that come when all have begun are answered as the one that is shown most like them."""
    old: int = 1
    """How many old tasks a new model learns beside its own; with 0 each task has one model, that learns nothing else."""

    diet = "replay"

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """What one model declares, and how many there are."""
        return (*self.model.metrics, MODELS)

    def init(self, key: jax.Array, spec: WorldSpec) -> ZooState:
        """Models that have seen nothing, and have not begun."""
        if self.model.diet != "replay":
            raise ValueError(f"model={type(self.model).__name__} eats a stream; Zoo needs a model whose diet is replay")
        if self.most < 1 or not 0 <= self.old < max(self.most, 2):
            raise ValueError(f"most={self.most} must be at least 1, and old={self.old} neither negative nor all of them")
        shown.without(spec, self.entries)
        return ZooState(
            inner=jax.vmap(lambda each: self.model.init(each, spec))(jax.random.split(key, self.most)),
            names=shown.unnamed(self.most, self.entries),
            saw=jnp.zeros((self.most, self.most), bool),
        )

    def start(self, state: ZooState, batch: int) -> ZooBelief:
        """Nothing seen, on the task that was met last."""
        told = state.names.shown[jnp.maximum(state.names.known - 1, 0)]
        inner = jax.vmap(lambda one: self.model.start(one, batch), out_axes=1)(state.inner)
        return ZooBelief(inner=inner, told=jnp.broadcast_to(told, (batch, self.entries)))

    def observe(self, key: jax.Array, state: ZooState, belief: ZooBelief, action: Any, step: TimeStep) -> tuple[ZooBelief, Info]:
        """Those who have learned a row's task look; surprise and doubt are their means."""
        told = self._told(step)

        def look(one: Any, before: Any) -> tuple[Any, Info]:
            return self.model.observe(key, one, before, action, step)

        inner, info = self._asked(state, told, belief.inner, look)
        return ZooBelief(inner=inner, told=told), info

    def imagine(self, key: jax.Array, state: ZooState, belief: ZooBelief, action: Any) -> tuple[ZooBelief, Prediction]:
        """Each goes on from what it imagined itself; what is told is their mean."""

        def dream(one: Any, before: Any) -> tuple[Any, Prediction]:
            return self.model.imagine(key, one, before, action)

        inner, prediction = self._asked(state, belief.told, belief.inner, dream)
        return replace(belief, inner=inner), prediction

    def learn(self, key: jax.Array, state: ZooState, experience: Experience) -> tuple[ZooState, Info]:
        """A lesson of the newest model on those rows of experience [N] or [N, L] that are of its tasks; one begins where
        a row is of a task that was not met before."""
        looking, learning = keys.split(key, "look", "learn")
        told = self._told(experience.step)
        valid = jnp.ravel(experience.valid)
        flat = told.reshape(valid.size, self.entries)
        same = jnp.all(flat[:, None] == state.names.shown, axis=-1) & (jnp.arange(self.most) < state.names.known)
        unknown = valid & ~jnp.any(same, axis=1)
        begins = jnp.any(unknown) & (state.names.known < self.most)
        names, _ = shown.met(state.names, flat[jnp.argmax(unknown)], begins)
        newest = jnp.maximum(names.known - 1, 0)
        # only who begins chooses, for all are asked
        chosen = jax.lax.cond(
            begins, lambda: self._worst(looking, state, experience, same & valid[:, None]), lambda: jnp.zeros(self.most, bool)
        )
        mine = jnp.where(begins, chosen.at[newest].set(True), state.saw[newest])
        known = jnp.any(same, axis=1) | jnp.all(flat == names.shown[newest], axis=-1)
        own = (mine[shown.nearest(names, flat)] & known).reshape(experience.valid.shape)
        kind = jnp.where(own, experience.step.kind, jnp.int8(TERMINATED))
        lesson = replace(experience, step=replace(experience.step, kind=kind))
        inner, info = self.model.learn(learning, _one(state.inner, newest), lesson)
        after = ZooState(
            inner=jax.tree.map(lambda leaf, new: leaf.at[newest].set(new), state.inner, inner),
            names=names,
            saw=jnp.where(begins, state.saw.at[newest].set(mine), state.saw),
        )
        return after, info | {"models": names.known.astype(jnp.float32)}

    def _worst(self, key: jax.Array, state: ZooState, experience: Experience, of: jax.Array) -> jax.Array:
        """bool [K]: the `old` tasks of whose change in one step the zoo does not foresee the greatest share; of: bool
        [N, K], which rows are of which task."""
        lead, number = experience.origin.ndim, experience.origin.size
        rows = jax.tree.map(lambda leaf: leaf.reshape(number, *leaf.shape[lead:]), experience)
        belief, _ = self.observe(key, state, self.start(state, number), rows.action, rows.step.opening)
        _, prediction = self.imagine(key, state, belief, rows.action)

        def change(expected: jax.Array) -> jax.Array:
            square = jnp.sum((rows.next.observation - expected) ** 2, axis=1, keepdims=True)
            return jnp.sum(jnp.where(of, square, 0.0), axis=0)

        missed = change(prediction.observation) / jnp.maximum(change(rows.step.observation), 1e-12)
        held = jnp.any(of, axis=0)
        order = jnp.argsort(jnp.argsort(jnp.where(held, -missed, jnp.inf)))
        return held & (order < self.old)

    def _asked(
        self, state: ZooState, told: jax.Array, before: Any, ask: Callable[[Any, Any], tuple[Any, Any]]
    ) -> tuple[Any, Any]:
        """The beliefs of all, and the mean of what those say who have learned each row's task; others are not asked."""
        number = shown.nearest(state.names, told)
        # before anything is met, the first model is asked
        saw = state.saw.at[0, 0].set(state.saw[0, 0] | (state.names.known == 0))
        share = saw[:, number] / jnp.maximum(jnp.sum(saw[:, number], axis=0), 1)

        def each(index: jax.Array, held: tuple[Any, Any]) -> tuple[Any, Any]:
            def add() -> tuple[Any, Any]:
                belief, said = ask(_one(state.inner, index), jax.tree.map(lambda leaf: leaf[:, index], held[0]))
                return jax.tree.map(lambda leaf, new: leaf.at[:, index].set(new), held[0], belief), jax.tree.map(
                    weigh, held[1], said
                )

            def weigh(total: jax.Array, new: jax.Array) -> jax.Array:
                mine = share[index].reshape(-1, *(1,) * (new.ndim - 1))
                return total + jnp.where(mine > 0.0, mine * new, 0.0)

            return jax.lax.cond(jnp.any(share[index] > 0.0), add, lambda: held)

        forms = jax.eval_shape(lambda: ask(_one(state.inner, 0), jax.tree.map(lambda leaf: leaf[:, 0], before))[1])
        nothing = jax.tree.map(lambda form: jnp.zeros(form.shape, form.dtype), forms)
        return jax.lax.fori_loop(0, self.most, each, (before, nothing))

    def _told(self, step: TimeStep) -> jax.Array:
        """What is shown of the task, float32 [..., entries]."""
        return step.observation[..., step.observation.shape[-1] - self.entries :]


def _one(tree: Any, number: Any) -> Any:
    """The part of one model."""
    return jax.tree.map(lambda leaf: leaf[number], tree)
