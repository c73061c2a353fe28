"""Lifetimes of tabular agents in small finite worlds, by a learned rule or by actor-critic, and the search for a rule."""

from typing import Any

import jax
import jax.numpy as jnp
from jax.flatten_util import ravel_pytree

from umwelt.behaviours import Strategies
from umwelt.behaviours.discovered import Rollout, Rule
from umwelt.claims.arms import Measure
from umwelt.core import keys, part, struct

STATES, ACTIONS, STEPS = 12, 4, 20
"""The size of every world, and the decisions of an episode, which begins in state 0."""
SPANS = (10, 30, 100, 250)
"""Lengths of the lifetimes of the exam, in updates."""
FINAL = Measure(name="final", unit="share of the best", better="up")
"""What the agents earn after their lives: 0 as by chance, 1 as the best; mean over worlds and lengths."""
SHORT = Measure(name="short", unit="share of the best", better="up")
"""The same after lives of 10 updates alone."""
SETTLES = Measure(name="settles", unit="rank correlation", better="down")
"""Of the policy's entropy with the share of the lifetime that is over, in lives of 100 updates."""


@struct
class Finite:
    """moves: float32 [S, A, S]. pays: float32 [S, A], the chance that an action pays 1."""

    moves: jax.Array
    pays: jax.Array


def drawn(key: jax.Array) -> tuple[Finite, ...]:
    """Draw a world of each family: a bandit, a chain, a chain in which a wrong step ends all, a grid, and loose cells."""
    every = keys.split(key, "bandit", "chain", "cliff", "grid", "loose")
    return _bandit(every[0]), _chain(every[1], fails=0), _chain(every[2], fails=STATES - 1), _grid(every[3]), _loose(every[4])


def _bandit(key: jax.Array) -> Finite:
    pays = jnp.zeros((STATES, ACTIONS)).at[0].set(jax.random.uniform(key, (ACTIONS,)))
    return Finite(moves=jnp.zeros((STATES, ACTIONS, STATES)).at[:, :, 0].set(1.0), pays=pays)


def _chain(key: jax.Array, fails: int) -> Finite:
    """One action of each cell leads on, others to `fails`; the first cell pays a little, the sixth all."""
    right = jax.random.randint(key, (STATES,), 0, ACTIONS)
    onward = jnp.minimum(jnp.arange(STATES) + 1, 5)
    follows = jnp.where(jnp.arange(ACTIONS) == right[:, None], onward[:, None], fails)
    follows = follows.at[5].set(5).at[STATES - 1].set(STATES - 1 if fails else 0)
    pays = jnp.zeros((STATES, ACTIONS)).at[5].set(1.0).at[0].set(jnp.where(jnp.arange(ACTIONS) == right[0], 0.0, 0.1))
    return Finite(moves=jax.nn.one_hot(follows, STATES), pays=pays)


def _grid(key: jax.Array) -> Finite:
    """Three rows of four cells; what an action does is drawn, and one far cell pays."""
    naming, placing = jax.random.split(key)
    row, column = jnp.arange(STATES) // 4, jnp.arange(STATES) % 4
    ways = jnp.array([[-1, 0], [1, 0], [0, -1], [0, 1]])[jax.random.permutation(naming, ACTIONS)]
    after = 4 * jnp.clip(row[:, None] + ways[:, 0], 0, 2) + jnp.clip(column[:, None] + ways[:, 1], 0, 3)
    goal = jax.random.choice(placing, jnp.array([3, 6, 7, 9, 10, 11]))
    return Finite(moves=jax.nn.one_hot(after, STATES), pays=jnp.zeros((STATES, ACTIONS)).at[goal].set(1.0))


def _loose(key: jax.Array) -> Finite:
    """Each action leads to one of two cells, and a few actions pay."""
    leading, mixing, paying, worth = jax.random.split(key, 4)
    both = jax.nn.one_hot(jax.random.randint(leading, (2, STATES, ACTIONS), 0, STATES), STATES)
    share = jax.random.uniform(mixing, (STATES, ACTIONS, 1))
    pays = jax.random.uniform(worth, (STATES, ACTIONS)) * jax.random.bernoulli(paying, 0.2, (STATES, ACTIONS))
    return Finite(moves=share * both[0] + (1.0 - share) * both[1], pays=pays)


def earned(world: Finite, chances: jax.Array) -> jax.Array:
    """The expected return float32 [] of an episode under chances [S, A] of actions."""

    def tick(at: jax.Array, _: None) -> tuple[jax.Array, jax.Array]:
        acted = at[:, None] * chances
        return jnp.einsum("sa,sat->t", acted, world.moves), jnp.sum(acted * world.pays)

    return jnp.sum(jax.lax.scan(tick, jax.nn.one_hot(0, STATES), None, length=STEPS)[1])


def best(world: Finite) -> jax.Array:
    """The highest expected return of an episode: float32 []."""

    def back(value: jax.Array, _: None) -> tuple[jax.Array, None]:
        return jnp.max(world.pays + jnp.einsum("sat,t->sa", world.moves, value), axis=1), None

    return jax.lax.scan(back, jnp.zeros(STATES), None, length=STEPS)[0][0]


def share(world: Finite, chances: jax.Array) -> jax.Array:
    """What chances [S, A] earn: 0 as by chance, 1 as the best."""
    low = earned(world, jnp.full((STATES, ACTIONS), 1.0 / ACTIONS))
    return (earned(world, chances) - low) / jnp.maximum(best(world) - low, 1e-3)


def played(key: jax.Array, world: Finite, logits: jax.Array, rows: int) -> tuple[jax.Array, jax.Array, jax.Array]:
    """Episodes under logits [S, A]: states int32 [L + 1, rows], actions int32 [L, rows] and rewards float32 [L, rows]."""

    to_act, to_pay = jnp.cumsum(jax.nn.softmax(logits), axis=-1), world.pays
    to_move = jnp.cumsum(world.moves, axis=-1)

    def tick(state: jax.Array, chance: jax.Array) -> tuple[jax.Array, Any]:
        # one number in [0, 1) draws a choice: how many sums of chances it has passed
        action = jnp.sum(chance[0][:, None] >= to_act[state][:, :-1], axis=-1)
        after = jnp.sum(chance[1][:, None] >= to_move[state, action][:, :-1], axis=-1)
        return after, (state, action, (chance[2] < to_pay[state, action]).astype(jnp.float32))

    chances = jax.random.uniform(key, (STEPS, 3, rows))
    last, (states, actions, paid) = jax.lax.scan(tick, jnp.zeros(rows, jnp.int32), chances)
    return jnp.concatenate([states, last[None]]), actions, paid


@part
class ByRule:
    """Agents that learn by a rule: tables of logits and of predictions, and plain steps."""

    rule: Rule = Rule()
    rate: float = 5.0
    """Step size of the tables."""
    rows: int = 4
    """Episodes of a rollout."""

    def begun(self) -> Any:
        """Tables of zeros."""
        return jnp.zeros((STATES, ACTIONS)), jnp.zeros((STATES, self.rule.classes))

    def updated(self, key: jax.Array, weights: Any, agent: Any, world: Finite, progress: jax.Array, lifetime: jax.Array) -> Any:
        """The tables after one rollout, by the rule with these weights."""
        states, actions, paid = played(key, world, agent[0], self.rows)
        predicted, chances = jax.nn.softmax(agent[1]), jax.nn.softmax(agent[0])
        ended = jnp.zeros(paid.shape, bool).at[-1].set(True)
        rollout = Rollout(
            reward=paid,
            ended=ended,
            chance=chances[states[:-1], actions],
            now=predicted[states[:-1]],
            after=predicted[states[1:]],
        )
        push, target = self.rule.answers(weights, rollout, progress, lifetime)

        def loss(agent: Any) -> jax.Array:
            log_chance = jax.nn.log_softmax(agent[0])[states[:-1], actions]
            return self.rule.loss(push, target, log_chance, agent[1][states[:-1]])

        return jax.tree.map(lambda table, slope: table - self.rate * slope, agent, jax.grad(loss)(agent))


@part
class ByHand:
    """Agents that learn by actor-critic: tables of logits and of values, the advantages of whole episodes, and no rule."""

    rate: float = 5.0
    critic: float = 0.5
    """Share of its error that a value takes over, where a state fills a whole rollout."""
    rows: int = 4
    discount: float = 0.97

    def begun(self) -> Any:
        """Tables of zeros."""
        return jnp.zeros((STATES, ACTIONS)), jnp.zeros(STATES)

    def updated(self, key: jax.Array, weights: Any, agent: Any, world: Finite, progress: jax.Array, lifetime: jax.Array) -> Any:
        """The tables after one rollout."""
        states, actions, paid = played(key, world, agent[0], self.rows)
        _, total = jax.lax.scan(
            lambda later, one: (one + self.discount * later, one + self.discount * later),
            jnp.zeros(self.rows),
            paid,
            reverse=True,
        )
        advantage = total - agent[1][states[:-1]]
        values = agent[1].at[states[:-1]].add(self.critic * advantage / advantage.size)
        slope = jax.grad(lambda logits: -jnp.mean(advantage * jax.nn.log_softmax(logits)[states[:-1], actions]))(agent[0])
        return agent[0] - self.rate * slope, values


def lifetime(learner: Any, key: jax.Array, weights: Any, worlds: Finite, length: int | jax.Array) -> jax.Array:
    """The logits [N, S, A] of agents in worlds [N] after lives of so many updates."""
    number = worlds.pays.shape[0]
    agents = jax.tree.map(lambda leaf: jnp.broadcast_to(leaf, (number, *leaf.shape)), learner.begun())
    span = jnp.asarray(length, jnp.float32)

    def update(at: jax.Array, agents: Any) -> Any:
        one = jax.random.split(jax.random.fold_in(key, at), number)
        return jax.vmap(lambda key, agent, world: learner.updated(key, weights, agent, world, at / span, span))(
            one, agents, worlds
        )

    return jax.lax.fori_loop(0, length, update, agents)[0]


@part
class Lifetimes:
    """Search a rule over many lifetimes, and examine it in new worlds; a function of a key."""

    learner: Any = ByRule()
    """`ByRule` or `ByHand`, for which nothing is searched."""
    search: Strategies = Strategies(sigma=0.1, rate=0.003)
    population: int = 32
    generations: int = 150
    draws: int = 1
    """Worlds of each family, in one generation; all rules meet the same ones."""
    exams: int = 8
    """Worlds of each family in the exam."""

    def __call__(self, key: jax.Array) -> dict[str, jax.Array]:
        """Search and examine: {measure: float32 []}."""
        searching, examining = keys.split(key, "search", "exam")
        weights = self.found(searching) if isinstance(self.learner, ByRule) else None
        worlds = self.worlds(keys.fold(examining, "worlds"), self.exams)
        shares = []
        for length in SPANS:
            logits = lifetime(self.learner, jax.random.fold_in(examining, length), weights, worlds, length)
            shares.append(jnp.mean(jax.vmap(share)(worlds, jax.nn.softmax(logits))))
        settles = self.settles(keys.fold(examining, "settles"), weights, worlds)
        return {"final": jnp.mean(jnp.stack(shares)), "short": shares[0], "settles": settles}

    def worlds(self, key: jax.Array, number: int) -> Finite:
        """So many worlds of each family, leaves [5 * number, ...]."""
        found = jax.vmap(drawn)(jax.random.split(key, number))
        return jax.tree.map(lambda *leaves: jnp.concatenate(leaves), *found)

    def found(self, key: jax.Array) -> Any:
        """The weights of the rule that the search ends with."""
        beginning, living = keys.split(key, "begin", "live")
        first, shaped = ravel_pytree(self.learner.rule.init(beginning))
        search = self.search.moved(self.search.init(beginning, first.shape[0], 0), first)
        # lengths are even in their logarithm, in an order that every seed shares: so a loop ends for all seeds at once
        lengths = jnp.exp(jnp.log(10.0) + jnp.log(25.0) * ((jnp.arange(self.generations) * 0.618034) % 1.0)).astype(jnp.int32)

        def generation(search: Any, given: tuple[jax.Array, jax.Array]) -> tuple[Any, None]:
            key, length = given
            asking, drawing, living, telling = keys.split(key, "ask", "draw", "live", "tell")
            search, genomes = self.search.ask(asking, search, self.population)
            worlds = self.worlds(drawing, self.draws)

            def worth(genome: jax.Array) -> jax.Array:
                logits = lifetime(self.learner, living, shaped(genome), worlds, length)
                return jnp.mean(jax.vmap(share)(worlds, jax.nn.softmax(logits)))

            returns = jax.vmap(worth)(genomes)
            return self.search.tell(telling, search, genomes, returns, returns[:, None][:, :0]), None

        search, _ = jax.lax.scan(generation, search, (jax.random.split(living, self.generations), lengths))
        return shaped(self.search.best(search))

    def settles(self, key: jax.Array, weights: Any, worlds: Finite, length: int = 100) -> jax.Array:
        """The rank correlation of mean entropy with time in lives of so many updates: float32 []."""
        number = worlds.pays.shape[0]
        agents = jax.tree.map(lambda leaf: jnp.broadcast_to(leaf, (number, *leaf.shape)), self.learner.begun())
        span = jnp.float32(length)

        def update(agents: Any, at: jax.Array) -> tuple[Any, jax.Array]:
            one = jax.random.split(jax.random.fold_in(key, at), number)
            agents = jax.vmap(lambda *each: self.learner.updated(each[0], weights, *each[1:], at / span, span))(
                one, agents, worlds
            )
            chances = jax.nn.softmax(agents[0])
            return agents, -jnp.mean(jnp.sum(chances * jnp.log(chances + 1e-9), axis=-1))

        _, entropy = jax.lax.scan(update, agents, jnp.arange(length))
        place = jnp.argsort(jnp.argsort(entropy)).astype(jnp.float32)
        return jnp.corrcoef(place, jnp.arange(length, dtype=jnp.float32))[0, 1]
