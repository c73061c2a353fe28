"""Imagining along given actions, as every agent with a world model can."""

from typing import Any

import jax

from umwelt.core import Prediction, host_scan, is_hosted
from umwelt.core.contracts import Model


def rolled(key: jax.Array, model: Model, state: Any, belief: Any, actions: Any) -> Prediction:
    """Predict the results of actions [H, B, ...] from beliefs [B]: Prediction [H, B]."""

    def onward(belief: Any, item: tuple[jax.Array, Any]) -> tuple[Any, Prediction]:
        return model.imagine(item[0], state, belief, item[1])

    horizon = jax.tree.leaves(actions)[0].shape[0]
    drive = host_scan if is_hosted(model) else jax.lax.scan
    return drive(onward, belief, (jax.random.split(key, horizon), actions))[1]
