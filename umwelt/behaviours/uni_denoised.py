"""Unified world models: one denoiser of the next actions and of what follows them, with a level of noise for each.

"Unified world models: coupling video and action diffusion for pretraining on large robotic datasets" (2025). The levels
decide what the same weights are. With what follows at full noise they are a policy, and with given actions a model. With a
given next observation they are an inverse model. Where actions are not known they count as full noise, so clips without
actions teach too. The published network is a transformer over video with adaptive norms; this one is small and reads
vectors. What it denoises is the change of the features, which is small beside them.
"""

from dataclasses import replace
from typing import Any, Literal

import jax
import jax.numpy as jnp

from umwelt.behaviours.batch import mean
from umwelt.behaviours.denoised import windows
from umwelt.behaviours.histories import Context, Sequences, chunks
from umwelt.core import Info, Metric, keys, part, static, struct
from umwelt.core.contracts import Mode
from umwelt.networks import denoisers, denoising, policies, scale
from umwelt.networks.denoisers import Denoiser
from umwelt.networks.denoising import Schedule
from umwelt.networks.optimise import optimiser, stepped, where_any
from umwelt.networks.scale import Scale

ACTIONS = Metric(name="action_noise_loss", unit="squared units", meaning="error of the noise of actions", better="down")
FOLLOWS = Metric(name="next_noise_loss", unit="squared units", meaning="error of the noise of what follows", better="down")
REACH = 3.0
"""How many deviations of a change reach the edge of the unit box, in which it is denoised."""
WAVES = 32
"""Numbers that a level of noise is embedded in."""


@struct
class UnifiedState:
    """policy: the denoiser of both. change: the scale of the features' changes. optimiser: Optax's. lessons: int32 []."""

    policy: Denoiser
    change: Scale
    optimiser: Any
    lessons: jax.Array
    width: int = static()
    acts: policies.Policy = static()


@part
class Unified:
    """Denoises a chunk of actions and the observation after it; a `SequenceLearner` that is also a model of its world."""

    acts: Literal["policy", "joint"] = "policy"
    """How it acts. "policy": what follows stays noise. "joint": both are cleaned together, and so a plan is made."""
    learns: Literal["all", "policy", "forward", "inverse"] = "all"
    """The levels that it learns: all, or those of a single use alone."""
    window: int = 2
    """Steps of history that it reads."""
    chunk: int = 1
    """Actions that are drawn at once."""
    steps: int = 100
    """Levels of noise."""
    draws: int = 10
    """Steps in which it draws."""
    units: int = 64
    """Width of the hidden layers."""
    layers: int = 3
    """Hidden layers."""
    measures: int = 200
    """Lessons in which the scale of changes is measured."""
    learning_rate: float = 1e-3
    """Step size of Adam."""

    metrics = (ACTIONS, FOLLOWS)
    cites = ("uwm_2025",)

    @property
    def context(self) -> int:
        """Steps of history that it reads."""
        return self.window

    @property
    def length(self) -> int:
        """Transitions of a stretch to learn from."""
        return self.window + self.chunk - 1

    def init(self, key: jax.Array, width: int, action: Any) -> UnifiedState:
        """Begin untrained."""
        acts = policies.over(action)
        both = self.chunk * acts.inputs + width
        policy = denoisers.denoiser(key, self.window * (width + 1) + 2 * WAVES, both, both, self.units, self.layers)
        return UnifiedState(
            policy=policy,
            change=scale.unit(width),
            optimiser=self._optimiser().init(policy),
            lessons=jnp.int32(0),
            width=width,
            acts=acts,
        )

    def act(self, key: jax.Array, state: UnifiedState, features: Context, mode: Mode, open: jax.Array | None = None) -> jax.Array:
        """Draw a chunk after histories [N, K], in every mode: float32 [N, chunk, A]."""
        seen = windows(features.features, features.known, self.window)[:, -1]
        drawn, _ = self.drawn(key, state, seen, blind=self.acts == "policy")
        return drawn.reshape(drawn.shape[0], self.chunk, -1)

    def drawn(
        self,
        key: jax.Array,
        state: UnifiedState,
        seen: jax.Array,
        actions: jax.Array | None = None,
        after: jax.Array | None = None,
        blind: bool = False,
    ) -> tuple[jax.Array, jax.Array]:
        """Draw chunks [N, C] and the features [N, F] after them, given windows [N, ...] of what is seen.

        What is given stays as it is: actions make it a model of what follows, and what follows an inverse model. blind: what
        follows stays noise.
        """
        rows, size, schedule = seen.shape[0], self.chunk * state.acts.inputs, self._schedule
        noise = jax.random.normal(key, (rows, size + state.width))
        now = seen[:, -state.width - 1 : -1]
        begun = (
            noise[:, :size] if actions is None else actions,
            noise[:, size:] if after is None else _boxed(state.change, after - now),
        )
        places = jnp.round(jnp.linspace(self.steps - 1, -1, self.draws + 1)).astype(jnp.int32)
        none, full = jnp.zeros(rows, jnp.int32), jnp.full(rows, self.steps - 1)

        def onward(both: tuple[jax.Array, jax.Array], given: tuple[jax.Array, jax.Array]) -> tuple[Any, None]:
            step, to = (jnp.full(rows, each) for each in given)
            chunk, later = both
            of_after = full if blind else step if after is None else none
            noises = self._noises(state.policy, seen, both, (step if actions is None else none, of_after))
            if actions is None:
                chunk = denoising.skipped(schedule, chunk, noises[0], step, to)
            if after is None and not blind:
                later = denoising.skipped(schedule, later, noises[1], step, to)
            return (chunk, later), None

        chunk, later = jax.lax.scan(onward, begun, (places[:-1], places[1:]))[0]
        return chunk, now + REACH * later * state.change.deviation + state.change.mean

    def learn(self, key: jax.Array, state: UnifiedState, batch: Sequences) -> tuple[UnifiedState, Info]:
        """Update once from the chunks that follow every step of the stretches, and from what follows them."""
        seen, chunk, change, weights = self.rows(batch)
        measures = weights[1] * (state.lessons < self.measures)
        held = scale.update(state.change, change, measures, float("inf"))
        held = jax.tree.map(lambda new, old: jnp.where(jnp.any(measures > 0), new, old), held, state.change)
        change = _boxed(held, change)

        def miss(policy: Denoiser) -> tuple[jax.Array, Info]:
            of_actions, of_after = self.missed(key, policy, seen, chunk, change, weights[0])
            lost, later = mean(of_actions, weights[0]), mean(of_after, weights[1])
            lost, later = (0.0 if self.learns == "forward" else 1.0) * lost, (1.0 if self._follows else 0.0) * later
            return lost + later, {"action_noise_loss": lost, "next_noise_loss": later}

        (_, info), gradient = jax.value_and_grad(miss, has_aux=True)(state.policy)
        policy, optimised = stepped(self._optimiser(), gradient, state.optimiser, state.policy)
        return where_any(
            weights[1], replace(state, policy=policy, change=held, optimiser=optimised, lessons=state.lessons + 1), state
        ), info

    def rows(self, batch: Sequences) -> tuple[jax.Array, jax.Array, jax.Array, tuple[jax.Array, jax.Array]]:
        """Windows of what is seen, the chunks that follow, the changes of the features over these, [M, ...] each; and two
        weights [M], whether the actions are known, and whether what follows is."""
        chunk, acted = chunks(batch, self.chunk)
        places, edge = acted.shape[1], self.chunk - 1
        known = batch.context.known
        seen = windows(batch.context.features[:, :places], known[:, :places], self.window)
        found = (
            seen,
            jnp.where(acted[:, :, None], chunk, 0.0),
            batch.after[:, edge : edge + places] - batch.context.features[:, :places],
        )
        seen, chunk, change = (each.reshape(-1, each.shape[-1]) for each in found)
        weights = (acted, known[:, edge : edge + places] & known[:, :places])
        return seen, chunk, change, (weights[0].reshape(-1).astype(jnp.float32), weights[1].reshape(-1).astype(jnp.float32))

    def missed(
        self, key: jax.Array, policy: Denoiser, seen: jax.Array, actions: jax.Array, change: jax.Array, acted: jax.Array
    ) -> tuple[jax.Array, jax.Array]:
        """The squared errors [N] of the noise of actions and of changes, at levels that are drawn for each. Actions of
        rows that were not acted [N] are full noise."""
        one, other, mine, later = keys.split(key, "actions level", "next level", "actions noise", "next noise")
        rows = seen.shape[0]
        levels = [jax.random.randint(each, (rows,), 0, self.steps) for each in (one, other)]
        if self.learns == "forward":
            levels[0] = jnp.zeros_like(levels[0])
        if self.learns in ("policy", "inverse"):
            levels[1] = jnp.full_like(levels[1], self.steps - 1 if self.learns == "policy" else 0)
        levels[0] = jnp.where(acted > 0, levels[0], self.steps - 1)
        noises = [jax.random.normal(each, clean.shape) for each, clean in ((mine, actions), (later, change))]
        noisy = [
            denoising.noised(self._schedule, clean, noise, level)
            for clean, noise, level in zip((actions, change), noises, levels, strict=True)
        ]
        noisy[0] = jnp.where(acted[:, None] > 0, noisy[0], noises[0])
        found = self._noises(policy, seen, (noisy[0], noisy[1]), (levels[0], levels[1]))
        errors = [jnp.mean((each - noise) ** 2, axis=-1) for each, noise in zip(found, noises, strict=True)]
        return errors[0], errors[1]

    def _noises(
        self, policy: Denoiser, seen: jax.Array, both: tuple[jax.Array, jax.Array], levels: tuple[jax.Array, jax.Array]
    ) -> tuple[jax.Array, jax.Array]:
        """The noise in actions [N, C] and in what follows [N, F], whose levels [N] are known."""
        condition = jnp.concatenate([seen, *(denoising.waves(each, WAVES) for each in levels)], axis=-1)
        noisy = jnp.concatenate(both, axis=-1)
        found = denoisers.reading(policy, condition)(noisy, levels[0])
        size = both[0].shape[-1]
        return found[:, :size], found[:, size:]

    @property
    def _follows(self) -> bool:
        """Whether it learns what follows."""
        return self.learns in ("all", "forward")

    @property
    def _schedule(self) -> Schedule:
        return denoising.cosine(self.steps)

    def _optimiser(self) -> Any:
        return optimiser(self.learning_rate, clip=1.0)


def _boxed(held: Scale, change: jax.Array) -> jax.Array:
    """Changes [N, F] in the unit box."""
    return scale.standard(held, change, REACH) / REACH
