"""A population whose members do different things: the determinant of their likeness is maximised beside their return.

"Effective diversity in population based reinforcement learning" (NeurIPS 2020), by evolution strategies. A trait is what
a policy does at remembered observations. The determinant of the kernel of M traits is the squared volume that they span:
0 where two are equal, 1 where all are far apart. A bandit chooses how much it weighs.
"""

from dataclasses import replace

import jax
import jax.numpy as jnp

from umwelt.core import part, struct


@struct
class DiverseState:
    """centres: float32 [M, D], the members. worth: float32 [M], the mean return of each member's variants. arms: int32 [W],
    what the bandit chose, the newest last. rose: float32 [W], 1 where the best return rose then, 0 where it did not, NaN
    where nothing was tried. arm: int32 [], the weight in use. diversity: float32 [], the mean determinant."""

    centres: jax.Array
    worth: jax.Array
    arms: jax.Array
    rose: jax.Array
    arm: jax.Array
    diversity: jax.Array


@part
class Diverse:
    """Moves all members at once along the gradient of return and of the volume that they span.

    Asked for n genomes, it returns n / M variants of each of M members, in mirrored pairs: variant by variant, and in each
    all members side by side.

    >>> search, key = Diverse(members=2), jax.random.key(0)
    >>> state, genomes = search.ask(key, search.init(key, size=3, traits=2), 8)
    >>> state = search.tell(key, state, genomes, genomes[:, 0], genomes[:, :2])
    >>> 0.0 < float(state.diversity) < 1.0
    True
    """

    members: int = 5
    """Policies of the population."""
    deviation: float = 0.1
    """Deviation of the variants of a member."""
    learning_rate: float = 0.05
    """Step size."""
    width: float = 1.0
    """Distance of traits, as a root mean square of their numbers, over which likeness falls."""
    weights: tuple[float, ...] = (0.0, 0.5)
    """Weights of diversity that the bandit chooses among; (0.0,) for independent members."""
    window: int = 50
    """Generations that the bandit remembers."""
    spread: float = 0.5
    """Deviation of the first genomes."""

    cites = ("dvd_2020",)

    def init(self, key: jax.Array, size: int, traits: int) -> DiverseState:
        """Draw the members."""
        if self.members < 1:
            raise ValueError(f"members={self.members} of Diverse must be at least 1")
        if not self.weights or not all(0.0 <= weight <= 1.0 for weight in self.weights):
            raise ValueError(f"weights={self.weights} of Diverse must be some numbers from 0 to 1")
        return DiverseState(
            centres=self.spread * jax.random.normal(key, (self.members, size)),
            worth=jnp.full(self.members, -jnp.inf),
            arms=jnp.zeros(self.window, jnp.int32),
            rose=jnp.full(self.window, jnp.nan),
            arm=jnp.int32(0),
            diversity=jnp.float32(0.0),
        )

    def ask(self, key: jax.Array, state: DiverseState, n: int) -> tuple[DiverseState, jax.Array]:
        """Return mirrored variants of each member, [n / M, M] laid out as [n]."""
        if n % (2 * self.members):
            raise ValueError(f"n={n} genomes of Diverse must be a multiple of 2 * members={2 * self.members}")
        pairs = n // (2 * self.members)
        noise = jax.random.normal(key, (pairs, *state.centres.shape))
        variants = state.centres + self.deviation * jnp.concatenate([noise, -noise])
        return state, variants.reshape(n, -1)

    def tell(
        self, key: jax.Array, state: DiverseState, genomes: jax.Array, returns: jax.Array, traits: jax.Array
    ) -> DiverseState:
        """Take one step of evolution strategies, and let the bandit choose the next weight."""
        shape = (-1, self.members)
        genomes, returns = genomes.reshape(*shape, genomes.shape[1]), returns.reshape(shape)
        volumes = jax.vmap(lambda each: volume(each, self.width))(traits.reshape(*shape, traits.shape[1]))
        noise = (genomes - state.centres) / self.deviation
        weight = jnp.asarray(self.weights, jnp.float32)[state.arm]
        gain = (1.0 - weight) * _standard(returns) + weight * _standard(volumes)[:, None]
        gradient = jnp.mean(gain[..., None] * noise, axis=0) / self.deviation
        worth = jnp.mean(returns, axis=0)
        rose = (jnp.max(worth) > jnp.max(state.worth)).astype(jnp.float32)
        arms = jnp.roll(state.arms, -1).at[-1].set(state.arm)
        history = jnp.roll(state.rose, -1).at[-1].set(rose)
        return replace(
            state,
            centres=state.centres + self.learning_rate * gradient,
            worth=worth,
            arms=arms,
            rose=history,
            arm=self._drawn(key, arms, history),
            diversity=jnp.mean(volumes),
        )

    def best(self, state: DiverseState) -> jax.Array:
        """Return the member whose variants earned most: float32 [D]."""
        return state.centres[jnp.argmax(state.worth)]

    def _drawn(self, key: jax.Array, arms: jax.Array, rose: jax.Array) -> jax.Array:
        """Draw the next arm, int32 [], by Thompson sampling on how often the best return rose under each."""
        mine = arms[None] == jnp.arange(len(self.weights))[:, None]
        won = jnp.sum(mine & (rose == 1.0), axis=1)
        lost = jnp.sum(mine & (rose == 0.0), axis=1)
        return jnp.argmax(jax.random.beta(key, 1.0 + won, 1.0 + lost)).astype(jnp.int32)


def volume(traits: jax.Array, width: float) -> jax.Array:
    """Compute the determinant float32 [] of the squared-exponential kernel of traits [M, Z]."""
    square = jnp.mean((traits[:, None] - traits[None]) ** 2, axis=-1)
    return jnp.maximum(jnp.linalg.det(jnp.exp(-square / (2.0 * width**2))), 0.0)


def _standard(values: jax.Array) -> jax.Array:
    """Values in units of their deviation; those that hardly vary stay small."""
    return (values - jnp.mean(values)) / (jnp.std(values) + 1e-3)
