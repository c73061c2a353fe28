"""Goals as particles that are drawn towards intermediate difficulty.

"Stein Variational Goal Generation for adaptive Exploration in Multi-Goal Reinforcement Learning" (2023).
"""

from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp

from umwelt.core import Feedback, Info, keys, part, struct
from umwelt.networks.layers import apply, stack
from umwelt.networks.optimise import optimiser
from umwelt.networks.particles import direction
from umwelt.teachers.cube import Cube, Range, cube_of
from umwelt.teachers.outcomes import Of, Outcomes, no_outcomes, result_of, scaled

STEEP = 4.0
"""What places, from -1 to 1, are multiplied by before the network reads them."""


@struct
class SteinState:
    """cube: where tasks lie. outcomes: finished episodes. reached: places that were reached, of such worlds. particles:
    float32 [P, D]. weights, optimiser: of the predictor of success. learned: int32, episodes at the last reflection."""

    cube: Cube
    outcomes: Outcomes
    reached: Outcomes
    particles: jax.Array
    weights: Any
    optimiser: Any
    learned: jax.Array


@part
class Stein:
    """Draw tasks from particles; Stein variational descent moves them to where success is neither sure nor hopeless.

    A network predicts success from the task. The density of the particles is a Beta density of that success. It is
    multiplied by how likely a place is reached at all, where the world says what is reached. Both are learned between
    two stretches.

    >>> from umwelt.core import Box
    >>> teacher = Stein(particles=2000)
    >>> state = teacher.init(jax.random.key(0), Box(low=0.0, high=1.0), {"first": 0.0})
    >>> round(float(teacher.ask(jax.random.key(0), state, n=2000)[1].mean()), 1)  # even, before anything is learned
    0.5
    """

    particles: int = 100
    """Goals under consideration."""
    alpha: float = 2.0
    """First parameter of the Beta density of success; both at 2 favour a success of one half."""
    beta: float = 2.0
    """Second parameter of it; 1 and 4 favour what fails."""
    temperature: float = 20.0
    """What the Beta density is multiplied by in the log density of a particle."""
    step: float = 3e-3
    """How far a particle goes, as a multiple of its direction."""
    reach: float = 0.02
    """How far it goes at most in one move; the slope is steep where what is known ends."""
    moves: int = 10
    """Steps of the particles between two stretches."""
    recent: int = 500
    """Episodes that the predictor learns from."""
    units: int = 32
    """Of each of its two hidden layers."""
    updates: int = 40
    """Updates of the predictor between two stretches."""
    learning_rate: float = 3e-3
    """Of the predictor."""
    even: float = 0.1
    """The share of tasks that are drawn evenly."""
    scale: tuple[float, float] | None = None
    """The results that are no success and full success; None for the range of those that are kept."""
    of: Of = "returns"
    """The result of an episode."""
    within: tuple[Range, ...] = ()
    """(field of the task, lowest, highest) of what varies; empty for all fields of the task space."""

    cites = ("svgg_2023", "stein_2016")

    def init(self, key: jax.Array, task_space: Any, named: dict[str, Any]) -> SteinState:
        """Spread the particles evenly."""
        self._checked()
        cube = cube_of(task_space, named, self.within)
        placing, drawing = keys.split(key, "particles", "predictor")
        weights = stack(drawing, (cube.width, self.units, self.units, 1), normed=False)
        return SteinState(
            cube=cube,
            outcomes=no_outcomes(self.recent, cube.width),
            reached=no_outcomes(self.recent, cube.width),
            particles=jax.random.uniform(placing, (self.particles, cube.width)),
            weights=weights,
            optimiser=optimiser(self.learning_rate).init(weights),
            learned=jnp.int32(0),
        )

    def ask(self, key: jax.Array, state: SteinState, n: int) -> tuple[SteinState, Any]:
        """Draw n particles, or places evenly."""
        choosing, picking, placing = keys.split(key, "even", "particle", "place")
        particle = state.particles[jax.random.randint(picking, (n,), 0, self.particles)]
        uniform = jax.random.uniform(placing, (n, state.cube.width))
        evenly = jax.random.uniform(choosing, (n, 1)) < self.even
        return state, state.cube.tasks(jnp.where(evenly, uniform, particle))

    def tell(self, key: jax.Array, state: SteinState, tasks: Any, feedback: Feedback) -> SteinState:
        """Keep the results of the episodes that have ended, and what was reached."""
        values, rows = result_of(feedback, self.of)
        outcomes = state.outcomes.added(state.cube.places(tasks), values, rows)
        if feedback.reached is None:
            return replace(state, outcomes=outcomes)
        flat = jnp.concatenate([leaf.reshape(leaf.shape[0], -1) for leaf in jax.tree.leaves(feedback.reached)], axis=1)
        if flat.shape[1] != state.cube.width:
            raise ValueError("within: Stein needs the field `goal` alone, in a world that says what is reached")
        places = (flat - state.cube.low) / (state.cube.high - state.cube.low)
        return replace(state, outcomes=outcomes, reached=state.reached.added(places, values, feedback.finished))

    def reflect(self, key: jax.Array, state: SteinState) -> tuple[SteinState, Info]:
        """Teach the predictor the newest results, and move the particles."""
        values = scaled(state.outcomes.values, state.outcomes, self.scale)
        held = (state.outcomes.numbers >= 0).astype(jnp.float32)

        def loss(weights: Any) -> jax.Array:
            odds = self._odds(weights, state.outcomes.places)
            wrong = jax.nn.softplus(odds) - jnp.clip(values, 0.0, 1.0) * odds
            return jnp.sum(held * wrong) / jnp.maximum(jnp.sum(held), 1.0)

        def update(learner: tuple[Any, Any], _: None) -> tuple[tuple[Any, Any], None]:
            weights, adam = learner
            change, adam = optimiser(self.learning_rate).update(jax.grad(loss)(weights), adam, weights)
            return (jax.tree.map(jnp.add, weights, change), adam), None

        (weights, adam), _ = jax.lax.scan(update, (state.weights, state.optimiser), None, length=self.updates)
        learned = replace(state, weights=weights, optimiser=adam, learned=state.outcomes.count)

        def log_density(place: jax.Array) -> jax.Array:
            return self.log_density(learned, place)

        slope = jax.vmap(jax.grad(log_density))

        def move(particles: jax.Array, _: None) -> tuple[jax.Array, None]:
            shift = self.step * direction(particles, slope(particles))
            length = jnp.linalg.norm(shift, axis=1, keepdims=True)
            shift = shift * jnp.minimum(1.0, self.reach / jnp.maximum(length, 1e-9))
            return jnp.clip(particles + shift, 0.0, 1.0), None

        particles, _ = jax.lax.scan(move, state.particles, None, length=self.moves)
        fresh = state.outcomes.count > state.learned
        kept = jnp.where(fresh, particles, state.particles)
        return replace(learned, particles=kept), {}

    def panel(self, named: dict[str, Any]) -> dict[str, Any]:
        """Examine all named tasks of the world."""
        return dict(named)

    def success(self, state: SteinState, places: jax.Array) -> jax.Array:
        """Predicted success at places [N, D]: float32 [N]."""
        return jax.nn.sigmoid(self._odds(state.weights, places))

    def log_density(self, state: SteinState, place: jax.Array) -> jax.Array:
        """What particles are spread by, without its constant: float32 [] at a place [D]."""
        easy = jnp.clip(self.success(state, place[None])[0], 1e-6, 1.0 - 1e-6)
        log_norm = jax.scipy.special.betaln(self.alpha, self.beta)
        log_beta = (self.alpha - 1.0) * jnp.log(easy) + (self.beta - 1.0) * jnp.log1p(-easy) - log_norm
        # a kernel density of what was reached, which is 1 where nothing is known of it
        known = state.reached.numbers >= 0
        near = jnp.exp(-jnp.sum((state.reached.places - place) ** 2, axis=1) / (2 * 0.05**2))
        valid = jnp.max(jnp.where(known, near, 0.0))
        valid = jnp.where(jnp.any(known), jnp.maximum(valid, 1e-6), 1.0)
        return self.temperature * jnp.exp(log_beta) + jnp.log(valid)

    def _odds(self, weights: Any, places: jax.Array) -> jax.Array:
        """Log odds of success at places [N, D]: float32 [N]."""
        # steep first layers, because the border of what is known is sharp
        return apply(weights, STEEP * (2.0 * places - 1.0), jax.nn.tanh)[:, 0]

    def _checked(self) -> None:
        if self.particles < 2 or self.recent < 1:
            raise ValueError(f"particles={self.particles}, recent={self.recent}: give 2 particles and 1 episode at least")
        if min(self.alpha, self.beta) < 1.0:
            raise ValueError(f"alpha={self.alpha}, beta={self.beta}: below 1 the density has no bound")
        if not 0.0 <= self.even <= 1.0:
            raise ValueError(f"even={self.even} must be a share from 0 to 1")
