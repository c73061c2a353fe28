"""How far answers have moved from remembered ones: what a pupil pays for beside its errors.

A divergence takes logits said [N, C] and remembered [N, C] and returns float32 [N]. Both belong to one family (of Bregman),
so replay of outputs and distillation are two settings of one term.
"""

import jax
import jax.numpy as jnp

from umwelt.core import part


@part
class Square:
    """Half the squared distance of the logits, as in "Dark experience for general continual learning" (2020).

    >>> float(Square()(jnp.array([[1.0, 0.0]]), jnp.array([[0.0, 0.0]]))[0])
    0.25
    """

    cites = ("dark_experience_2020",)

    def __call__(self, said: jax.Array, remembered: jax.Array) -> jax.Array:
        """Compare logits [N, C]: float32 [N]."""
        return 0.5 * jnp.mean((said - remembered) ** 2, axis=-1)


@part
class Entropy:
    """The relative entropy of the answers' probabilities, as in "Learning without forgetting" (2016).

    >>> now, before = jnp.log(jnp.array([[0.75, 0.25]])), jnp.zeros((1, 2))
    >>> round(float(Entropy(temperature=1.0)(now, before)[0]), 3)  # half the logarithm of 4/3
    0.144
    """

    temperature: float = 2.0
    """What logits are divided by; above 1, rare answers count for more."""

    cites = ("lwf_2016",)

    def __call__(self, said: jax.Array, remembered: jax.Array) -> jax.Array:
        """Compare logits [N, C]: float32 [N], in nats times the square of the temperature."""
        now, then = (jax.nn.log_softmax(logits / self.temperature, axis=-1) for logits in (said, remembered))
        return self.temperature**2 * jnp.sum(jnp.exp(then) * (then - now), axis=-1)
