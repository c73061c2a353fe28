"""A new world in one file: a thermostat.

A room loses heat to the cold outside. Each decision, the agent heats with a power from 0 to 1. It is
paid for keeping the room near the temperature that the task asks for, and charged for heat. If the
pipes freeze, the episode terminates; otherwise it is truncated after 100 decisions.

Run it, and the checker says whether the world keeps its contract:

    python examples/my_world.py

To write your own world, copy this file and change four things:

1. the *task*: what may differ from one episode to the next;
2. the *body*: what the world remembers between decisions;
3. `begin`, `advance` and `observe`: how an episode begins, what a decision does, what is seen.
   They are written for one room. `umwelt.worlds.stream` makes `batch` rooms of it, ends episodes at
   `time_limit`, and begins the next ones on the tasks that the teacher chose;
4. `spec` and `tasks`: between which bounds all these numbers lie, and tasks worth a name.
"""

from typing import Any

import jax
import jax.numpy as jnp

from umwelt import check
from umwelt.core import Box, TimeStep, WorldSpec, part, struct
from umwelt.worlds import stream


@struct
class ThermostatTask:
    """outside: degrees. leak: the share of the difference that is lost per decision. goal: degrees. float32 []."""

    outside: Any
    leak: Any
    goal: Any


@struct
class ThermostatBody:
    """room: the temperature in degrees. float32 []."""

    room: jax.Array


@part
class Thermostat:
    """Heat a room to the temperature that the task asks for, and waste nothing."""

    batch: int = 1
    """Rooms heated in parallel."""
    time_limit: int = 100
    """Decisions after which an episode is truncated."""
    heater: float = 3.0
    """Degrees that full power adds in one decision."""
    gust: float = 0.2
    """The spread, in degrees, of the chance that the wind adds."""

    @property
    def spec(self) -> WorldSpec:
        """What can be seen and done here, and which tasks there are."""
        return WorldSpec(
            name="thermostat",
            observation=Box(shape=(1,), low=-60.0, high=120.0),
            action=Box(shape=(1,), low=0.0, high=1.0),
            task=ThermostatTask(outside=Box(low=-20.0, high=15.0), leak=Box(low=0.02, high=0.1), goal=Box(low=10.0, high=25.0)),
            batch=self.batch,
        )

    def tasks(self) -> dict[str, ThermostatTask]:
        """Named tasks, the default first."""
        made = {
            "autumn": ThermostatTask(outside=8.0, leak=0.05, goal=20.0),
            "winter": ThermostatTask(outside=-10.0, leak=0.05, goal=20.0),
            "cellar": ThermostatTask(outside=8.0, leak=0.05, goal=12.0),
            "window left open": ThermostatTask(outside=8.0, leak=0.1, goal=20.0),
        }
        return {name: stream.numbers(task) for name, task in made.items()}

    def begin(self, key: jax.Array, task: ThermostatTask) -> ThermostatBody:
        """A room between 5 and 25 degrees."""
        return ThermostatBody(room=jax.random.uniform(key, minval=5.0, maxval=25.0))

    def advance(
        self, key: jax.Array, body: ThermostatBody, action: jax.Array, task: ThermostatTask
    ) -> tuple[ThermostatBody, jax.Array, jax.Array]:
        """One decision: the room after it, the reward, and whether the pipes froze."""
        power = jnp.clip(action[0], 0.0, 1.0)
        lost = task.leak * (body.room - task.outside)
        room = body.room + self.heater * power - lost + self.gust * jax.random.normal(key)
        reward = jnp.exp(-(((room - task.goal) / 2.0) ** 2)) - 0.1 * power
        return ThermostatBody(room=room), reward, room < 0.0

    def observe(self, body: ThermostatBody, task: ThermostatTask) -> jax.Array:
        """float32 [1]: the temperature. The goal is not shown; `umwelt.worlds.Announced` would show it."""
        return body.room[None]

    # The contract of a world is these two methods, for all rows at once. The stream writes them.

    def init(self, key: jax.Array, task: ThermostatTask) -> tuple[stream.StreamState, TimeStep]:
        """Begin an episode in every row."""
        return stream.init(self, key, task)

    def step(
        self, key: jax.Array, state: stream.StreamState, action: jax.Array, next_task: ThermostatTask
    ) -> tuple[stream.StreamState, TimeStep]:
        """One decision in every row; rows that had ended begin again on their `next_task`."""
        return stream.step(self, key, state, action, next_task)


if __name__ == "__main__":
    report = check.world(Thermostat(batch=4))
    print(report)
    raise SystemExit(0 if report else 1)
