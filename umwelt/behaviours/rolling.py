"""Imagining along given actions: the picture that every agent with a world model can draw of what it expects."""

from typing import Any

import jax

from umwelt.core import Prediction
from umwelt.core.contracts import Model


def rolled(key: jax.Array, model: Model, state: Any, belief: Any, actions: Any) -> Prediction:
    """What a model expects of actions [H, B, ...] from beliefs [B]: Prediction [H, B]."""

    def onward(belief: Any, item: tuple[jax.Array, Any]) -> tuple[Any, Prediction]:
        return model.imagine(item[0], state, belief, item[1])

    horizon = jax.tree.leaves(actions)[0].shape[0]
    return jax.lax.scan(onward, belief, (jax.random.split(key, horizon), actions))[1]
