"""What pulling levers costs until the best is known: of something that learned to learn, and of rules that are known."""

from typing import Any

import jax
import jax.numpy as jnp

from umwelt.behaviours.in_context import InContext, logits, query
from umwelt.claims.arms import Measure
from umwelt.core import keys, part
from umwelt.networks.inside import with_batch
from umwelt.worlds.levers import Arms

REGRET = Measure(name="regret", unit="reward", better="down")
"""What the pulls of an episode paid less than the best lever would have, on average."""
GAP = Measure(name="gap", unit="reward", better="down")
"""What the lever that is named after pulls by chance pays less than the best one."""


@part
class Learned:
    """Practises, and then pulls the levers of new tasks; a function of a key."""

    agent: InContext
    lessons: int = 2000
    tasks: int = 500

    def __call__(self, key: jax.Array) -> dict[str, jax.Array]:
        """Practise and be examined: {measure: float32 []}."""
        beginning, learning, probing = keys.split(key, "begin", "learn", "probe")
        world, agent = with_batch(self.agent.world, self.tasks), self.agent
        state = agent.init(beginning, agent.world.spec)

        def update(state: Any, key: jax.Array) -> tuple[Any, None]:
            return agent.learn(key, state)[0], None

        state, _ = jax.lax.scan(update, state, jax.random.split(learning, self.lessons))

        def act(key: jax.Array, held: Any, step: Any) -> tuple[Any, jax.Array]:
            seen, _ = agent.see(key, held, step)
            return agent.act(key, seen, "explore")

        def name(rows: jax.Array) -> jax.Array:
            asked = query(jnp.zeros((self.tasks, 1)), rows.shape[-1])
            return jnp.argmax(logits(state.policy, asked, rows)[:, -1], axis=-1)

        return examined(world, probing, act, agent.embody(beginning, state, world.spec), name)


@part
class Ruled:
    """Pulls levers by a rule: "thompson" draws from the exact posterior of even means, "ucb" takes the mean and the
    square root of one over the pulls; both then name the lever that paid best. A function of a key."""

    world: Arms
    rule: str = "thompson"
    tasks: int = 500

    def __call__(self, key: jax.Array) -> dict[str, jax.Array]:
        """Be examined: {measure: float32 []}."""
        world = with_batch(self.world, self.tasks)
        zeros = jnp.zeros((self.tasks, self.world.arms))

        def act(key: jax.Array, held: Any, step: Any) -> tuple[Any, jax.Array]:
            counts, sums, last = held
            counts, sums = counts + last, sums + last * step.reward[:, None]
            mean, spread = sums / jnp.maximum(counts, 1), self.world.noise / jnp.sqrt(jnp.maximum(counts, 1))
            if self.rule == "thompson":
                low, high = (0.0 - mean) / spread, (1.0 - mean) / spread
                even, cut = jax.random.uniform(key, mean.shape), jax.random.truncated_normal(key, low, high)
                wish = jnp.where(counts > 0, mean + spread * cut, even)
            else:
                wish = jnp.where(counts > 0, mean + 1.0 / jnp.sqrt(jnp.maximum(counts, 1)), jnp.inf)
            action = jnp.argmax(wish, axis=-1)
            return (counts, sums, jax.nn.one_hot(action, self.world.arms)), action

        def name(rows: jax.Array) -> jax.Array:
            done, paid = rows[..., 2:-2], rows[..., -1:]
            mean = jnp.sum(done * paid, axis=1) / jnp.maximum(jnp.sum(done, axis=1), 1)
            return jnp.argmax(jnp.where(jnp.sum(done, axis=1) > 0, mean, -jnp.inf), axis=-1)

        return examined(world, keys.fold(key, "probe"), act, (zeros, zeros, zeros), name)


def examined(world: Any, key: jax.Array, act: Any, held: Any, name: Any) -> dict[str, jax.Array]:
    """What the pulls of one episode cost, and what the lever costs that is named after pulls by chance.

    act: (key, held, step) -> (held, actions [N]). name: moments [N, H, W] -> levers [N].
    """
    tasking, beginning, rolling, pulling, paying = keys.split(key, "task", "begin", "roll", "pull", "pay")
    number = world.spec.batch
    task = jax.vmap(world.drawn)(jax.random.split(tasking, number))
    best = jnp.max(task.means, axis=-1)

    def cost(action: jax.Array) -> jax.Array:
        return jnp.mean(best - jnp.take_along_axis(task.means, action[:, None], axis=-1)[:, 0])

    def tick(carry: Any, key: jax.Array) -> tuple[Any, jax.Array]:
        state, step, held = carry
        acting, stepping = keys.split(key, "act", "step")
        held, action = act(acting, held, step)
        state, next = world.step(stepping, state, action, task)
        return (state, next, held), cost(action)

    begun = (*world.init(beginning, task), held)
    _, costs = jax.lax.scan(tick, begun, jax.random.split(rolling, world.time_limit))
    chances = jax.random.dirichlet(pulling, jnp.ones(world.arms), (number, 1))
    done = jax.random.categorical(keys.fold(pulling, "draw"), jnp.log(chances), shape=(number, world.time_limit))
    paid = jnp.take_along_axis(task.means, done, axis=-1) + world.noise * jax.random.normal(paying, done.shape)
    # as numbers of moments: no question, what was seen (always 0), what was done, what followed, and what was paid
    nothing = jnp.zeros((*done.shape, 1))
    rows = jnp.concatenate([nothing, nothing, jax.nn.one_hot(done, world.arms), nothing, paid[..., None]], axis=-1)
    return {"regret": jnp.sum(costs), "gap": cost(name(rows))}
