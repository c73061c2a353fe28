"""Put a layer around a world: what it does to actions on their way in, and to steps on their way out."""

from dataclasses import replace
from typing import Any, Protocol

import jax
import numpy as np

from umwelt.core import MID, TimeStep, WorldSpec, capability, layers, part, struct
from umwelt.worlds.observed import names_of

SAVED = "wrapped_layer"
"""The beginning of the names under which `save` keeps what a layer remembers."""
NEEDS = {
    "position": {"observation"},
    "achieved": {"observation"},
    "task_of": {"observation"},
    "body": {"observation"},
    "observe": {"observation"},
    "guard": {"observation", "action"},
    "continues": {"observation", "action"},
    "advance": {"action", "reward"},
    "expert": {"observation", "reward"},
    "reward": {"observation", "action", "reward"},
}
"""What a layer must keep for a capability of the world inside to hold outside."""


class Layer(Protocol):
    """What lies between an agent and a world. Its state is a pytree of arrays [B, ...].

    keeps: what it leaves as it is, of "observation", "action" and "reward". Capabilities of the world inside that depend
    on nothing else hold outside. Capability: renamed(names) -> the names of the numbers that it shows, from those of the
    world inside.
    """

    @property
    def keeps(self) -> tuple[str, ...]: ...

    def spec(self, inner: WorldSpec) -> WorldSpec:
        """The spec as the agent sees it."""
        ...

    def begin(self, inner: WorldSpec, step: TimeStep) -> Any:
        """Its state before a first step [B] of the world is shown."""
        ...

    def on_action(self, key: jax.Array, state: Any, action: Any) -> tuple[Any, Any]:
        """An action on its way in."""
        ...

    def on_step(self, state: Any, step: TimeStep) -> tuple[Any, TimeStep]:
        """A step on its way out; rows that are FIRST begin again."""
        ...


@struct
class WrappedState:
    """inner: the world's state, or its ticket. layer: the layer's. shown: the last step, as the agent saw it."""

    inner: Any
    layer: Any
    shown: TimeStep


@part
class Wrapped:
    """A world behind a layer, pure or hosted."""

    world: Any
    """The world inside."""
    layer: Any
    """What lies between."""

    @property
    def inner(self) -> Any:
        """The world inside."""
        return self.world

    @property
    def passes(self) -> tuple[str, ...]:
        """Capabilities of the world inside that hold here too."""
        return tuple(name for name, needed in NEEDS.items() if needed <= set(self.layer.keeps))

    @property
    def spec(self) -> WorldSpec:
        """As the layer lets it be seen."""
        return self.layer.spec(self.world.spec)

    def observation_names(self) -> tuple[str, ...]:
        """What each number is called, where the layer keeps it or says what becomes of it; empty where it does not."""
        inner = names_of(self.world)
        if "observation" in self.layer.keeps:
            return inner
        renamed = capability(self.layer, "renamed")
        return renamed(inner) if inner and renamed is not None else ()

    def tasks(self) -> dict[str, Any]:
        """The inner world's."""
        return self.world.tasks()

    def init(self, key: jax.Array, task: Any) -> tuple[WrappedState, TimeStep]:
        """Begin an episode in every row."""
        inner, step = self.world.init(key, task)
        return self._show(inner, self.layer.begin(self.world.spec, step), step)

    def step(self, key: jax.Array, state: WrappedState, action: Any, next_task: Any) -> tuple[WrappedState, TimeStep]:
        """Take one decision in every row."""
        layer, action = self.layer.on_action(jax.random.fold_in(key, 1), state.layer, action)
        if self.world.spec.hosted:
            action = jax.tree.map(np.asarray, action)
        inner, step = self.world.step(key, state.inner, action, next_task)
        return self._show(inner, layer, step)

    def save(self, ticket: WrappedState) -> dict[str, np.ndarray]:
        """What a hosted world needs to be resumed, what the layer remembers, and what it last showed."""
        leaves = jax.tree.leaves((ticket.layer, ticket.shown))
        return {
            **self.world.save(ticket.inner),
            **{f"{self._prefix}{index}": np.asarray(leaf) for index, leaf in enumerate(leaves)},
        }

    def restore(self, saved: dict[str, np.ndarray]) -> tuple[WrappedState, TimeStep]:
        """The hosted world as it was saved."""
        inner, step = self.world.restore({name: value for name, value in saved.items() if not name.startswith(self._prefix)})
        layer = self.layer.begin(self.world.spec, step)
        shape = jax.tree.structure((layer, self.layer.on_step(layer, step)[1]))
        layer, shown = jax.tree.unflatten(shape, [saved[f"{self._prefix}{index}"] for index in range(shape.num_leaves)])
        # a row that could not be replayed is cut off where it was saved, and no layer may hide that
        shown = replace(shown, kind=np.where(step.last & (shown.kind == MID), step.kind, shown.kind))
        return WrappedState(inner=inner, layer=layer, shown=shown), shown

    def drain(self, ticket: WrappedState) -> list[Any]:
        """The hosted world's events since the last call."""
        return self.world.drain(ticket.inner)

    def render(self, ticket: WrappedState) -> np.ndarray | None:
        """Row 0 of the hosted world as uint8 [H, W, 3], or None where it shows nothing."""
        return self.world.render(ticket.inner)

    def close(self, ticket: WrappedState) -> None:
        """End the hosted world's simulators."""
        self.world.close(ticket.inner)

    @property
    def _prefix(self) -> str:
        """One for each layer, however many lie around a world."""
        return f"{SAVED}{len(list(layers(self.world))) - 1}_"

    def _show(self, inner: Any, layer: Any, step: TimeStep) -> tuple[WrappedState, TimeStep]:
        layer, shown = self.layer.on_step(layer, step)
        if self.world.spec.hosted:
            layer, shown = jax.tree.map(np.asarray, (layer, shown))
        return WrappedState(inner=inner, layer=layer, shown=shown), shown
