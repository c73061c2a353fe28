"""An agent that crosses a field as the data do and learns nothing: the data set itself, in the exam of its clones."""

from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp

from umwelt.core import Experience, Info, Metric, Prediction, TimeStep, WorldSpec, part, struct
from umwelt.core.contracts import Mode
from umwelt.memory.played import Played, acting
from umwelt.networks.inside import with_batch
from umwelt.worlds import Crossing, crossing


@struct
class Demonstration:
    """place: float32 [B, 2], where points are. route: int32 [B], the way of each row, which lasts."""

    place: jax.Array
    route: jax.Array


@part
class Demonstrator:
    """The world's expert with the noise of the data, on a way for each row that is drawn from those that are shown.

    The exam has few episodes, which shows less than all of the entropy of the data; it shows this agent as little as a clone.
    """

    modes: int = 24
    """Ways that are shown, evenly."""
    noise: float = 0.1
    """Deviation of the noise on what is shown."""
    metrics: tuple[Metric, ...] = ()
    """None: it has nothing to report."""

    def init(self, key: jax.Array, spec: WorldSpec) -> Demonstration:
        """Draw a way for each row."""
        route = jax.random.randint(key, (spec.batch,), 0, self.modes) * (crossing.ROUTES // self.modes)
        return Demonstration(place=jnp.zeros((spec.batch, 2)), route=route)

    def see(self, key: jax.Array, state: Demonstration, step: TimeStep) -> tuple[Demonstration, Info]:
        """Keep where the points are; surprise and doubt are NaN, for there is no model."""
        nothing = jnp.full(step.kind.shape, jnp.nan, jnp.float32)
        return replace(state, place=step.observation), {"surprise": nothing, "doubt": nothing}

    def act(self, key: jax.Array, state: Demonstration, mode: Mode = "explore") -> tuple[Demonstration, Any]:
        """Do what the data show on this way, whatever the mode."""
        rows, world = state.route.shape[0], Crossing()
        every = [world.tasks()[name] for name in crossing.modes(crossing.ROUTES)]
        task = jax.tree.map(lambda *leaves: jnp.stack(leaves)[state.route], *every)
        act = acting(Played(world=world, noise=self.noise, episodes=rows, batch=rows), with_batch(world, rows))
        return state, act(key, state.place, task, jnp.arange(rows))

    def remember(self, key: jax.Array, state: Demonstration, experience: Experience) -> tuple[Demonstration, Info]:
        """Keep nothing."""
        return state, {}

    def learn(self, key: jax.Array, state: Demonstration) -> tuple[Demonstration, Info]:
        """Learn nothing."""
        return state, {}

    def embody(self, key: jax.Array, state: Demonstration, spec: WorldSpec) -> Demonstration:
        """Draw ways for spec.batch rows."""
        return self.init(key, spec)

    def imagine(self, key: jax.Array, state: Demonstration, actions: Any) -> Prediction | None:
        """Return None: it has no model."""
        return None
