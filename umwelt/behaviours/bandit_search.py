"""A search that chooses where to go on by a linear bandit over learned representations of policies.

"Representation-driven reinforcement learning" (2023). An encoder makes of each genome a normal over a few numbers. Their
product with a vector of weights predicts the return. The posterior of those weights is known in closed form. One draw of it
(Thompson sampling) says which of many changed genomes to go on from. There an evolution strategy takes its next step.

The paper's decoder predicts returns. This one also predicts the traits of an evaluation, because where no return differs from
another, returns alone say nothing about policies.
"""

from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp

from umwelt.behaviours.strategies import Strategies, StrategiesState
from umwelt.core import keys, part, struct
from umwelt.networks import layers
from umwelt.networks.layers import Stack
from umwelt.networks.optimise import optimiser, stepped


@struct
class RepresentedState:
    """inner: the strategy's state. networks: encoder, decoder of traits, and the linear decoder of returns; empty where genomes
    are taken as they are. optimiser: Optax's. genomes: float32 [H, D], traits: float32 [H, Z] and returns: float32 [H], what was
    evaluated. count: int32 [], in all."""

    inner: StrategiesState
    networks: tuple[Stack, ...]
    optimiser: Any
    genomes: jax.Array
    traits: jax.Array
    returns: jax.Array
    count: jax.Array


@part
class Represented:
    """Goes on from the genome, of some around the mean, that one draw of the bandit's posterior values most."""

    inner: Strategies = Strategies()
    """What evaluates around the chosen genome, and steps."""
    width: int = 16
    """Numbers of a representation; 0 takes the genome itself, and learns no encoder."""
    candidates: int = 64
    """Genomes to choose among, beside the mean."""
    radius: float = 0.3
    """Deviation of the candidates around the mean."""
    prior: float = 1.0
    """Variance of each weight before any return is known."""
    noise: float = 0.3
    """Deviation of returns around their prediction, in units of the deviation of all returns."""
    units: int = 64
    """Width of the hidden layer of encoder and decoder."""
    lessons: int = 30
    """Updates of the encoder after each generation."""
    batch: int = 64
    """Evaluations that an update draws."""
    learning_rate: float = 1e-3
    """Step size of Adam."""
    room: int = 2048
    """Evaluations that are kept; the oldest go first."""
    divergence: float = 0.01
    """Weight of the divergence of representations from the unit normal."""

    cites = ("reprl_2023",)

    def init(self, key: jax.Array, size: int, traits: int) -> RepresentedState:
        """Begin with an untrained encoder, and no evaluation."""
        if self.width < 0 or self.candidates < 1:
            raise ValueError(f"width={self.width}, candidates={self.candidates}: neither is negative, and one candidate there is")
        widths = ((size, self.units, 2 * self.width), (self.width, self.units, traits), (self.width, 1)) if self.width else ()
        made = keys.split(key, "encoder", "decoder", "returns")
        networks = tuple(layers.stack(one, each, normed=False) for one, each in zip(made, widths, strict=False))
        return RepresentedState(
            inner=self.inner.init(key, size, traits),
            networks=networks,
            optimiser=optimiser(self.learning_rate).init(networks),
            genomes=jnp.zeros((self.room, size), jnp.float32),
            traits=jnp.zeros((self.room, traits), jnp.float32),
            returns=jnp.zeros(self.room, jnp.float32),
            count=jnp.int32(0),
        )

    def ask(self, key: jax.Array, state: RepresentedState, n: int) -> tuple[RepresentedState, jax.Array]:
        """Choose where to go on by one draw of the weights, and ask around there."""
        drawing, choosing, asking = keys.split(key, "weights", "candidates", "ask")
        mean, root = self.posterior(state)
        weights = mean + root @ jax.random.normal(drawing, mean.shape)
        here = state.inner.mean
        steps = self.radius * jax.random.normal(choosing, (self.candidates, here.shape[0]))
        candidates = here + jnp.concatenate([jnp.zeros((1, here.shape[0])), steps])
        chosen = candidates[jnp.argmax(self.represented(state, candidates) @ weights)]
        inner, genomes = self.inner.ask(asking, self.inner.moved(state.inner, chosen), n)
        return replace(state, inner=inner), genomes

    def tell(
        self, key: jax.Array, state: RepresentedState, genomes: jax.Array, returns: jax.Array, traits: jax.Array
    ) -> RepresentedState:
        """Let the strategy step, keep the evaluations, and fit the encoder to all that are kept."""
        place = (state.count + jnp.arange(genomes.shape[0])) % self.room
        state = replace(
            state,
            inner=self.inner.tell(key, state.inner, genomes, returns, traits),
            genomes=state.genomes.at[place].set(genomes),
            traits=state.traits.at[place].set(traits),
            returns=state.returns.at[place].set(returns),
            count=state.count + genomes.shape[0],
        )
        if not self.width:
            return state
        wanted = jnp.concatenate([self._standard(state)[:, None], _scaled(state.traits, self._known(state))], axis=1)
        held = jnp.minimum(state.count, self.room)

        def lesson(carry: Any, key: jax.Array) -> tuple[Any, None]:
            networks, optimised = carry
            drawing, sampling = keys.split(key, "rows", "sample")
            rows = jax.random.randint(drawing, (self.batch,), 0, held)
            slope = jax.grad(self._missed)(networks, sampling, state.genomes[rows], wanted[rows])
            return stepped(optimiser(self.learning_rate), slope, optimised, networks), None

        begun = (state.networks, state.optimiser)
        (networks, optimised), _ = jax.lax.scan(lesson, begun, jax.random.split(key, self.lessons))
        return replace(state, networks=networks, optimiser=optimised)

    def best(self, state: RepresentedState) -> jax.Array:
        """Of all evaluated genomes, the one that the mean of the posterior values most."""
        value = self.represented(state, state.genomes) @ self.posterior(state)[0]
        found = state.genomes[jnp.argmax(jnp.where(self._known(state) > 0, value, -jnp.inf))]
        return jnp.where(state.count > 0, found, self.inner.best(state.inner))

    def represented(self, state: RepresentedState, genomes: jax.Array) -> jax.Array:
        """Representations float32 [N, d] of genomes [N, D]."""
        return layers.apply(state.networks[0], genomes, jnp.tanh)[:, : self.width] if self.width else genomes

    def posterior(self, state: RepresentedState) -> tuple[jax.Array, jax.Array]:
        """The mean float32 [d] of the weights given all returns, and a root [d, d] of their covariance."""
        seen = self.represented(state, state.genomes) * self._known(state)[:, None]
        precision = seen.T @ seen / self.noise**2 + jnp.eye(seen.shape[1]) / self.prior
        factor = jnp.linalg.cholesky(precision)
        mean = jax.scipy.linalg.cho_solve((factor, True), seen.T @ self._standard(state) / self.noise**2)
        # with L L' the precision, the inverse of L' is a root of the covariance
        return mean, jax.scipy.linalg.solve_triangular(factor, jnp.eye(seen.shape[1]), lower=True).T

    def _known(self, state: RepresentedState) -> jax.Array:
        return (jnp.arange(self.room) < state.count).astype(jnp.float32)

    def _standard(self, state: RepresentedState) -> jax.Array:
        """Returns [H] in units of their deviation around their mean, and 0 where all are alike or nothing is kept."""
        return _scaled(state.returns[:, None], self._known(state))[:, 0]

    def _missed(self, networks: tuple[Stack, ...], key: jax.Array, genomes: jax.Array, wanted: jax.Array) -> jax.Array:
        """The negative bound on the log-likelihood of returns and traits."""
        encoder, decoder, linear = networks
        mean, raw = jnp.split(layers.apply(encoder, genomes, jnp.tanh), 2, axis=-1)
        deviation = jax.nn.softplus(raw)
        drawn = mean + deviation * jax.random.normal(key, mean.shape)
        earned, shown = layers.apply(linear, drawn, jnp.tanh), layers.apply(decoder, drawn, jnp.tanh)
        error = jnp.mean((earned - wanted[:, :1]) ** 2) + jnp.mean((shown - wanted[:, 1:]) ** 2)
        spread = 0.5 * (mean**2 + deviation**2 - 1.0) - jnp.log(deviation + 1e-6)
        return error + self.divergence * jnp.mean(jnp.sum(spread, axis=-1))


def _scaled(rows: jax.Array, known: jax.Array) -> jax.Array:
    """Columns of rows [H, Z] in units of their deviation around their mean, over rows that are known; 0 elsewhere."""
    number = jnp.maximum(jnp.sum(known), 1.0)
    middle = jnp.sum(rows * known[:, None], axis=0) / number
    apart = (rows - middle) * known[:, None]
    deviation = jnp.sqrt(jnp.sum(apart**2, axis=0) / number)
    return apart / jnp.where(deviation > 1e-6, deviation, 1.0)
