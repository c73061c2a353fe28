"""The least agent that acts: a base for stubs in tests of a life."""

from typing import Any

import jax.numpy as jnp

from umwelt.core import part, spaces


@part
class Drawing:
    """Draws actions at random. Its subclass's states have `rows` int8 [B] and `action_space`."""

    metrics: tuple[Any, ...] = ()

    def see(self, key: Any, state: Any, step: Any) -> tuple[Any, Any]:
        nothing = jnp.full(step.kind.shape, jnp.nan, jnp.float32)
        return state, {"surprise": nothing, "doubt": nothing}

    def act(self, key: Any, state: Any, mode: Any = "explore") -> tuple[Any, Any]:
        return state, spaces.sample(key, state.action_space, state.rows.shape[0])

    def remember(self, key: Any, state: Any, experience: Any) -> tuple[Any, Any]:
        return state, {}

    def learn(self, key: Any, state: Any) -> tuple[Any, Any]:
        return state, {}

    def embody(self, key: Any, state: Any, spec: Any) -> Any:
        return self.init(key, spec)  # type: ignore[attr-defined]

    def imagine(self, key: Any, state: Any, actions: Any) -> None:
        return None
