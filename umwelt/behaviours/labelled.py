"""Imitation of what was only watched: a model of one's own body guesses the actions, and a policy imitates the guesses.

"Augmented behavioral cloning from observation" (2020) acts by the policy and learns the body again from what it did. By its
rule of balance, a share of the rows is from episodes that reached their goal: the share of episodes that do. All others are
from what was done at random. "Video pretraining" (2022) learns the body from a few labelled episodes, and lets it read what comes
later as well.
"""

from dataclasses import replace
from typing import Any, Literal

import jax
import jax.numpy as jnp

from umwelt.behaviours.batch import IMITATION, Batch, Learner
from umwelt.behaviours.imitating import Cloning
from umwelt.behaviours.masks import admissible, drawn
from umwelt.behaviours.reels import Reel, add, choose, empty, finish, taken
from umwelt.behaviours.standardised import Averaged, Standard
from umwelt.core import (
    DOUBT,
    LIVED,
    SHOWN,
    SURPRISE,
    WATCHED,
    Experience,
    Info,
    Metric,
    Prediction,
    TimeStep,
    WorldSpec,
    keys,
    part,
    select,
    spaces,
    static,
    struct,
)
from umwelt.core.contracts import Mode
from umwelt.networks.form import Form, form, vectors

INVERSE = Metric(
    name="inverse_loss", unit="nats", meaning="loss of the model that guesses actions, before the update", better="down"
)
REACHED = Metric(name="reached", unit="share", meaning="running share of its own episodes that reached their end", better="up")
SMOOTHING = 0.1
"""What the newest episode weighs in the share that reached the goal."""


@struct
class LabelledState:
    """inverse, learner: the parts' states. known: a reel of moments whose action is known. shown: one of moments of
    others; both are None in a body for probes. observation: [B, ...], the last one. by_chance: bool [B], the pending action
    was drawn at random. reached: float32 [], the share of own episodes that terminated."""

    inverse: Any
    learner: Any
    known: Any
    shown: Any
    observation: Any
    by_chance: jax.Array
    reached: jax.Array
    observation_form: Form = static()
    action_form: Form = static()


@part
class Labelled:
    """Guesses the actions of what it watched, imitates them, lives, and learns to guess from what it did.

    An episode that terminates counts as one that reached its goal; one that is cut off does not. Shown actions that are known
    teach both models, and are imitated as they are.
    """

    inverse: Learner = Standard(learner=Cloning(units=64))
    """What guesses the action between two moments; it reads the first, and how far each other moment is from it."""
    learner: Learner = Standard(learner=Averaged(learner=Cloning(units=64)))
    """What imitates."""
    mix: Literal["balanced", "all", "none"] = "balanced"
    """What teaches the guesses. "balanced": episodes that reached the goal, as often as it is reached, else what was done at
    random or shown. "all": everything. "none": only what was done at random or shown."""
    window: int = 0
    """Moments before and after the two that the guess reads as well, inside the episode."""
    rows: int = 50_000
    """Moments that are kept of its own, and as many of others; the oldest leave first."""
    batch: int = 128
    """Moments that one update of each model samples."""

    cites = ("abco_2020",)

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """What the imitating learner declares, the guesses' loss, and the share reached. There is no model of the world."""
        return (SURPRISE, DOUBT, *self.learner.metrics, INVERSE, REACHED)

    def init(self, key: jax.Array, spec: WorldSpec) -> LabelledState:
        """Begin with two untrained models, and nothing kept."""
        if self.mix not in ("balanced", "all", "none") or self.window < 0:
            raise ValueError(f"mix={self.mix!r}, window={self.window}: mix is 'balanced', 'all' or 'none'; window is 0 or more")
        for_inverse, for_learner = keys.split(key, "inverse", "learner")
        seen = vectors(spec.observation, self)
        action = spaces.zeros(spec.action, spec.batch)
        reel = empty(max(1, self.rows // spec.batch), seen.width, action)
        return LabelledState(
            inverse=self.inverse.init(for_inverse, (2 + 2 * self.window) * seen.width, spec.action),
            learner=self.learner.init(for_learner, seen.width, spec.action),
            known=reel,
            shown=jax.tree.map(jnp.copy, reel),
            observation=spaces.zeros(spec.observation, spec.batch),
            by_chance=jnp.zeros(spec.batch, bool),
            reached=jnp.float32(0.0),
            observation_form=seen,
            action_form=form(spec.action),
        )

    def see(self, key: jax.Array, state: LabelledState, step: TimeStep) -> tuple[LabelledState, Info]:
        """Keep the observation to act on."""
        nothing = jnp.full(step.kind.shape, jnp.nan, jnp.float32)
        return replace(state, observation=step.observation), {"surprise": nothing, "doubt": nothing}

    def act(self, key: jax.Array, state: LabelledState, mode: Mode = "explore") -> tuple[LabelledState, Any]:
        """Choose by the policy, or at random."""
        open = admissible(state.observation_form, state.action_form, state.observation)
        chance = jnp.full_like(state.by_chance, mode == "random")
        if mode == "random":
            action = drawn(key, state.action_form, chance.shape[0], open)
        else:
            action = self.learner.act(key, state.learner, state.observation_form.flat(state.observation), mode, open)
        return replace(state, by_chance=chance), action

    def remember(self, key: jax.Array, state: LabelledState, experience: Experience) -> tuple[LabelledState, Info]:
        """Keep the moment among those whose action is known, those of others, or both."""
        lived, watched = experience.origin == LIVED, experience.origin == WATCHED
        others = (experience.origin == SHOWN) | watched
        now, after = (state.observation_form.flat(step.observation) for step in (experience.step, experience.next))
        action = select(watched, jax.tree.map(jnp.zeros_like, experience.action), experience.action)
        own = lived & ~state.by_chance
        moment = (now, after, action, experience.step.first)
        known = add(state.known, *moment, valid=experience.acted, acted=experience.acted, own=own)
        known = finish(known, lived & experience.valid & experience.next.terminated)
        shown = add(state.shown, *moment, valid=experience.valid & others, acted=experience.acted, own=own)
        ended = own & experience.valid & experience.next.last
        number = jnp.sum(ended)
        share = jnp.sum(ended & experience.next.terminated) / jnp.maximum(number, 1)
        kept = (1.0 - SMOOTHING) ** number
        return replace(state, known=known, shown=shown, reached=kept * state.reached + (1.0 - kept) * share), {}

    def learn(self, key: jax.Array, state: LabelledState) -> tuple[LabelledState, Info]:
        """Teach the guesses from what is known, and the policy from what was shown, guessed where it is not known."""
        choosing, guessing, labelling, showing, learning = keys.split(key, "choose", "guess", "label", "show", "learn")
        rows, some = self._known(choosing, state)
        inverse, told = self.inverse.learn(guessing, state.inverse, self._batch(state.known, rows, some))
        watched, seen = choose(showing, state.shown.valid, self.batch)
        guessed = self.inverse.act(labelling, inverse, self.features(state.shown, watched), "exploit")
        moments = taken(state.shown, watched)
        action = select(moments.acted, moments.action, guessed)
        batch = _rows(moments.now, action, moments.after, (seen & jnp.any(state.known.valid)).astype(jnp.float32))
        learner, info = self.learner.learn(learning, state.learner, batch)
        found = {"inverse_loss": told.get(IMITATION.name, jnp.float32(jnp.nan)), "reached": state.reached}
        return replace(state, inverse=inverse, learner=learner), {**info, **found}

    def features(self, reel: Reel, rows: jax.Array) -> jax.Array:
        """What the guesses read of rows int32 [N] of a reel: float32 [N, (2 + 2 window) F]."""
        length, wide = reel.valid.shape
        time, row = rows // wide, rows % wide
        now = reel.now[time, row]

        def at(offset: int, observations: jax.Array, instead: jax.Array) -> jax.Array:
            place = (time + offset) % length
            same = reel.valid[place, row] & (reel.episode[place, row] == reel.episode[time, row])
            return jnp.where(same[:, None], observations[place, row], instead)

        before, later = [now], [reel.after[time, row]]
        for step in range(1, self.window + 1):
            before.append(at(-step, reel.now, before[-1]))
            later.append(at(step, reel.after, later[-1]))
        return jnp.concatenate([now, *(seen - now for seen in (*before[1:], *later))], axis=-1)

    def embody(self, key: jax.Array, state: LabelledState, spec: WorldSpec) -> LabelledState:
        """Put the same policy into spec.batch rows, without what was kept."""
        observation = spaces.zeros(spec.observation, spec.batch)
        return replace(state, known=None, shown=None, observation=observation, by_chance=jnp.zeros(spec.batch, bool))

    def imagine(self, key: jax.Array, state: LabelledState, actions: Any) -> Prediction | None:
        """Return None: it has no model."""
        return None

    def _known(self, key: jax.Array, state: LabelledState) -> tuple[jax.Array, jax.Array]:
        """Rows [N] of known moments by the rule `mix`, and which of them are there."""
        held, first, second = state.known, *keys.split(key, "first", "second")
        others, good = held.valid & ~held.own, held.valid & held.own & held.good
        if self.mix != "balanced":
            return choose(first, held.valid if self.mix == "all" else others, self.batch)
        from_others, some = choose(first, others, self.batch)
        from_good, any_good = choose(second, good, self.batch)
        take = any_good & ((jnp.arange(self.batch) < state.reached * self.batch) | ~some)
        return jnp.where(take, from_good, from_others), some | any_good

    def _batch(self, reel: Reel, rows: jax.Array, some: jax.Array) -> Batch:
        features = self.features(reel, rows)
        return _rows(features, taken(reel, rows).action, features, some.astype(jnp.float32))


def _rows(now: jax.Array, action: Any, after: jax.Array, weight: jax.Array) -> Batch:
    return Batch(
        now=now, action=action, reward=jnp.zeros_like(weight), continues=jnp.ones_like(weight), after=after, weight=weight
    )
