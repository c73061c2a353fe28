"""Imitation of what was watched, which looks no further ahead than it has already followed.

"Imitation learning from observation with automatic discount scheduling" (2024). When an episode ends, its rewards are written
by optimal transport between its observations and those of the nearest demonstration. Late rewards spoil what comes early
where one step depends on another. So the discount begins short-sighted, and grows with the number of steps in which the
episodes follow the demonstrations. The paper's learner sees pictures and sums three rewards; here any learner stands inside.
"""

from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp

from umwelt.behaviours.around import AroundLearner
from umwelt.behaviours.batch import Batch, Learner, reads_to_come, wiped
from umwelt.behaviours.model_free import ModelFree
from umwelt.core import LIVED, TRUNCATED, Experience, Info, Metric, Prediction, TimeStep, WorldSpec, part, struct
from umwelt.core.contracts import Mode
from umwelt.networks import transport
from umwelt.networks.form import form

SUM = 10.0
"""The size of the sum of rewards to which the first episodes are scaled."""
TURNS = 5
"""How many steps further it looks after one episode, at most."""
FOLLOWED = Metric(name="followed", unit="steps", meaning="how many steps of the demonstrations it looks ahead", better="up")
NEARNESS = Metric(name="transported", unit="reward", meaning="sum of the rewards that transport wrote into the last episode")


@struct
class ShortenedState:
    """inner: the learner's state. share: float32 [], the discount in force over the learner's own."""

    inner: Any
    share: jax.Array


@part
class Shortened(AroundLearner):
    """A learner whose discount can be lowered while it learns: the share in its state scales how far a batch goes on."""

    learner: Learner
    """The learner; its own discount is the largest."""

    passes = ("worth", "outputs")
    """Capabilities of the learner inside that hold here too."""

    def init(self, key: jax.Array, width: int, action: Any) -> ShortenedState:
        """Begin untrained, with the learner's own discount."""
        return ShortenedState(inner=self.learner.init(key, width, action), share=jnp.float32(1.0))

    def act(self, key: jax.Array, state: ShortenedState, features: jax.Array, mode: Mode, open: Any = None) -> Any:
        """Act as the learner does."""
        return self.learner.act(key, state.inner, features, mode, open)

    def learn(self, key: jax.Array, state: ShortenedState, batch: Batch) -> tuple[ShortenedState, Info]:
        """Update the learner with the discount in force."""
        batch = wiped(batch)
        inner, info = self.learner.learn(key, state.inner, replace(batch, continues=batch.continues * state.share))
        return replace(state, inner=inner), info


@struct
class FollowingState:
    """inner: the agent's. shown: float32 [D, T, F], what the demonstrations show after each step; count: int32 [], how many
    have begun. slot, at: int32 [B], which demonstration a row is showing, and its step. episode: Experience [T, B], what was
    lived, and seen: float32 [T, B, F] after each step; age: int32 [B], steps of it. unit: float32 [], scales rewards; 0
    before the first episode. followed: int32 []. paid: float32 []."""

    inner: Any
    shown: jax.Array
    count: jax.Array
    slot: jax.Array
    at: jax.Array
    episode: Experience
    seen: jax.Array
    age: jax.Array
    unit: jax.Array
    followed: jax.Array
    paid: jax.Array


@part
class Following:
    """Keeps each episode until it ends, writes rewards into it, hands it to the agent inside, and sets its discount.

    For worlds whose episodes all last as long. The world's own rewards are not read.
    """

    inner: ModelFree
    """The agent; its learner is a `Shortened`, and its memory keeps transitions in any order, as `Ring` does."""
    steps: int = 50
    """Steps of an episode."""
    demonstrations: int = 5
    """How many are kept."""
    fixed: float | None = None
    """A discount that does not change; None to schedule it."""
    start: float = 0.2
    """Share of the steps that it looks ahead at first."""
    alpha: float = 0.2
    """What a reward at the end of the part that is followed is worth: the discount is alpha to the power of one over it."""
    threshold: float = 0.9
    """How well an episode must follow the demonstrations, in units of how well they follow each other, for one step more."""
    strength: float = 0.05
    """Of the entropy in the transport."""

    cites = ("ads_2024",)

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """Those of the agent inside, and how far it follows."""
        return (*self.inner.metrics, FOLLOWED, NEARNESS)

    @property
    def memory(self) -> Any:
        """The memory of the agent inside."""
        return self.inner.memory

    def init(self, key: jax.Array, spec: WorldSpec) -> FollowingState:
        """Begin without demonstrations."""
        if not isinstance(self.inner.learner, Shortened):
            raise ValueError("inner.learner: its discount is to change; give Shortened(learner=...)")
        if reads_to_come(self.inner.learner) or self.inner.kept is not None:
            raise ValueError(
                "inner: its rewards are written when an episode ends; leave kept=None, and take no learner of returns"
            )
        width, rows = form(spec.observation).width, spec.batch
        inner = self.inner.init(key, spec)
        like = self.inner._example(spec)
        return FollowingState(
            inner=inner,
            shown=jnp.zeros((self.demonstrations, self.steps, width), jnp.float32),
            count=jnp.int32(0),
            slot=jnp.full(rows, self.demonstrations, jnp.int32),
            at=jnp.zeros(rows, jnp.int32),
            episode=jax.tree.map(lambda leaf: jnp.zeros((self.steps, *leaf.shape), leaf.dtype), like),
            seen=jnp.zeros((self.steps, rows, width), jnp.float32),
            age=jnp.zeros(rows, jnp.int32),
            unit=jnp.float32(0.0),
            followed=jnp.int32(max(1, round(self.start * self.steps))),
            paid=jnp.float32(jnp.nan),
        )

    def see(self, key: jax.Array, state: FollowingState, step: TimeStep) -> tuple[FollowingState, Info]:
        """See as the agent inside does."""
        inner, info = self.inner.see(key, state.inner, step)
        return replace(state, inner=inner), info

    def act(self, key: jax.Array, state: FollowingState, mode: Mode = "explore") -> tuple[FollowingState, Any]:
        """Act as the agent inside does."""
        inner, action = self.inner.act(key, state.inner, mode)
        return replace(state, inner=inner), action

    def remember(self, key: jax.Array, state: FollowingState, experience: Experience) -> tuple[FollowingState, Info]:
        """Keep what others show as a demonstration, and its own steps until their episode ends."""
        after = state.inner.observation_form.units(experience.next.observation)
        others = experience.valid & (experience.origin != LIVED)
        state = self._shown(state, experience, after, others)
        return self._lived(key, state, experience, after, experience.valid & ~others), {}

    def learn(self, key: jax.Array, state: FollowingState) -> tuple[FollowingState, Info]:
        """Update the agent inside, with the discount of what it follows."""
        share = self.discount(state.followed) / self.inner.learner.discount
        learner = replace(state.inner.learner, share=jnp.asarray(share, jnp.float32))
        inner, info = self.inner.learn(key, replace(state.inner, learner=learner))
        return replace(state, inner=inner), {
            **info,
            "followed": state.followed.astype(jnp.float32),
            "transported": state.paid,
        }

    def embody(self, key: jax.Array, state: FollowingState, spec: WorldSpec) -> FollowingState:
        """Put the same policy into spec.batch rows, without memory."""
        return replace(state, inner=self.inner.embody(key, state.inner, spec))

    def imagine(self, key: jax.Array, state: FollowingState, actions: Any) -> Prediction | None:
        """Return None: it has no model."""
        return None

    def discount(self, followed: jax.Array) -> jax.Array:
        """The discount that looks so many steps ahead: float32 []."""
        if self.fixed is not None:
            return jnp.float32(self.fixed)
        return self.alpha ** (1.0 / jnp.maximum(followed, 1))

    def rewards(self, shown: jax.Array, kept: jax.Array, seen: jax.Array) -> jax.Array:
        """What each step of an episode [T, F] is paid: minus its share of the cost of transport to the nearest of the
        demonstrations [D, T, F] that are kept, bool [D]: float32 [T]."""

        def against(one: jax.Array) -> jax.Array:
            costs = transport.euclidean(seen, one)
            return -jnp.sum(costs * transport.plan(costs, self.strength), axis=1)

        each = jax.vmap(against)(shown)
        return each[jnp.argmax(jnp.where(kept, jnp.sum(each, axis=1), -jnp.inf))]

    def matches(self, shown: jax.Array, seen: jax.Array, followed: jax.Array) -> jax.Array:
        """How far an episode [T, F] follows each demonstration [D, T, F] in its first steps: int32 [D], the longest rise of
        the steps that are nearest to its own."""
        counts = jnp.arange(self.steps) < followed

        def one(demonstration: jax.Array) -> jax.Array:
            away = jnp.where(counts[None], transport.euclidean(seen, demonstration), jnp.inf)
            return transport.longest_rise(jnp.argmin(away, axis=1), counts)

        return jax.vmap(one)(shown)

    def further(self, shown: jax.Array, kept: jax.Array, seen: jax.Array, followed: jax.Array) -> jax.Array:
        """How many steps it looks ahead after an episode [T, F]: int32 []."""

        def turn(followed: jax.Array, _: None) -> tuple[jax.Array, None]:
            own = jnp.where(kept, self.matches(shown, seen, followed).astype(jnp.float32), jnp.nan)
            among = jax.vmap(lambda one: self.matches(shown, one, followed))(shown).astype(jnp.float32)
            pairs = kept[:, None] & kept[None] & ~jnp.eye(self.demonstrations, dtype=bool)
            wanted = jnp.nanmedian(jnp.where(pairs, among, jnp.nan))
            # a single demonstration follows itself in every step
            wanted = jnp.where(jnp.isfinite(wanted), wanted, followed.astype(jnp.float32))
            follows = jnp.nanpercentile(own, 90.0) >= self.threshold * wanted
            return jnp.minimum(followed + follows, self.steps), None

        return jax.lax.scan(turn, followed, None, length=TURNS)[0]

    def _shown(self, state: FollowingState, one: Experience, after: jax.Array, others: jax.Array) -> FollowingState:
        begins = others & one.step.first
        slot = jnp.where(begins, state.count + jnp.cumsum(begins) - 1, state.slot)
        at = jnp.where(begins, 0, state.at)
        # what lies beyond the room is dropped
        where = (jnp.where(others, slot, self.demonstrations), at)
        shown = state.shown.at[where].set(after, mode="drop")
        return replace(
            state, shown=shown, count=state.count + jnp.sum(begins, dtype=jnp.int32), slot=slot, at=at + others.astype(jnp.int32)
        )

    def _lived(self, key: jax.Array, state: FollowingState, one: Experience, after: jax.Array, own: jax.Array) -> FollowingState:
        rows = own.shape[0]
        age = jnp.where(one.step.first, 0, state.age)
        where = (jnp.where(own, age, self.steps), jnp.arange(rows))
        like = jax.tree.map(lambda leaf: leaf[0], state.episode)
        # what is shown may lack what is kept; none of it is written here
        task = like.task if one.task is None else one.task
        surprise = like.surprise if one.surprise is None else one.surprise
        given = replace(one, task=task, surprise=surprise, to_come=None, born=None)
        put = lambda held, new: held.at[where].set(new, mode="drop")  # noqa: E731
        episode, seen = jax.tree.map(put, state.episode, given), put(state.seen, after)
        age = age + own.astype(jnp.int32)
        ended = own & one.next.last & (age == self.steps)
        state = replace(state, episode=episode, seen=seen, age=age)
        return jax.lax.cond(jnp.any(ended), lambda state: self._ended(key, state, ended), lambda state: state, state)

    def _ended(self, key: jax.Array, state: FollowingState, ended: jax.Array) -> FollowingState:
        """Write the rewards of the rows that have ended, keep those rows, and look further ahead."""
        kept = jnp.arange(self.demonstrations) < state.count
        raw = jax.vmap(lambda seen: self.rewards(state.shown, kept, seen), in_axes=1, out_axes=1)(state.seen)
        total = jnp.sum(raw * ended, axis=0)
        mean = jnp.sum(total) / jnp.maximum(jnp.sum(ended), 1)
        unit = jnp.where(state.unit > 0, state.unit, SUM / jnp.maximum(jnp.abs(mean), 1e-6))
        episode = state.episode
        written = replace(episode, next=replace(episode.next, reward=jnp.where(ended, unit * raw, 0.0)))
        # a row that goes on is a blank
        blank = jnp.where(ended, episode.step.kind, jnp.int8(TRUNCATED))
        written = replace(written, step=replace(written.step, kind=blank))
        inner, _ = jax.lax.scan(lambda inner, one: (self.inner.remember(key, inner, one)[0], None), state.inner, written)
        ahead = jax.vmap(lambda seen: self.further(state.shown, kept, seen, state.followed), in_axes=1)(state.seen)
        followed = jnp.max(jnp.where(ended & (state.count > 0), ahead, state.followed))
        return replace(state, inner=inner, unit=unit, followed=followed, paid=unit * mean)
