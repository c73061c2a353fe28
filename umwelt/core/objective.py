"""What imagination is scored by: reward, and prices or prizes for doubt and for novelty."""

import jax
import jax.numpy as jnp

from umwelt.core.step import Prediction
from umwelt.core.struct import part


@part
class Objective:
    """A weighted sum of what a model predicts at each imagined step. Planners, dreamers and Dyna share it."""

    reward: float = 1.0
    """Weight of the predicted reward."""
    doubt: float = 0.0
    """Weight of the model's doubt: below 0 is cautious, above 0 is curious."""
    bonus: float = 0.0
    """Weight of the bonus that a curiosity inside the model pays."""

    def __call__(self, prediction: Prediction) -> jax.Array:
        """Score Prediction [N]: float32 [N]."""
        if self.bonus and prediction.bonus is None:
            raise ValueError(f"objective: bonus={self.bonus} needs a model that pays one; wrap it in umwelt.models.Wondering")
        terms = ((self.reward, prediction.reward), (self.doubt, prediction.doubt), (self.bonus, prediction.bonus))
        total = jnp.zeros(jnp.shape(prediction.reward), jnp.float32)
        for weight, value in terms:
            # a model without doubt may report NaN, which a product with zero would keep
            if weight:
                total = total + weight * jnp.asarray(value, jnp.float32)
        return total
