"""A policy that draws a way of doing things first, and acts by it: several hypotheses are kept alive side by side.

"Reparameterized policy learning for multimodal trajectory optimization" (2023). A way is drawn once an episode. The actions of
each way follow the gradient of its own values. A network that recognises ways by their actions pays them for being distinct,
so that no broad hill swallows them all. The choice among ways is soft over their values, and here its gradient is exact over
all ways, where the paper draws. The paper's learned latent model and its bonus for novelty are left out.
"""

from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp

from umwelt.behaviours.around import AroundLearner
from umwelt.behaviours.batch import Batch, Learner, mean, wiped
from umwelt.behaviours.model_free import ModelFree
from umwelt.core import Box, Experience, Info, Metric, Prediction, TimeStep, WorldSpec, keys, part, static, struct
from umwelt.core.contracts import Mode
from umwelt.networks import layers, policies
from umwelt.networks.layers import Stack
from umwelt.networks.optimise import optimiser, stepped, where_any

SEEN, WAY = "seen", "way"
"""Leaves of what the learner reads; `seen` comes first."""
RECOGNISED = Metric(name="way_recognised", unit="nats", meaning="mean log chance of the way, given its actions", better="up")
SPREAD = Metric(name="way_entropy", unit="nats", meaning="entropy of the choice among ways")


@struct
class ReparameterisedState:
    """inner: the learner's. recogniser: [F + A] -> [K] logits. chooser: [F] -> [K] logits. optimiser: Optax's, of both. lessons:
    int32 []."""

    inner: Any
    recogniser: Stack
    chooser: Stack
    optimiser: Any
    lessons: jax.Array
    acts: policies.Policy = static()


@part
class Reparameterised(AroundLearner):
    """A learner whose features end with a way, one-hot; it learns to choose ways, and pays distinct ones."""

    learner: Learner
    """The policy, which reads the way too, and says what actions are `worth`."""
    ways: int = 8
    """Ways among which an episode chooses."""
    distinct: float = 1.0
    """Weight of a nat by which an action gives away its way (w_i), in reward."""
    entropy: float = 0.2
    """Weight of a nat of entropy of the choice among ways (w_z), in reward."""
    decay: float = 0.9995
    """What is left of both weights after each lesson."""
    units: int = 64
    """Width of the hidden layer of recogniser and chooser."""
    learning_rate: float = 1e-3
    """Step size of Adam, of both."""

    passes = ("outputs",)
    """Capabilities of the learner inside that hold here too."""
    cites = ("rpg_2023",)

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """The learner's, and those of ways."""
        return (*self.learner.metrics, RECOGNISED, SPREAD)

    def init(self, key: jax.Array, width: int, action: Any) -> ReparameterisedState:
        """Begin with an even choice, for `width` features of which the last ones are the way."""
        if not hasattr(self.learner, "worth"):
            raise ValueError(
                f"learner: {type(self.learner).__name__} does not say what an action is worth; take one that does, as SAC"
            )
        recognising, choosing = keys.split(key, "recognise", "choose")
        acts, seen = policies.over(action), width - self.ways
        both = (
            layers.stack(recognising, (seen + acts.inputs, self.units, self.ways), scale=0.01, normed=False),
            layers.stack(choosing, (seen, self.units, self.ways), scale=0.01, normed=False),
        )
        return ReparameterisedState(
            inner=self.learner.init(key, width, action),
            recogniser=both[0],
            chooser=both[1],
            optimiser=optimiser(self.learning_rate).init(both),
            lessons=jnp.int32(0),
            acts=acts,
        )

    def act(
        self, key: jax.Array, state: ReparameterisedState, features: jax.Array, mode: Mode, open: jax.Array | None = None
    ) -> Any:
        """Act as the learner does, by the way among the features."""
        return self.learner.act(key, state.inner, features, mode, open)

    def chances(self, state: ReparameterisedState, seen: jax.Array) -> jax.Array:
        """Log chances of all ways at what is seen [N, F]: float32 [N, K]."""
        return jax.nn.log_softmax(layers.apply(state.chooser, seen, jax.nn.relu))

    def learn(self, key: jax.Array, state: ReparameterisedState, batch: Batch) -> tuple[ReparameterisedState, Info]:
        """Pay the ways for being distinct, update the learner, then recogniser and chooser."""
        if batch.steps > 1:
            raise ValueError(f"learner: ways are paid for single steps, and this batch sums {batch.steps}; set steps=1")
        batch = wiped(batch)
        seen, way = batch.now[:, : -self.ways], batch.now[:, -self.ways :]
        done = jnp.concatenate([seen, state.acts.features(state.acts.unit(batch.action))], axis=-1)
        share = self.decay**state.lessons
        # beside an even guess, so that what cannot be recognised is paid nothing
        apart = self._recognised(state.recogniser, done, way) + jnp.log(float(self.ways))
        paid = batch.reward + share * self.distinct * apart if self.distinct else batch.reward
        inner, info = self.learner.learn(key, state.inner, replace(batch, reward=paid))
        values = self._values(keys.fold(key, "value"), inner, seen)

        def miss(both: tuple[Stack, Stack]) -> tuple[jax.Array, Any]:
            known = mean(self._recognised(both[0], done, way), batch.weight)
            chances = self.chances(replace(state, chooser=both[1]), seen)
            spread = -jnp.sum(jnp.exp(chances) * chances, axis=-1)
            gain = jnp.sum(jnp.exp(chances) * values, axis=-1) + share * self.entropy * spread
            return -known - mean(gain, batch.weight), (known, mean(spread, batch.weight))

        both = (state.recogniser, state.chooser)
        (_, (known, spread)), gradient = jax.value_and_grad(miss, has_aux=True)(both)
        (recogniser, chooser), optimised = stepped(optimiser(self.learning_rate), gradient, state.optimiser, both)
        after = replace(
            state, inner=inner, recogniser=recogniser, chooser=chooser, optimiser=optimised, lessons=state.lessons + 1
        )
        return where_any(batch.weight, after, state), {**info, "way_recognised": known, "way_entropy": spread}

    def _values(self, key: jax.Array, inner: Any, seen: jax.Array) -> jax.Array:
        """What each way is worth where it acts now: float32 [N, K]."""
        learner: Any = self.learner

        def of(way: jax.Array) -> jax.Array:
            features = jnp.concatenate([seen, jnp.broadcast_to(way, (seen.shape[0], self.ways))], axis=-1)
            return learner.worth(inner, features, learner.act(key, inner, features, "explore"))

        return jax.vmap(of, out_axes=1)(jnp.eye(self.ways))

    def _recognised(self, recogniser: Stack, done: jax.Array, way: jax.Array) -> jax.Array:
        return jnp.sum(way * jax.nn.log_softmax(layers.apply(recogniser, done, jax.nn.relu)), axis=-1)


@struct
class WaysState:
    """inner: the agent's. way: float32 [B, K], one-hot, of the present episodes."""

    inner: Any
    way: jax.Array


@part
class Ways:
    """Draws a way where an episode begins, and shows it to the agent inside beside what is seen."""

    inner: ModelFree
    """The agent; its learner is a `Reparameterised`."""

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """Those of the agent inside."""
        return self.inner.metrics

    @property
    def memory(self) -> Any:
        """The memory of the agent inside."""
        return self.inner.memory

    def init(self, key: jax.Array, spec: WorldSpec) -> WaysState:
        """Begin with the first way in each row."""
        if not isinstance(self.inner.learner, Reparameterised):
            raise ValueError("inner.learner: Ways needs one that chooses ways; give Reparameterised(learner=...)")
        return WaysState(inner=self.inner.init(key, self._extended(spec)), way=self._first(spec.batch))

    def see(self, key: jax.Array, state: WaysState, step: TimeStep) -> tuple[WaysState, Info]:
        """Draw a way where an episode begins, and see the step with it."""
        learner: Any = self.inner.learner
        step = replace(step, observation={SEEN: step.observation, WAY: state.way})
        seen = state.inner.observation_form.flat(step.observation)[:, : -learner.ways]
        drawn = jax.random.categorical(keys.fold(key, "way"), learner.chances(state.inner.learner, seen))
        way = jnp.where(step.first[:, None], jax.nn.one_hot(drawn, learner.ways), state.way)
        inner, info = self.inner.see(key, state.inner, replace(step, observation={**step.observation, WAY: way}))
        return WaysState(inner=inner, way=way), info

    def act(self, key: jax.Array, state: WaysState, mode: Mode = "explore") -> tuple[WaysState, Any]:
        """Act by the way."""
        inner, action = self.inner.act(key, state.inner, mode)
        return replace(state, inner=inner), action

    def remember(self, key: jax.Array, state: WaysState, experience: Experience) -> tuple[WaysState, Info]:
        """Store the experience with its way."""

        def extended(step: TimeStep) -> TimeStep:
            return replace(step, observation={SEEN: step.observation, WAY: state.way})

        kept = replace(experience, step=extended(experience.step), next=extended(experience.next))
        inner, info = self.inner.remember(key, state.inner, kept)
        return replace(state, inner=inner), info

    def learn(self, key: jax.Array, state: WaysState) -> tuple[WaysState, Info]:
        """Update the learner once."""
        inner, info = self.inner.learn(key, state.inner)
        return replace(state, inner=inner), info

    def embody(self, key: jax.Array, state: WaysState, spec: WorldSpec) -> WaysState:
        """Put the same policy into spec.batch rows."""
        return WaysState(inner=self.inner.embody(key, state.inner, self._extended(spec)), way=self._first(spec.batch))

    def imagine(self, key: jax.Array, state: WaysState, actions: Any) -> Prediction | None:
        """Return None: it has no model."""
        return None

    def _extended(self, spec: WorldSpec) -> WorldSpec:
        learner: Any = self.inner.learner
        return replace(spec, observation={SEEN: spec.observation, WAY: Box(shape=(learner.ways,), low=0.0, high=1.0)})

    def _first(self, rows: int) -> jax.Array:
        learner: Any = self.inner.learner
        return jnp.zeros((rows, learner.ways), jnp.float32).at[:, 0].set(1.0)
