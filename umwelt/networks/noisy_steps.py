"""Gradient steps with noise: weights that are draws from a posterior, in place of its mode.

"Provable and Practical: Efficient Exploration in Reinforcement Learning via Langevin Monte Carlo" (ICLR 2024). An agent
that acts greedily on such weights explores as Thompson sampling does. The drift of Adam, added to the gradient, follows
the curvature of the loss.
"""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax

from umwelt.core import part
from umwelt.networks.optimise import transformation


class LangevinState(NamedTuple):
    """key: uint32 [2], the data of a key. first, second: the running means of the gradient and of its square."""

    key: jax.Array
    first: Any
    second: Any


@part
class Langevin:
    """Makes an Optax transformation of a step size and of a key for its noise.

    A step is `-rate * (gradient + decay * weights + drift * first / (sqrt(second) + 1e-8))`, and beside it
    `noise * sqrt(2 * rate)` times a unit normal. With drift 0 and a gradient that is the slope of -log p(weights), noise 1
    draws from p.

    >>> chain = Langevin(noise=1.0, drift=0.0)(0.05, jax.random.key(0))
    >>> def move(held, _):  # the weight of a unit normal has the slope `weight`
    ...     step, state = chain.update(held[0], held[1], held[0])
    ...     return (held[0] + step, state), held[0]
    >>> start = jnp.zeros(500)
    >>> _, drawn = jax.lax.scan(move, (start, chain.init(start)), None, length=300)
    >>> round(float(drawn[100:].std()), 1)
    1.0
    """

    noise: float = 0.01
    """Size of the noise (sigma); 0 for none."""
    drift: float = 1.0
    """Weight of Adam's direction beside the gradient (a)."""
    decay: float = 0.0
    """What the weights are pulled to 0 by: the precision of a normal prior, in units of the loss."""
    first_decay: float = 0.9
    """Share of the running mean of gradients that each step keeps."""
    second_decay: float = 0.999
    """The same for their squares. Neither is corrected for its beginning at 0."""

    cites = ("langevin_2024",)

    def __call__(self, rate: float | jax.Array, key: jax.Array) -> optax.GradientTransformationExtraArgs:
        """Make the transformation of one step size, or of one for each weight; `init` alone reads the key."""
        if self.noise < 0:
            raise ValueError(f"noise={self.noise}: give the size of the noise, 0 for none")

        def init(weights: Any) -> LangevinState:
            zeros = jax.tree.map(jnp.zeros_like, weights)
            return LangevinState(key=jax.random.key_data(key), first=zeros, second=zeros)

        def update(gradient: Any, state: LangevinState, weights: Any = None, **_: Any) -> tuple[Any, LangevinState]:
            going_on, drawing = jax.random.split(jax.random.wrap_key_data(state.key))
            if self.decay:
                gradient = jax.tree.map(lambda slope, weight: slope + self.decay * weight, gradient, weights)
            keep, square = self.first_decay, self.second_decay
            first = jax.tree.map(lambda old, new: keep * old + (1.0 - keep) * new, state.first, gradient)
            second = jax.tree.map(lambda old, new: square * old + (1.0 - square) * new**2, state.second, gradient)
            leaves, tree = jax.tree.flatten(gradient)
            pairs = zip(jax.random.split(drawing, len(leaves)), leaves, strict=True)
            noises = jax.tree.unflatten(tree, [jax.random.normal(one, leaf.shape, leaf.dtype) for one, leaf in pairs])

            def step(slope: jax.Array, mean: jax.Array, squared: jax.Array, noise: jax.Array) -> jax.Array:
                pull = slope + self.drift * mean / (jnp.sqrt(squared) + 1e-8)
                return self.noise * jnp.sqrt(2.0 * jnp.asarray(rate)) * noise - rate * pull

            steps = jax.tree.map(step, gradient, first, second, noises)
            return steps, LangevinState(key=jax.random.key_data(going_on), first=first, second=second)

        return transformation(init, update)
