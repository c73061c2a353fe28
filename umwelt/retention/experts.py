"""Experts for a world that changes: when surprise says that the world is another one, so is the model.

One model cannot be right about two worlds that contradict each other; a few can. The one that is in use learns. Where a
detector finds that its surprise has risen, the expert with the least surprise at the last steps takes over. If its
surprise is more than usual too, a new one begins. No label says which world it is.
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
    is_hosted,
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
"""The head start of the expert in use: so much less surprise, in its logarithm."""
FAINT = 1e-6
"""Added to surprise before its logarithm."""
OPEN, UNOWNED = -1, -2
"""The owner of a transition between an alarm and a choice, and just before the alarm."""
EXPERT = Metric(
    name="expert",
    unit="number",
    meaning="which expert is in use, in the order in which they began",
    event="the world is another one: expert {} takes over",
)
EXPERTS = Metric(name="experts", unit="experts", meaning="how many have begun")


@part
class Experts:
    """Several models that learn from a stream, of which one is in use and learns; surprise selects it.

    Each row trusts the expert that was least surprised by its own last steps. So an agent knows after a few of them where
    it is, in a probe too, where no model learns.

    >>> from umwelt.models import Losse
    >>> from umwelt.worlds import Pendulum

    >>> model = Experts(model=Losse(), most=3)
    >>> state = jax.eval_shape(lambda key: model.init(key, Pendulum().spec), jax.random.key(0))
    >>> state.usual.shape  # the usual surprise of each
    (3,)
    """

    model: Model
    """What each expert is. Its diet is a stream, and its belief does not depend on its weights. Its surprise is an error
    in standard deviations, so above zero, as that of `Losse` is."""
    most: int = 8
    """The most experts; when all have begun, the least surprised is taken as it is, unless one gives up its place."""
    detector: Any = Cusum(threshold=12.0, warm=0)
    """Detects that surprise has risen; it watches the surprise over what is usual, in standard deviations."""
    pause: int = 12
    """Transitions after an alarm until one is chosen, and of a batch. An expert learns from a batch after as many more
    transitions, so that none learns from the steps between a change and its alarm."""
    sure: float = 0.2
    """The doubt above which surprise is no sign of a change, but of a place that the expert does not know yet."""
    memory: float = 6.0
    """Transitions over which a row compares its experts."""
    patience: int = 150
    """Transitions over which the usual surprise of an expert is averaged."""
    tolerance: float = 3.0
    """How many times its usual surprise an expert may have in a world that it knows."""
    prune: Prune | None = None
    """Chooses the expert that makes room for a new one when all have begun; None keeps them all."""

    cites = ("multiple_models_2002",)
    diet = "stream"
    passes = ()

    @property
    def inner(self) -> Model:
        """What each expert is."""
        return self.model

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """What one expert declares, and which it is."""
        return (*self.model.metrics, EXPERT, EXPERTS)

    def init(self, key: jax.Array, spec: WorldSpec) -> ExpertsState:
        """Begin one expert; the others are there, but have not begun."""
        if self.model.diet != "stream":
            raise ValueError(f"model={type(self.model).__name__} replays; Experts needs a model whose diet is a stream")
        if is_hosted(self.model):
            raise ValueError(f"model={type(self.model).__name__} is plain Python; Experts compiles all experts as one")
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
            recent=jnp.zeros(self.most, jnp.float32),
            since=jnp.full((), self.pause, jnp.int32),
            usual=jnp.zeros(self.most, jnp.float32),
            spread=jnp.ones(self.most, jnp.float32),
            used=jnp.zeros(self.most, jnp.int32),
            held=jax.tree.map(lambda leaf: jnp.repeat(leaf[None], 2 * self.pause, axis=0), nothing),
            owner=jnp.full(2 * self.pause, UNOWNED, jnp.int32),
            count=jnp.zeros((), jnp.int32),
            prune=None if self.prune is None else self.prune.init(self.most),
            observation_form=form(spec.observation),
            action_form=form(spec.action),
        )

    def start(self, state: ExpertsState, batch: int) -> ExpertsBelief:
        """Start the experts' beliefs, with a head start for the expert in use."""
        recent = jnp.where(jnp.arange(self.most) == state.now, jnp.float32(-LEANING), 0.0)
        inner = self.model.start(_one(state.inner, 0), batch)
        return ExpertsBelief(inner=inner, recent=jnp.broadcast_to(recent, (batch, self.most)))

    def observe(
        self, key: jax.Array, state: ExpertsState, belief: ExpertsBelief, action: Any, step: TimeStep
    ) -> tuple[ExpertsBelief, Info]:
        """Filter by all experts; report surprise and doubt of the one that the row trusted."""
        belief = select(step.first, self.start(state, step.kind.shape[0]), belief)
        after, infos = jax.vmap(lambda inner: self.model.observe(key, inner, belief.inner, action, step))(state.inner)
        surprise = jnp.log(infos["surprise"].T + FAINT)
        recent = jnp.where(jnp.isnan(surprise), belief.recent, belief.recent + (surprise - belief.recent) / self.memory)
        now = ExpertsBelief(inner=belief.inner, recent=recent)
        trusted = self._trusted(state, belief)
        info = {name: _rows(values, trusted) for name, values in infos.items()}
        return replace(now, inner=_rows(after, self._trusted(state, now))), info

    def imagine(
        self, key: jax.Array, state: ExpertsState, belief: ExpertsBelief, action: Any
    ) -> tuple[ExpertsBelief, Prediction]:
        """Imagine by the expert that each row trusts; an expert that no row trusts is not asked."""
        trusted = self._trusted(state, belief)

        def asked(number: Any) -> tuple[Any, Prediction]:
            return self.model.imagine(key, _one(state.inner, number), belief.inner, action)

        def ask(number: jax.Array, held: tuple[Any, Prediction]) -> tuple[Any, Prediction]:
            mine = trusted == number
            return jax.lax.cond(jnp.any(mine), lambda: select(mine, asked(number), held), lambda: held)

        nothing = jax.tree.map(lambda form: jnp.zeros(form.shape, form.dtype), jax.eval_shape(asked, 0))
        inner, prediction = jax.lax.fori_loop(0, self.most, ask, nothing)
        return replace(belief, inner=inner), prediction

    def learn(self, key: jax.Array, state: ExpertsState, experience: Experience) -> tuple[ExpertsState, Info]:
        """Measure how surprising experience [B] is to all experts, choose one, and let it learn."""
        measuring, learning, beginning = keys.split(key, "measure", "learn", "bear")
        surprise, doubt = jax.vmap(lambda inner: self._measured(measuring, inner, experience))(state.inner)
        surprise = jnp.log(surprise + FAINT)
        given = ~jnp.any(jnp.isnan(surprise))
        # over what is usual, since surprise falls by itself while an expert learns; one large value is not a change
        apart = (surprise[state.now] - state.usual[state.now]) / jnp.sqrt(state.spread[state.now])
        calm = (state.since >= self.pause) & (state.used[state.now] >= self.patience)
        counted = calm & (doubt[state.now] < self.sure)
        watch, alarm = self.detector.watch(state.watch, jnp.where(counted, jnp.minimum(apart, 3.0), jnp.nan))
        since = jnp.where(alarm, 0, jnp.minimum(state.since + given, self.pause))
        recent = jnp.where(given, state.recent + (surprise - state.recent) / jnp.maximum(since, 1), state.recent)
        now, known, gone = self._chosen(state, recent, given & (state.since < self.pause) & (since == self.pause))
        # a batch of seams alone changes nothing
        some = jnp.any(experience.acted)
        state = self._replaced(beginning, state, now, gone)
        held, owner = self._kept(state, experience, some, alarm, now, since)
        count = state.count + some
        inner, info = self._learned(learning, state.inner, held, owner, now, count, some)
        settled = (since == self.pause) & some & given
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
            recent=recent,
            since=since,
            usual=usual,
            spread=jnp.where(counts, jnp.maximum((1.0 - rate) * (state.spread + rate * gap**2), 0.01), state.spread),
            used=used,
            held=held,
            owner=owner,
            count=count,
            prune=None if self.prune is None else self.prune.watch(state.prune, now, surprise, settled & ~gone, count),
            observation_form=state.observation_form,
            action_form=state.action_form,
        )
        return after, info | {"expert": now.astype(jnp.float32), "experts": known.astype(jnp.float32)}

    def _kept(
        self, state: ExpertsState, experience: Experience, some: Any, alarm: Any, now: Any, since: Any
    ) -> tuple[Experience, jax.Array]:
        """The newest transitions and their owners. After an alarm the last `pause` have no owner; those that follow are open
        until an expert is chosen."""
        size = 2 * self.pause
        at = jnp.where(some, state.count % size, size)
        action = select(experience.acted, experience.action, jax.tree.map(jnp.zeros_like, experience.action))
        plain = replace(experience, action=action, task=None, surprise=None, to_come=None)
        held = jax.tree.map(lambda leaf, new: leaf.at[at].set(new, mode="drop"), state.held, plain)
        age = (state.count - jnp.arange(size)) % size
        owner = jnp.where(alarm & (age <= self.pause), UNOWNED, state.owner)
        calm = since == self.pause
        owner = jnp.where(calm & (owner == OPEN), now, owner)
        return held, owner.at[at].set(jnp.where(calm, now, OPEN), mode="drop")

    def _learned(
        self, key: jax.Array, inner: Any, held: Experience, owner: jax.Array, now: Any, turn: Any, some: Any
    ) -> tuple[Any, Info]:
        """On every `pause`-th turn the expert in use learns from what it owns of the older half of `held`, which is
        overwritten next."""
        batch, begin = held.origin.shape[1], jnp.where(turn % (2 * self.pause) < self.pause, 0, self.pause)
        half = jax.tree.map(lambda leaf: jax.lax.dynamic_slice_in_dim(leaf, begin, self.pause), (held, owner))
        rows, owners = half[0], jnp.repeat(half[1], batch)
        flat = jax.tree.map(lambda leaf: leaf.reshape(self.pause * batch, *leaf.shape[2:]), rows)
        kind = jnp.where(owners == now, flat.step.kind, jnp.int8(TERMINATED))
        batch_of_its_own = replace(flat, step=replace(flat.step, kind=kind))

        def learn(_: Any, carry: tuple[Any, Info]) -> tuple[Any, Info]:
            after, info = self.model.learn(key, _one(carry[0], now), batch_of_its_own)
            return jax.tree.map(lambda leaf, new: leaf.at[now].set(new), carry[0], after), info

        forms = jax.eval_shape(lambda: self.model.learn(key, _one(inner, 0), batch_of_its_own)[1])
        unknown = jax.tree.map(lambda form: jnp.full(form.shape, jnp.nan, form.dtype), forms)
        turns = (some & (turn % self.pause == 0)).astype(jnp.int32)
        # a loop of no turn or one, because a `cond` would copy the states of all experts
        return jax.lax.fori_loop(0, turns, learn, (inner, unknown))

    def _trusted(self, state: ExpertsState, belief: ExpertsBelief) -> jax.Array:
        """int32 [N]: the expert that each row trusts."""
        return jnp.argmin(jnp.where(jnp.arange(self.most) < state.known, belief.recent, jnp.inf), axis=1)

    def _chosen(self, state: ExpertsState, recent: jax.Array, due: jax.Array) -> tuple[jax.Array, jax.Array, jax.Array]:
        """Which expert is in use now, how many have begun, and whether the one in use has to be replaced. Where a choice is
        due, it is the least surprised of those for which this is usual, or else a new one."""
        over = jnp.where(jnp.arange(self.most) < state.known, recent, jnp.inf)
        knows = over < state.usual + math.log(self.tolerance)
        best = jnp.argmin(jnp.where(knows, over, jnp.where(jnp.any(knows), jnp.inf, over))).astype(jnp.int32)
        new = due & ~jnp.any(knows)
        grows = new & (state.known < self.most)
        now, known = jnp.where(due, jnp.where(grows, state.known, best), state.now), state.known + grows
        if self.prune is None:
            return now, known, jnp.zeros((), bool)
        gone = new & ~grows
        return jnp.where(gone, self.prune.victim(state.prune, state.now), now), known, gone

    def _replaced(self, key: jax.Array, state: ExpertsState, index: jax.Array, gone: jax.Array) -> ExpertsState:
        """Where an expert is `gone`, begin a new one in its place, which owns nothing."""
        if self.prune is None:
            return state
        batch = state.held.origin.shape[1]
        spec = WorldSpec(
            name="", observation=state.observation_form.space, action=state.action_form.space, task=None, batch=batch
        )

        def begin(_: Any, inner: Any) -> Any:
            return jax.tree.map(lambda leaf, new: leaf.at[index].set(new), inner, self.model.init(key, spec))

        its = (jnp.arange(self.most) == index) & gone
        return replace(
            state,
            # a loop of no turn or one, because a `cond` would copy the states of all experts
            inner=jax.lax.fori_loop(0, gone.astype(jnp.int32), begin, state.inner),
            usual=jnp.where(its, 0.0, state.usual),
            spread=jnp.where(its, 1.0, state.spread),
            used=jnp.where(its, 0, state.used),
            owner=jnp.where(gone & (state.owner == index), UNOWNED, state.owner),
            prune=self.prune.forget(state.prune, index, gone, state.count),
        )

    def _measured(self, key: jax.Array, inner: Any, experience: Experience) -> tuple[jax.Array, jax.Array]:
        """Average surprise and doubt over the rows of experience [B] that are no seams: float32, NaN where all are."""
        batch = experience.origin.shape[0]
        shown = replace(experience.step, kind=jnp.full_like(experience.step.kind, MID))
        belief, _ = self.model.observe(key, inner, self.model.start(inner, batch), experience.action, shown)
        _, info = self.model.observe(key, inner, belief, experience.action, experience.next)
        valid = experience.acted & ~jnp.isnan(info["surprise"])

        def mean(values: jax.Array) -> jax.Array:
            total = jnp.sum(jnp.where(valid, values, 0.0))
            return jnp.where(jnp.any(valid), total / jnp.maximum(jnp.sum(valid), 1), jnp.nan)

        return mean(info["surprise"]), mean(info["doubt"])


def _one(inner: Any, number: Any) -> Any:
    """Take the state of one expert."""
    return jax.tree.map(lambda leaf: leaf[number], inner)


def _rows(tree: Any, chosen: jax.Array) -> Any:
    """Take of leaves [K, N, ...] the chosen [N] one for each row: [N, ...]."""
    return jax.tree.map(lambda leaf: leaf[chosen, jnp.arange(chosen.shape[0])], tree)
