"""An agent is shown crossings of a field on several routes, studies them, and crosses: whether it does, and on how many."""

from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp

from umwelt.claims.arms import Measure
from umwelt.claims.studies.offline import to_come
from umwelt.core import SHOWN, Experience, keys, lived, part, select
from umwelt.core.contracts import Agent
from umwelt.evaluation import diversity
from umwelt.memory.played import Played, acting
from umwelt.networks.inside import with_batch
from umwelt.networks.known_tasks import announcement
from umwelt.worlds import Announced, Crossing, crossing

SUCCESS = Measure(name="success", unit="share", better="up")
"""The share of probes that cross, through the gate that is asked for where one is."""
ENTROPY = Measure(name="mode_entropy", unit="of that of the data", better="up")
"""The entropy of the routes of successful probes over log k, of data with k routes."""
GIVEN = Measure(name="entropy_given_start", unit="of that of the data", better="up")
"""The same, within the probes that begin in the same place."""
CODES = Measure(name="codes_error", unit="units", better="down")
"""How far chunks of actions are from what their codes stand for, in the last lesson; of an agent that reports it."""


@part
class Crossed:
    """An agent that studies shown crossings and is examined in its own; a function of a key."""

    agent: Agent
    modes: int = 6
    """Routes that are shown, evenly."""
    gates: bool = False
    """Show play instead, any route to any gate; and ask for a gate in each probe."""
    announced: bool = False
    """Whether the world shows the place of the gate."""
    rows: int = 30
    """Streams of episodes that are shown."""
    turns: int = 4
    """Episodes of each stream."""
    noise: float = 0.1
    """Deviation of the noise on what is shown."""
    updates: int = 4000
    starts: int = 12
    """Places where probes begin; each has its gate."""
    probes: int = 10
    """Probes from each place."""
    time_limit: int = 80

    def __call__(self, key: jax.Array) -> dict[str, jax.Array]:
        """Show, study and examine: {measure: float32 []}."""
        playing, beginning, studying, probing = keys.split(key, "play", "begin", "study", "probe")
        state = self.agent.init(beginning, with_batch(self.world, self.rows).spec)
        state, info = self.studied(studying, state, self.shown(playing))
        found = self.examined(probing, state)
        return {**found, **({"codes_error": info["codes_error"]} if "codes_error" in info else {})}

    @property
    def world(self) -> Any:
        """The field, with the goal announced or without."""
        return Announced(world=self.field, only=("goal",)) if self.announced else self.field

    @property
    def field(self) -> Crossing:
        """The field itself."""
        return Crossing(time_limit=self.time_limit)

    def shown(self, key: jax.Array) -> Experience:
        """Streams [T, B] of whole episodes, with the rewards to come; what follows the last is blank."""
        tasking, beginning, rolling = keys.split(key, "task", "begin", "roll")
        rows, room = self.rows, with_batch(self.world, self.rows)
        tasks = self._tasks(tasking)
        act = acting(Played(world=self.field, noise=self.noise, episodes=rows, batch=rows), with_batch(self.field, rows))

        def task(turn: jax.Array) -> Any:
            return jax.tree.map(lambda leaf: leaf[jnp.minimum(turn, self.turns - 1), jnp.arange(rows)], tasks)

        def tick(carry: Any, key: jax.Array) -> tuple[Any, Experience]:
            state, step, turn = carry
            acting_key, stepping = keys.split(key, "act", "step")
            action = act(acting_key, self._place(step.observation), task(turn), jnp.arange(rows))
            state, next = room.step(stepping, state, action, task(turn + step.last))
            turn = turn + step.last
            next = select(turn >= self.turns, step, next)
            made = lived(step, action, next, task=task(turn))
            return (state, next, turn), replace(made, origin=jnp.full(rows, SHOWN, jnp.int8))

        begun = (*room.init(beginning, task(jnp.zeros(rows, jnp.int32))), jnp.zeros(rows, jnp.int32))
        _, found = jax.lax.scan(tick, begun, jax.random.split(rolling, self.turns * (self.time_limit + 1)))
        return replace(found, to_come=to_come(found))

    def studied(self, key: jax.Array, state: Any, shown: Experience) -> tuple[Any, Any]:
        """The agent's state after it was shown experience [T, B] and has learned, and the metrics of its last lesson."""
        remembering, learning = keys.split(key, "remember", "learn")

        def take(state: Any, one: Experience) -> tuple[Any, None]:
            return self.agent.remember(remembering, state, one)[0], None

        def learn(state: Any, key: jax.Array) -> tuple[Any, None]:
            return self.agent.learn(key, state)[0], None

        state, _ = jax.lax.scan(take, state, shown)
        split = jax.random.split(learning, self.updates)
        state, _ = jax.lax.scan(learn, state, split[:-1])
        return self.agent.learn(split[-1], state)

    def examined(self, key: jax.Array, state: Any) -> dict[str, jax.Array]:
        """Success and entropies of one probe in each row."""
        beginning, embodying, rolling = keys.split(key, "begin", "embody", "roll")
        number = self.starts * self.probes
        room, place = with_batch(self.world, number), jnp.arange(number) // self.probes
        named = [self.field.tasks()[name] for name in (crossing.GATES if self.gates else ("any",))]
        tasks = jax.tree.map(lambda *leaves: jnp.stack(leaves)[place % len(named)], *named)
        # all probes of a place begin in that of the first of them
        begun = jax.tree.map(lambda leaf: leaf[place * self.probes], room.init(beginning, tasks))
        body = self.agent.embody(embodying, state, room.spec)

        def tick(carry: Any, key: jax.Array) -> tuple[Any, jax.Array]:
            body, state, step, going, total, at = carry
            seeing, choosing, stepping = keys.split(key, "see", "act", "step")
            body, _ = self.agent.see(seeing, body, step)
            body, action = self.agent.act(choosing, body, "exploit")
            state, next = room.step(stepping, state, action, tasks)
            total = total + jnp.where(going, next.reward, 0.0)
            at = jnp.where(going[:, None], self._place(next.observation), at)
            return (body, state, next, going & ~next.last, total, at), at

        carry = (body, *begun, jnp.ones(number, bool), jnp.zeros(number), self._place(begun[1].observation))
        (_, _, _, _, total, _), path = jax.lax.scan(tick, carry, jax.random.split(rolling, self.time_limit))
        routes, succeeded = jax.vmap(crossing.route, 1)(path), total > 0.5
        ways = crossing.ROUTES if self.gates else self.modes
        return {
            "success": jnp.mean(succeeded.astype(jnp.float32)),
            "mode_entropy": diversity.entropy(routes, succeeded, ways, crossing.ROUTES),
            "entropy_given_start": diversity.conditional(routes, succeeded, place, self.starts, ways, crossing.ROUTES),
        }

    def _tasks(self, key: jax.Array) -> Any:
        """What is shown, leaves [turns, rows, ...]."""
        shape, named = (self.turns, self.rows), self.field.tasks()
        if not self.gates:
            every = [named[name] for name in crossing.modes(self.modes)]
            number = jnp.arange(self.turns * self.rows).reshape(shape) % self.modes
            return jax.tree.map(lambda *leaves: jnp.stack(leaves)[number], *every)
        for_route, for_gate = keys.split(key, "route", "gate")
        gate = jax.random.randint(for_gate, shape, 0, len(crossing.GATES))
        asked = jax.tree.map(lambda *leaves: jnp.stack(leaves)[gate], *(named[name] for name in crossing.GATES))
        return replace(asked, route=jax.random.randint(for_route, shape, 0, crossing.ROUTES).astype(jnp.float32))

    def _place(self, observation: Any) -> jax.Array:
        """Where points are, without the announced goal: float32 [N, 2]."""
        return announcement(self.world.spec.observation).without(observation)
