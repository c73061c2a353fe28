"""Experts for a world that changes: when surprise says that the world is another one, so is the model.

One model cannot be right about two worlds that contradict each other; a few can. The one that is in use learns. When
a detector hears that its surprise has risen, the expert that is least surprised by the last moments takes over, if
they surprise it no more than it is used to; otherwise a new one begins. Nobody tells it which world it is in.
"""

import math
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp

from umwelt.core import (
    MID,
    TERMINATED,
    Experience,
    Info,
    Metric,
    Prediction,
    TimeStep,
    WorldSpec,
    keys,
    lived,
    part,
    select,
    spaces,
    struct,
    zeros_step,
)
from umwelt.core.contracts import Model
from umwelt.retention.change import Cusum

LEANING = 0.5
"""How much less surprise, in its logarithm, the expert in use is given beforehand."""
FAINT = 1e-6
"""Added to surprise before its logarithm."""
EXPERT = Metric(name="expert", unit="number", meaning="which expert is in use, by the order of their births")
EXPERTS = Metric(name="experts", unit="experts", meaning="how many have begun")


@struct
class ExpertsState:
    """inner: of each expert. now, known: int32, which is in use, and how many have begun. watch: the
    detector's state. lately: float32 [K], the mean of the logarithm of each expert's surprise since the last alarm.
    since: int32, transitions since then. usual, spread: float32 [K], mean and variance of the same while an expert is
    in use. used: int32 [K], for how many transitions it was. held: Experience [pause, B], the newest transitions, from
    which nobody has learned yet. count: int32, transitions so far."""

    inner: tuple[Any, ...]
    now: jax.Array
    known: jax.Array
    watch: Any
    lately: jax.Array
    since: jax.Array
    usual: jax.Array
    spread: jax.Array
    used: jax.Array
    held: Experience
    count: jax.Array


@struct
class ExpertsBelief:
    """inner: the believed expert's belief [N]. lately: float32 [N, K], the mean of the logarithm of each expert's
    surprise at the last moments of the row."""

    inner: Any
    lately: jax.Array


@part
class Experts:
    """Several models that eat a stream, of which one is in use and learns; which one, surprise says.

    Each row believes the expert that was least surprised by its own last moments, so that an agent knows after a few
    of them where it is, in a probe too, where nobody learns.
    """

    model: Model
    """What each expert is; its diet is a stream, its belief does not depend on what it has learned, and its surprise is
    an error in standard deviations, so above zero, as that of `Losse` is."""
    most: int = 8
    """The most experts; when all have begun, the least surprised is taken as it is."""
    detector: Any = Cusum(threshold=12.0, warm=0)
    """Who hears that surprise has risen; it is given the surprise over what is usual, in standard deviations."""
    pause: int = 12
    """Transitions after an alarm until one is chosen; learning lags behind by as many, so that no expert learns from
    the moments between a change and its alarm."""
    memory: float = 6.0
    """Transitions over which a row compares its experts."""
    patience: int = 150
    """Transitions over which the usual surprise of an expert is averaged."""
    tolerance: float = 3.0
    """How many times its usual surprise an expert may have in a world that it knows."""

    diet = "stream"

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """What one expert declares, and which it is."""
        return (*self.model.metrics, EXPERT, EXPERTS)

    def init(self, key: jax.Array, spec: WorldSpec) -> ExpertsState:
        """One expert that has seen nothing; the others are there, but have not begun."""
        if self.model.diet != "stream":
            raise ValueError(f"model={type(self.model).__name__} replays; Experts needs a model whose diet is a stream")
        if self.most < 1 or self.pause < 1:
            raise ValueError(f"most={self.most} and pause={self.pause} must be at least 1")
        step = zeros_step(spec)
        seam = replace(step, kind=jnp.full_like(step.kind, TERMINATED))
        nothing = lived(seam, spaces.zeros(spec.action, spec.batch), step)
        return ExpertsState(
            inner=tuple(self.model.init(jax.random.fold_in(key, number), spec) for number in range(self.most)),
            now=jnp.zeros((), jnp.int32),
            known=jnp.ones((), jnp.int32),
            watch=self.detector.init(),
            lately=jnp.zeros(self.most, jnp.float32),
            since=jnp.full((), self.pause, jnp.int32),
            usual=jnp.zeros(self.most, jnp.float32),
            spread=jnp.ones(self.most, jnp.float32),
            used=jnp.zeros(self.most, jnp.int32),
            held=jax.tree.map(lambda leaf: jnp.repeat(leaf[None], self.pause, axis=0), nothing),
            count=jnp.zeros((), jnp.int32),
        )

    def start(self, state: ExpertsState, batch: int) -> ExpertsBelief:
        """Nothing seen, and a leaning towards the expert in use."""
        lately = jnp.where(jnp.arange(self.most) == state.now, -LEANING, 0.0)
        inner = self.model.start(state.inner[0], batch)
        return ExpertsBelief(inner=inner, lately=jnp.broadcast_to(lately, (batch, self.most)))

    def observe(
        self, key: jax.Array, state: ExpertsState, belief: ExpertsBelief, action: Any, step: TimeStep
    ) -> tuple[ExpertsBelief, Info]:
        """All experts look; what is told is the surprise and the doubt of the one that was believed."""
        belief = select(step.first, self.start(state, step.kind.shape[0]), belief)
        after, infos = _stacked(self.model.observe(key, inner, belief.inner, action, step) for inner in state.inner)
        surprise = jnp.log(infos["surprise"].T + FAINT)
        lately = jnp.where(jnp.isnan(surprise), belief.lately, belief.lately + (surprise - belief.lately) / self.memory)
        now = ExpertsBelief(inner=belief.inner, lately=lately)
        believed = self._believed(state, belief)
        told = {name: _rows(values, believed) for name, values in infos.items()}
        return replace(now, inner=_rows(after, self._believed(state, now))), told

    def imagine(
        self, key: jax.Array, state: ExpertsState, belief: ExpertsBelief, action: Any
    ) -> tuple[ExpertsBelief, Prediction]:
        """The imagination of the expert that each row believes; who is believed by none is not asked."""
        believed = self._believed(state, belief)

        def asked(inner: Any) -> tuple[Any, Prediction]:
            return self.model.imagine(key, inner, belief.inner, action)

        forms = jax.eval_shape(asked, state.inner[0])
        imagined = jax.tree.map(lambda form: jnp.zeros(form.shape, form.dtype), forms)
        for number, inner in enumerate(state.inner):
            mine = believed == number
            imagined = jax.lax.cond(
                jnp.any(mine), lambda held, inner=inner, mine=mine: select(mine, asked(inner), held), lambda held: held, imagined
            )
        inner, prediction = imagined
        return replace(belief, inner=inner), prediction

    def learn(self, key: jax.Array, state: ExpertsState, experience: Experience) -> tuple[ExpertsState, Info]:
        """Ask all experts how surprising experience [B] is, choose one, and let it learn."""
        measuring, learning = keys.split(key, "measure", "learn")
        surprise = jnp.log(jnp.stack([self._surprise(measuring, inner, experience) for inner in state.inner]) + FAINT)
        given = ~jnp.any(jnp.isnan(surprise))
        # over what is usual, for surprise falls by itself while an expert learns; one blow is not a change
        apart = (surprise[state.now] - state.usual[state.now]) / jnp.sqrt(state.spread[state.now])
        calm = (state.since >= self.pause) & (state.used[state.now] >= self.patience)
        watch, alarm = self.detector.watch(state.watch, jnp.where(calm, jnp.minimum(apart, 3.0), jnp.nan))
        since = jnp.where(alarm, 0, jnp.minimum(state.since + given, self.pause))
        lately = jnp.where(given, state.lately + (surprise - state.lately) / jnp.maximum(since, 1), state.lately)
        now, known = self._chosen(state, lately, given & (state.since < self.pause) & (since == self.pause))
        # a meal of seams alone is no moment: it moves nothing on
        moment = jnp.any(experience.valid)
        mine = (jnp.arange(self.most) == now) & (since == self.pause) & moment
        at, plain = state.count % self.pause, replace(experience, task=None, surprise=None)
        old = jax.tree.map(lambda leaf: leaf[at], state.held)
        held = jax.tree.map(lambda leaf, new: leaf.at[jnp.where(moment, at, self.pause)].set(new, mode="drop"), state.held, plain)

        def lesson(inner: Any, turn: jax.Array) -> tuple[Any, Info]:
            # who is not in use is given seams, from which nobody learns
            kind = jnp.where(turn, old.step.kind, jnp.int8(TERMINATED))
            return self.model.learn(learning, inner, replace(old, step=replace(old.step, kind=kind)))

        # one by one: under vmap, a loop of a varying number of turns would copy what all experts know
        lessons = [lesson(inner, mine[number]) for number, inner in enumerate(state.inner)]
        inner, info = tuple(lesson[0] for lesson in lessons), _stacked(lesson[1] for lesson in lessons)
        counts = mine & given
        used = state.used + counts
        gap = surprise - state.usual
        rate = jnp.where(counts, 1.0 / jnp.clip(used, 1, self.patience), 0.0)
        usual = jnp.where(counts, state.usual + rate * gap, state.usual)
        after = ExpertsState(
            inner=inner,
            now=now,
            known=known,
            watch=watch,
            lately=lately,
            since=since,
            usual=usual,
            spread=jnp.where(counts, jnp.maximum((1.0 - rate) * (state.spread + rate * gap**2), 0.01), state.spread),
            used=used,
            held=held,
            count=state.count + moment,
        )
        told = {name: values[now] for name, values in info.items()}
        return after, told | {"expert": now.astype(jnp.float32), "experts": known.astype(jnp.float32)}

    def _believed(self, state: ExpertsState, belief: ExpertsBelief) -> jax.Array:
        """int32 [N]: the expert that each row believes."""
        return jnp.argmin(jnp.where(jnp.arange(self.most) < state.known, belief.lately, jnp.inf), axis=1)

    def _chosen(self, state: ExpertsState, lately: jax.Array, due: jax.Array) -> tuple[jax.Array, jax.Array]:
        """Who is in use now, and how many have begun: where a choice is due the least surprised of those for whom
        this is usual, or else a new one."""
        over = jnp.where(jnp.arange(self.most) < state.known, lately, jnp.inf)
        knows = over < state.usual + math.log(self.tolerance)
        best = jnp.argmin(jnp.where(knows, over, jnp.where(jnp.any(knows), jnp.inf, over))).astype(jnp.int32)
        grows = due & ~jnp.any(knows) & (state.known < self.most)
        return jnp.where(due, jnp.where(grows, state.known, best), state.now), state.known + grows

    def _surprise(self, key: jax.Array, inner: Any, experience: Experience) -> jax.Array:
        """float32: the mean surprise of the rows of experience [B] that are no seams; NaN where all are."""
        batch = experience.origin.shape[0]
        shown = replace(experience.step, kind=jnp.full_like(experience.step.kind, MID))
        belief, _ = self.model.observe(key, inner, self.model.start(inner, batch), experience.action, shown)
        _, info = self.model.observe(key, inner, belief, experience.action, experience.next)
        valid = experience.valid & ~jnp.isnan(info["surprise"])
        total = jnp.sum(jnp.where(valid, info["surprise"], 0.0))
        return jnp.where(jnp.any(valid), total / jnp.maximum(jnp.sum(valid), 1), jnp.nan)


def _stacked(trees: Iterable[Any]) -> Any:
    """Leaves [K, ...] of K trees alike."""
    return jax.tree.map(lambda *leaves: jnp.stack(leaves), *trees)


def _rows(tree: Any, chosen: jax.Array) -> Any:
    """Of leaves [K, N, ...] the chosen [N] one for each row: [N, ...]."""
    return jax.tree.map(lambda leaf: leaf[chosen, jnp.arange(chosen.shape[0])], tree)
