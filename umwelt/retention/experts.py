"""Experts for a world that changes: when surprise says that the world is another one, so is the model.

One model cannot be right about two worlds that contradict each other; a few can. The one that is in use learns. When
a detector hears that its surprise has risen, the expert that is least surprised by the last moments takes over, if
they surprise it no more than it is used to; otherwise a new one begins. Nobody tells it which world it is in.
"""

import math
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
    zeros_step,
)
from umwelt.core.contracts import Model
from umwelt.networks.form import form
from umwelt.retention.change import Cusum
from umwelt.retention.experts_state import ExpertsBelief, ExpertsState
from umwelt.retention.prune import Prune

LEANING = 0.5
"""How much less surprise, in its logarithm, the expert in use is given beforehand."""
FAINT = 1e-6
"""Added to surprise before its logarithm."""
OPEN, NOBODYS = -1, -2
"""Whose a transition is between an alarm and a choice, and just before the alarm."""
EXPERT = Metric(
    name="expert",
    unit="number",
    meaning="which expert is in use, by the order of their births",
    event="the world is another one: expert {} takes over",
)
EXPERTS = Metric(name="experts", unit="experts", meaning="how many have begun")


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
    """The most experts; when all have begun, the least surprised is taken as it is, unless one gives up its place."""
    detector: Any = Cusum(threshold=12.0, warm=0)
    """Who hears that surprise has risen; it is given the surprise over what is usual, in standard deviations."""
    pause: int = 12
    """Transitions after an alarm until one is chosen. As many make a lesson, which is learned when as many again have
    followed, so that no expert learns from the moments between a change and its alarm."""
    sure: float = 0.2
    """The doubt above which surprise is no sign of a change, but of a place that the expert does not know yet."""
    memory: float = 6.0
    """Transitions over which a row compares its experts."""
    patience: int = 150
    """Transitions over which the usual surprise of an expert is averaged."""
    tolerance: float = 3.0
    """How many times its usual surprise an expert may have in a world that it knows."""
    prune: Prune | None = None
    """Who chooses the expert that is given up for a new one when all have begun; None keeps them all."""

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
            inner=jax.vmap(lambda each: self.model.init(each, spec))(jax.random.split(key, self.most)),
            now=jnp.zeros((), jnp.int32),
            known=jnp.ones((), jnp.int32),
            watch=self.detector.init(),
            lately=jnp.zeros(self.most, jnp.float32),
            since=jnp.full((), self.pause, jnp.int32),
            usual=jnp.zeros(self.most, jnp.float32),
            spread=jnp.ones(self.most, jnp.float32),
            used=jnp.zeros(self.most, jnp.int32),
            held=jax.tree.map(lambda leaf: jnp.repeat(leaf[None], 2 * self.pause, axis=0), nothing),
            mine=jnp.full(2 * self.pause, NOBODYS, jnp.int32),
            count=jnp.zeros((), jnp.int32),
            prune=None if self.prune is None else self.prune.init(self.most),
            seen=form(spec.observation),
            done=form(spec.action),
        )

    def start(self, state: ExpertsState, batch: int) -> ExpertsBelief:
        """Nothing seen, and a leaning towards the expert in use."""
        lately = jnp.where(jnp.arange(self.most) == state.now, jnp.float32(-LEANING), 0.0)
        inner = self.model.start(_one(state.inner, 0), batch)
        return ExpertsBelief(inner=inner, lately=jnp.broadcast_to(lately, (batch, self.most)))

    def observe(
        self, key: jax.Array, state: ExpertsState, belief: ExpertsBelief, action: Any, step: TimeStep
    ) -> tuple[ExpertsBelief, Info]:
        """All experts look; what is told is the surprise and the doubt of the one that was believed."""
        belief = select(step.first, self.start(state, step.kind.shape[0]), belief)
        after, infos = jax.vmap(lambda inner: self.model.observe(key, inner, belief.inner, action, step))(state.inner)
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

        def asked(number: Any) -> tuple[Any, Prediction]:
            return self.model.imagine(key, _one(state.inner, number), belief.inner, action)

        def ask(number: jax.Array, held: tuple[Any, Prediction]) -> tuple[Any, Prediction]:
            mine = believed == number
            return jax.lax.cond(jnp.any(mine), lambda: select(mine, asked(number), held), lambda: held)

        nothing = jax.tree.map(lambda form: jnp.zeros(form.shape, form.dtype), jax.eval_shape(asked, 0))
        inner, prediction = jax.lax.fori_loop(0, self.most, ask, nothing)
        return replace(belief, inner=inner), prediction

    def learn(self, key: jax.Array, state: ExpertsState, experience: Experience) -> tuple[ExpertsState, Info]:
        """Ask all experts how surprising experience [B] is, choose one, and let it learn."""
        measuring, learning, bearing = keys.split(key, "measure", "learn", "bear")
        surprise, doubt = jax.vmap(lambda inner: self._measured(measuring, inner, experience))(state.inner)
        surprise = jnp.log(surprise + FAINT)
        given = ~jnp.any(jnp.isnan(surprise))
        # over what is usual, for surprise falls by itself while an expert learns; one blow is not a change
        apart = (surprise[state.now] - state.usual[state.now]) / jnp.sqrt(state.spread[state.now])
        calm = (state.since >= self.pause) & (state.used[state.now] >= self.patience)
        heard = calm & (doubt[state.now] < self.sure)
        watch, alarm = self.detector.watch(state.watch, jnp.where(heard, jnp.minimum(apart, 3.0), jnp.nan))
        since = jnp.where(alarm, 0, jnp.minimum(state.since + given, self.pause))
        lately = jnp.where(given, state.lately + (surprise - state.lately) / jnp.maximum(since, 1), state.lately)
        now, known, gone = self._chosen(state, lately, given & (state.since < self.pause) & (since == self.pause))
        # a meal of seams alone is no moment: it moves nothing on
        moment = jnp.any(experience.valid)
        state = self._begun_anew(bearing, state, now, gone)
        held, mine = self._kept(state, experience, moment, alarm, now, since)
        count = state.count + moment
        inner, told = self._lesson(learning, state.inner, held, mine, now, count, moment)
        settled = (since == self.pause) & moment & given
        counts = (jnp.arange(self.most) == now) & settled
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
            mine=mine,
            count=count,
            prune=None if self.prune is None else self.prune.watch(state.prune, now, surprise, settled & ~gone, count),
            seen=state.seen,
            done=state.done,
        )
        return after, told | {"expert": now.astype(jnp.float32), "experts": known.astype(jnp.float32)}

    def _kept(
        self, state: ExpertsState, experience: Experience, moment: Any, alarm: Any, now: Any, since: Any
    ) -> tuple[Experience, jax.Array]:
        """The newest transitions and whose they are: after an alarm the last `pause` are nobody's, and those that
        follow are open until one is chosen."""
        size = 2 * self.pause
        at = jnp.where(moment, state.count % size, size)
        plain = replace(experience, task=None, surprise=None)
        held = jax.tree.map(lambda leaf, new: leaf.at[at].set(new, mode="drop"), state.held, plain)
        age = (state.count - jnp.arange(size)) % size
        mine = jnp.where(alarm & (age <= self.pause), NOBODYS, state.mine)
        calm = since == self.pause
        mine = jnp.where(calm & (mine == OPEN), now, mine)
        return held, mine.at[at].set(jnp.where(calm, now, OPEN), mode="drop")

    def _lesson(
        self, key: jax.Array, inner: Any, held: Experience, mine: jax.Array, now: Any, turn: Any, moment: Any
    ) -> tuple[Any, Info]:
        """On every `pause`-th turn the expert in use learns what is its own of the older half of what is held: of the
        half that is written to next."""
        batch, begin = held.origin.shape[1], jnp.where(turn % (2 * self.pause) < self.pause, 0, self.pause)
        half = jax.tree.map(lambda leaf: jax.lax.dynamic_slice_in_dim(leaf, begin, self.pause), (held, mine))
        rows, owners = half[0], jnp.repeat(half[1], batch)
        flat = jax.tree.map(lambda leaf: leaf.reshape(self.pause * batch, *leaf.shape[2:]), rows)
        kind = jnp.where(owners == now, flat.step.kind, jnp.int8(TERMINATED))
        lesson = replace(flat, step=replace(flat.step, kind=kind))

        def learn(_: Any, carry: tuple[Any, Info]) -> tuple[Any, Info]:
            after, told = self.model.learn(key, _one(carry[0], now), lesson)
            return jax.tree.map(lambda leaf, new: leaf.at[now].set(new), carry[0], after), told

        forms = jax.eval_shape(lambda: self.model.learn(key, _one(inner, 0), lesson)[1])
        silent = jax.tree.map(lambda form: jnp.full(form.shape, jnp.nan, form.dtype), forms)
        turns = (moment & (turn % self.pause == 0)).astype(jnp.int32)
        # a loop of no turn or one, because a `cond` would copy what all experts know
        return jax.lax.fori_loop(0, turns, learn, (inner, silent))

    def _believed(self, state: ExpertsState, belief: ExpertsBelief) -> jax.Array:
        """int32 [N]: the expert that each row believes."""
        return jnp.argmin(jnp.where(jnp.arange(self.most) < state.known, belief.lately, jnp.inf), axis=1)

    def _chosen(self, state: ExpertsState, lately: jax.Array, due: jax.Array) -> tuple[jax.Array, jax.Array, jax.Array]:
        """Who is in use now, how many have begun, and whether who is in use has to begin anew: where a choice is due
        the least surprised of those for whom this is usual, or else a new one."""
        over = jnp.where(jnp.arange(self.most) < state.known, lately, jnp.inf)
        knows = over < state.usual + math.log(self.tolerance)
        best = jnp.argmin(jnp.where(knows, over, jnp.where(jnp.any(knows), jnp.inf, over))).astype(jnp.int32)
        new = due & ~jnp.any(knows)
        grows = new & (state.known < self.most)
        now, known = jnp.where(due, jnp.where(grows, state.known, best), state.now), state.known + grows
        if self.prune is None:
            return now, known, jnp.zeros((), bool)
        gone = new & ~grows
        return jnp.where(gone, self.prune.victim(state.prune, state.now), now), known, gone

    def _begun_anew(self, key: jax.Array, state: ExpertsState, who: jax.Array, gone: jax.Array) -> ExpertsState:
        """Where an expert is `gone`, a newborn in its place, and nothing that was its own."""
        if self.prune is None:
            return state
        batch = state.held.origin.shape[1]
        spec = WorldSpec(name="", observation=state.seen.space, action=state.done.space, task=None, batch=batch)

        def bear(_: Any, inner: Any) -> Any:
            return jax.tree.map(lambda leaf, new: leaf.at[who].set(new), inner, self.model.init(key, spec))

        its = (jnp.arange(self.most) == who) & gone
        return replace(
            state,
            # a loop of no turn or one, because a `cond` would copy what all experts know
            inner=jax.lax.fori_loop(0, gone.astype(jnp.int32), bear, state.inner),
            usual=jnp.where(its, 0.0, state.usual),
            spread=jnp.where(its, 1.0, state.spread),
            used=jnp.where(its, 0, state.used),
            mine=jnp.where(gone & (state.mine == who), NOBODYS, state.mine),
            prune=self.prune.forget(state.prune, who, gone, state.count),
        )

    def _measured(self, key: jax.Array, inner: Any, experience: Experience) -> tuple[jax.Array, jax.Array]:
        """float32, float32: the mean surprise and doubt of the rows of experience [B] that are no seams; NaN where all are."""
        batch = experience.origin.shape[0]
        shown = replace(experience.step, kind=jnp.full_like(experience.step.kind, MID))
        belief, _ = self.model.observe(key, inner, self.model.start(inner, batch), experience.action, shown)
        _, info = self.model.observe(key, inner, belief, experience.action, experience.next)
        valid = experience.valid & ~jnp.isnan(info["surprise"])

        def mean(values: jax.Array) -> jax.Array:
            total = jnp.sum(jnp.where(valid, values, 0.0))
            return jnp.where(jnp.any(valid), total / jnp.maximum(jnp.sum(valid), 1), jnp.nan)

        return mean(info["surprise"]), mean(info["doubt"])


def _one(inner: Any, number: Any) -> Any:
    """The state of one expert."""
    return jax.tree.map(lambda leaf: leaf[number], inner)


def _rows(tree: Any, chosen: jax.Array) -> Any:
    """Of leaves [K, N, ...] the chosen [N] one for each row: [N, ...]."""
    return jax.tree.map(lambda leaf: leaf[chosen, jnp.arange(chosen.shape[0])], tree)
