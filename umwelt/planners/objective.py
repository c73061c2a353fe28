"""What a planner maximises: reward, and a price or a prize for doubt."""

import jax
import jax.numpy as jnp

from umwelt.core import Prediction, part


@part
class Objective:
    """Reward plus weighted doubt, at each imagined step."""

    doubt: float = 0.0
    """weight of doubt: below 0 is cautious, above 0 is curious"""

    def __call__(self, prediction: Prediction) -> jax.Array:
        """Prediction [N] -> float32 [N]."""
        if self.doubt == 0.0:
            # a model without doubt may report NaN, which a product with zero would keep
            return jnp.asarray(prediction.reward, jnp.float32)
        return jnp.asarray(prediction.reward + self.doubt * prediction.doubt, jnp.float32)
