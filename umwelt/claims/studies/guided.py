"""Pages that pay only when all is right: how many episodes until a policy fills what it was never shown."""

from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp

from umwelt.behaviours import Cloning
from umwelt.behaviours.batch import Batch
from umwelt.behaviours.workflows import Workflows
from umwelt.claims.arms import Measure
from umwelt.core import keys, part
from umwelt.networks.form import form
from umwelt.worlds import Page

EPISODES = Measure(name="episodes", unit="episodes", better="down")
"""Episodes until the policy fulfils nine of ten new instructions; all of them where it never does."""


@part
class Guided:
    """Explore, clone what succeeded, and be examined after every round; a function of a key."""

    how: str = "workflows"
    """Which policy explores: "workflows"; "clone", the policy itself after it cloned the demonstrations; or "scratch"."""
    world: Page = Page(fields=4, values=6)
    learner: Cloning = Cloning(units=128)
    workflows: Workflows = Workflows()
    demonstrations: int = 10
    rounds: int = 600
    rows: int = 16
    """Episodes of a round."""
    updates: int = 20
    """Updates after a round."""
    batch: int = 128
    room: int = 20_000
    """Moments of successes that are kept."""
    probes: int = 100

    def __call__(self, key: jax.Array) -> dict[str, jax.Array]:
        """Explore and learn: {measure: float32 []}."""
        showing, beginning, living = keys.split(key, "show", "begin", "live")
        length, space = self.world.fields + 1, self.world.spec
        learner = self.learner.init(beginning, form(space.observation).width, space.action)
        flow = self.workflows.init(
            self.ordered(jnp.zeros((1, self.world.fields), jnp.int32))[0], self.world.fields, self.world.values
        )
        seen = jnp.zeros((self.room, form(space.observation).width))
        memory: Any = (seen, jnp.zeros(self.room, jnp.int32), jnp.int32(0))
        if self.how != "scratch":
            wanted = jax.random.randint(showing, (self.demonstrations, self.world.fields), 0, self.world.values)
            memory = self.kept(memory, *self.played(self.ordered(wanted), wanted)[:2], jnp.ones(self.demonstrations, bool))

        def round(carry: Any, key: jax.Array) -> tuple[Any, jax.Array]:
            learner, flow, memory = carry
            posing, acting, learning, probing = keys.split(key, "pose", "act", "learn", "probe")
            wanted = jax.random.randint(posing, (self.rows, self.world.fields), 0, self.world.values)
            if self.how == "workflows":
                ticks = jax.random.split(acting, length)
                chosen, actions = jax.vmap(lambda key, step: self.workflows.act(key, flow, step, wanted))(
                    ticks, jnp.arange(length)
                )
                chosen, actions = chosen.T, actions.T
                flow = self.workflows.learn(flow, chosen, self.played(actions, wanted)[2])
            else:
                actions, _ = self.drawn(acting, learner, wanted, "explore")
            memory = self.kept(memory, *self.played(actions, wanted))
            learner = self.learned(learning, learner, memory)
            fresh = jax.random.randint(keys.fold(probing, "pose"), (self.probes, self.world.fields), 0, self.world.values)
            _, done = self.drawn(probing, learner, fresh, "exploit")
            return (learner, flow, memory), jnp.mean(done.astype(jnp.float32))

        _, success = jax.lax.scan(round, (learner, flow, memory), jax.random.split(living, self.rounds))
        enough = success >= 0.9
        first = jnp.where(jnp.any(enough), jnp.argmax(enough) + 1, self.rounds)
        return {"episodes": (self.rows * first).astype(jnp.float32)}

    def ordered(self, wanted: jax.Array) -> jax.Array:
        """The demonstration of instructions [B, fields], field by field: choices int32 [B, fields + 1]."""
        fields, values = self.world.fields, self.world.values
        writes = jnp.arange(fields) * values + wanted
        return jnp.concatenate([writes, jnp.full((wanted.shape[0], 1), fields * values)], axis=1).astype(jnp.int32)

    def played(self, actions: jax.Array, wanted: jax.Array) -> tuple[jax.Array, jax.Array, jax.Array]:
        """What choices [B, T] see and do, [B, T, F] and [B, T], and whether they end in a right page that was submitted."""
        fields, values = self.world.fields, self.world.values

        def write(held: Any, action: jax.Array) -> tuple[Any, jax.Array]:
            page, over, right = held
            submits = action == fields * values
            right = jnp.where(submits & ~over, jnp.all(page == wanted, axis=1), right)
            place = jnp.where(submits | over, fields, action // values)
            after = page.at[jnp.arange(page.shape[0]), place].set(action % values, mode="drop")
            return (after, over | submits, right), page

        nothing = jnp.zeros(wanted.shape[0], bool)
        (_, _, right), pages = jax.lax.scan(write, (jnp.full_like(wanted, -1), nothing, nothing), actions.T)
        return self.flat(jnp.broadcast_to(wanted, pages.shape), pages).swapaxes(0, 1), actions, right

    def drawn(self, key: jax.Array, learner: Any, wanted: jax.Array, mode: Any) -> tuple[jax.Array, jax.Array]:
        """Choices [B, T] of the policy, and whether they succeed."""
        fields, values = self.world.fields, self.world.values

        def tick(page: jax.Array, key: jax.Array) -> tuple[jax.Array, jax.Array]:
            action = self.learner.act(key, learner, self.flat(wanted, page), mode)
            place = jnp.where(action == fields * values, fields, action // values)
            return page.at[jnp.arange(page.shape[0]), place].set(action % values, mode="drop"), action

        _, actions = jax.lax.scan(tick, jnp.full_like(wanted, -1), jax.random.split(key, fields + 1))
        return actions.T, self.played(actions.T, wanted)[2]

    def flat(self, wanted: jax.Array, page: jax.Array) -> jax.Array:
        """The features [..., F] of instructions and pages [..., fields]."""
        bits = [jax.nn.one_hot(each, self.world.values).reshape(*each.shape[:-1], -1) for each in (wanted, page)]
        return jnp.concatenate(bits, axis=-1)

    def kept(self, memory: Any, seen: jax.Array, actions: jax.Array, success: jax.Array) -> Any:
        """The memory with the moments of all episodes that succeeded."""
        held, done, count = memory
        takes = jnp.repeat(success, actions.shape[1])
        place = jnp.where(takes, (count + jnp.cumsum(takes) - 1) % self.room, self.room)
        held = held.at[place].set(seen.reshape(-1, seen.shape[-1]), mode="drop")
        return held, done.at[place].set(actions.reshape(-1), mode="drop"), count + jnp.sum(takes, dtype=jnp.int32)

    def learned(self, key: jax.Array, learner: Any, memory: Any) -> Any:
        """The policy after some updates from the memory."""
        held, done, count = memory

        def update(learner: Any, key: jax.Array) -> tuple[Any, None]:
            rows = jax.random.randint(key, (self.batch,), 0, jnp.clip(count, 1, self.room))
            ones = jnp.ones(self.batch)
            batch = Batch(now=held[rows], action=done[rows], reward=ones, continues=ones, after=held[rows], weight=ones)
            return self.learner.learn(key, learner, replace(batch, weight=ones * (count > 0)))[0], None

        return jax.lax.scan(update, learner, jax.random.split(key, self.updates))[0]
