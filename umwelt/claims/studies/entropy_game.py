"""How soon the visits of an unknown finite world are spread as evenly as they can be, by two ways to learn it."""

from typing import Any, Literal

import jax
import jax.numpy as jnp

from umwelt.claims.arms import Measure
from umwelt.core import keys, part, struct

EPISODES = Measure(name="episodes", unit="episodes", better="down")
"""Episodes until the entropy of all visits is within the margin of the best, for good; those of a life where it never is."""
GAP = Measure(name="gap", unit="nats", better="down")
"""What is missing to the best entropy in the end, mean of the steps of an episode."""


@struct
class Learned:
    """visits: [H, S], density player's counts. moves: [S, A, S], counts of the model. spread: [H, S], true mean visits of the
    policies so far. wanted: [H, S, A], the policy in force."""

    visits: jax.Array
    moves: jax.Array
    spread: jax.Array
    wanted: jax.Array


@part
class Spread:
    """One life in a world that is drawn at random; a function of a key.

    `game`: after each episode, the density player predicts the next visit by its counts, and the policy player plans for
    the surprise of that prediction. `frank_wolfe`: each `block` of episodes follows the mixture of all policies, and its visits
    alone are the density. Then a policy that is best for its surprise joins the mixture, with the usual weights.
    """

    way: Literal["game", "frank_wolfe"] = "game"
    """How visits become policies."""
    states: int = 20
    """States; each action leads to a few of them."""
    actions: int = 3
    """Actions in each state."""
    length: int = 10
    """Decisions of an episode."""
    episodes: int = 3000
    """Episodes of a life."""
    block: int = 50
    """Episodes that Frank-Wolfe estimates one density from."""
    margin: float = 0.05
    """Nats from the best mean entropy that count as reached."""
    optimism: float = 1.0
    """Weight of one over the root of the count of a state and action, in nats."""

    def __call__(self, key: jax.Array) -> dict[str, jax.Array]:
        """Live: {measure: float32 []}."""
        drawing, living = keys.split(key, "world", "live")
        world = jax.random.dirichlet(drawing, jnp.full(self.states, 0.1), (self.states, self.actions))
        shape = (self.length, self.states)
        even = jnp.full((*shape, self.actions), 1.0 / self.actions)
        learned = Learned(
            visits=jnp.zeros(shape),
            moves=jnp.zeros((self.states, self.actions, self.states)),
            spread=self.visited(world, even),
            wanted=even,
        )
        turn = self.played if self.way == "game" else self.mixed

        def episode(learned: Learned, given: Any) -> tuple[Learned, jax.Array]:
            learned = turn(given[0], world, learned, given[1])
            return learned, entropy(learned.spread)

        order = (jax.random.split(living, self.episodes), jnp.arange(self.episodes))
        _, reached = jax.lax.scan(episode, learned, order)
        gap = self.best(world) - reached
        late = gap > self.margin
        # one after the last that is too far away
        last = jnp.where(jnp.any(late), self.episodes - jnp.argmax(late[::-1]), 0)
        return {"episodes": jnp.maximum(last, 1).astype(jnp.float32), "gap": gap[-1]}

    def played(self, key: jax.Array, world: jax.Array, learned: Learned, count: jax.Array) -> Learned:
        """One episode of the game, and the next move of both players."""
        states, choices = self.walked(key, world, learned.wanted)
        visits = learned.visits + jax.nn.one_hot(states[:-1], self.states)
        moves = learned.moves.at[states[:-1], choices, states[1:]].add(1.0)
        density = (visits + 1.0) / (count + 1.0 + self.states)
        wanted = self.planned(moves, density)
        share = 1.0 / (count + 2.0)
        spread = (1.0 - share) * learned.spread + share * self.visited(world, wanted)
        return Learned(visits=visits, moves=moves, spread=spread, wanted=wanted)

    def mixed(self, key: jax.Array, world: jax.Array, learned: Learned, count: jax.Array) -> Learned:
        """One episode of the mixture; at the end of a block another policy joins it.

        The policy that has the visits of the mixture is itself a policy: `wanted`, of the shares in which it acts.
        """
        states, choices = self.walked(key, world, learned.wanted)
        visits = learned.visits + jax.nn.one_hot(states[:-1], self.states)
        moves = learned.moves.at[states[:-1], choices, states[1:]].add(1.0)
        density = (visits + 1.0) / (self.block + self.states)
        iteration = (count + 1.0) / self.block
        share = 2.0 / (iteration + 2.0)
        joining = self.planned(moves, density)
        new, old = self.visited(world, joining), learned.spread
        # the shares in which a mixture acts in a state are those of the visits of its parts
        parts = share * new[..., None] * joining + (1.0 - share) * old[..., None] * learned.wanted
        total = jnp.sum(parts, axis=-1, keepdims=True)
        wanted = jnp.where(total > 1e-12, parts / jnp.maximum(total, 1e-12), learned.wanted)
        done = (count + 1) % self.block == 0
        after = Learned(
            visits=jnp.zeros_like(visits),
            moves=moves,
            spread=(1.0 - share) * old + share * new,
            wanted=wanted,
        )
        going_on = Learned(visits=visits, moves=moves, spread=old, wanted=learned.wanted)
        return jax.tree.map(lambda one, other: jnp.where(done, one, other), after, going_on)

    def planned(self, moves: jax.Array, density: jax.Array) -> jax.Array:
        """The best policy [H, S, A] for the surprise of a density [H, S], in the model of counts, with optimism."""
        number = jnp.sum(moves, axis=-1)
        model = (moves + 1.0 / self.states) / (number + 1.0)[..., None]
        bonus = self.optimism * jax.lax.rsqrt(jnp.maximum(number, 1.0))
        return backward(model, -jnp.log(density), bonus)

    def best(self, world: jax.Array) -> jax.Array:
        """The highest mean entropy of visits, by 4,000 steps of Frank-Wolfe in the true world: float32 []."""

        def step(spread: jax.Array, index: jax.Array) -> tuple[jax.Array, None]:
            policy = backward(world, -jnp.log(spread + 1e-9), jnp.zeros((self.states, self.actions)))
            share = 2.0 / (index + 3.0)
            return (1.0 - share) * spread + share * self.visited(world, policy), None

        even = jnp.full((self.length, self.states, self.actions), 1.0 / self.actions)
        spread, _ = jax.lax.scan(step, self.visited(world, even), jnp.arange(4000.0))
        return entropy(spread)

    def visited(self, world: jax.Array, policy: jax.Array) -> jax.Array:
        """The visits [H, S] of a policy [H, S, A] from state 0."""

        def forward(now: jax.Array, policy: jax.Array) -> tuple[jax.Array, jax.Array]:
            return jnp.einsum("s,sa,sat->t", now, policy, world), now

        return jax.lax.scan(forward, jax.nn.one_hot(0, self.states), policy)[1]

    def walked(self, key: jax.Array, world: jax.Array, policy: jax.Array) -> tuple[jax.Array, jax.Array]:
        """One episode: states int32 [H + 1] and choices int32 [H]."""

        def decide(state: jax.Array, given: Any) -> tuple[jax.Array, Any]:
            choosing, moving = jax.random.split(given[0])
            choice = jax.random.categorical(choosing, jnp.log(given[1][state]))
            after = jax.random.categorical(moving, jnp.log(world[state, choice]))
            return after, (after, choice)

        given = (jax.random.split(key, self.length), policy)
        _, (after, choices) = jax.lax.scan(decide, jnp.int32(0), given)
        return jnp.concatenate([jnp.zeros(1, jnp.int32), after]), choices


def backward(model: jax.Array, rewards: jax.Array, bonus: jax.Array) -> jax.Array:
    """The best policy [H, S, A], all on one action, for rewards of states [H, S] and a bonus [S, A]."""

    def up(value: jax.Array, reward: jax.Array) -> tuple[jax.Array, jax.Array]:
        each = reward[:, None] + bonus + model @ value
        return jnp.max(each, axis=-1), jax.nn.one_hot(jnp.argmax(each, axis=-1), each.shape[-1])

    return jax.lax.scan(up, jnp.zeros(rewards.shape[1]), rewards, reverse=True)[1]


def entropy(spread: jax.Array) -> jax.Array:
    """The mean over steps of the entropy of visits [H, S], in nats: float32 []."""
    return -jnp.mean(jnp.sum(jax.scipy.special.xlogy(spread, spread), axis=-1))
