"""Twenty-five data sets of one finite world, what is measured of them, and what a learner makes of each."""

from functools import lru_cache
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from umwelt.behaviours.batch import Batch, Learner
from umwelt.claims.arms import Measure
from umwelt.core import keys, part, struct
from umwelt.core.contracts import Mode
from umwelt.evaluation import data_sets
from umwelt.worlds.table import Table

WITH_COVERAGE = Measure(name="with_coverage", unit="correlation", better="up")
"""Pearson's correlation of the learner's return and SACo, over all sets."""
WITH_QUALITY = Measure(name="with_quality", unit="correlation", better="up")
"""Pearson's correlation of the learner's return and TQ, over all sets."""
BEYOND = Measure(name="beyond_quality", unit="partial correlation", better="up")
"""The correlation of return and SACo in what TQ, by a straight line, does not say of either."""
ON_GOOD = Measure(name="on_good", unit="of the expert's return above chance", better="up")
"""The learner's return on sets whose TQ is above `GOOD`."""
GOOD = 0.9
FIELD = ("S....", "..O..", ".....", ".O...", "....G")
"""Twenty-five cells; eight steps lead from `S` to `G`."""
DISCOUNT = 0.95
"""Of the expert and of the tabular learner."""
KINDS = ("random", "expert", "mixed", "noisy", "replay")
AMOUNTS = (1 / 16, 1 / 8, 1 / 4, 1 / 2, 1.0)
"""The share of all episodes that a random, an expert and a replay set has; those of a replay are the first ones."""
SHARES = (0.1, 0.3, 0.5, 0.7, 0.9)
"""The share of expert episodes of a mixed set, and the chance of a random action in a noisy one."""


@struct
class Log:
    """Transitions [sets, episodes, time limit]. cell, after: int32, where they begin and end. action: int32. reward: float32.
    ended: bool, the episode terminated there. valid: bool, False behind the end and in episodes that the set lacks."""

    cell: jax.Array
    action: jax.Array
    reward: jax.Array
    after: jax.Array
    ended: jax.Array
    valid: jax.Array


@part
class MeasuredSets:
    """A learner of five kinds of data sets at five levels each, all in one program; a function of a seed.

    All returns are exact: those of the learner's policy, of chance and of the expert, by the chances of the world.
    """

    learner: Learner
    mode: Mode = "exploit"
    """How the learner acts in the end."""
    draws: int = 1
    """Actions that stand for its policy in each cell; 1 where the mode draws none."""
    world: Table = Table(layout=FIELD, slips=0.1, time_limit=50)
    episodes: int = 256
    """Episodes of the largest sets."""
    updates: int = 3000
    batch: int = 64
    rate: float = 0.3
    """Step size of the tabular learner whose life is the replay."""

    def __call__(self, seed: int) -> dict[str, float]:
        """Make the sets, measure them, and learn from each: {measure: number}."""
        playing, learning = keys.split(jax.random.key(seed), "play", "learn")
        made, learned = _programs(self)
        log = made(playing)
        quality, coverage = self.measured(jax.tree.map(np.asarray, log))
        mine = self.normalised(np.asarray(learned(learning, log)))
        return {
            "with_coverage": float(np.corrcoef(mine, coverage)[0, 1]),
            "beyond_quality": partial(mine, coverage, quality),
            "with_quality": float(np.corrcoef(mine, quality)[0, 1]),
            "on_good": float(np.mean(mine[quality > GOOD])),
        }

    @property
    def task(self) -> Any:
        """The tables of the world, without a batch."""
        return next(iter(self.world.tasks().values()))

    def logs(self, key: jax.Array) -> Log:
        """All sets, in the order of kinds and of levels."""
        playing, living = keys.split(key, "play", "live")
        number, whole = self.episodes, np.ones(self.episodes)
        # the chance of a random action in each episode
        by_chance = [whole] * 5 + [0 * whole] * 5
        by_chance += [(np.arange(number) >= share * number).astype(float) for share in SHARES]
        by_chance += [share * whole for share in SHARES]
        chances = jnp.asarray(np.stack(by_chance)).reshape(-1)
        best = self.expert()
        play = jax.vmap(lambda key, chance: self._episode(key, best, chance))
        shown = jax.tree.map(
            lambda leaf: leaf.reshape(-1, number, *leaf.shape[1:]), play(jax.random.split(playing, chances.size), chances)
        )
        lived = jax.tree.map(lambda leaf: jnp.broadcast_to(leaf, (5, *leaf.shape)), self._replay(living))
        log = jax.tree.map(lambda *leaves: jnp.concatenate(leaves), shown, lived)
        amounts = np.array([*AMOUNTS, *AMOUNTS, *[1.0] * 10, *AMOUNTS])
        has = jnp.arange(number) < jnp.round(amounts * number)[:, None]
        return Log(**{**vars(log), "valid": log.valid & has[:, :, None]})

    def learned(self, key: jax.Array, log: Log) -> jax.Array:
        """The return of what is learned from each set: float32 [sets]."""
        return jax.vmap(self._learned, (0, 0))(jax.random.split(key, log.valid.shape[0]), log)

    def measured(self, log: Log) -> tuple[np.ndarray, np.ndarray]:
        """TQ and SACo [sets]; the reference is the whole replay."""
        cells, actions = self.world.spec.observation.shape[0], self.world.spec.action.n

        def pairs(number: int) -> tuple[np.ndarray, np.ndarray]:
            valid = log.valid[number]
            return np.eye(cells)[log.cell[number][valid]], np.eye(actions)[log.action[number][valid]]

        episodes = log.valid.any(axis=2).sum(axis=1)
        quality = self.normalised(np.sum(log.reward * log.valid, axis=(1, 2)) / episodes)
        sets = len(log.valid)
        return quality, np.array([data_sets.coverage(pairs(number), pairs(sets - 1)) for number in range(sets)])

    def normalised(self, returned: Any) -> Any:
        """Where returns lie between chance, 0, and the expert, 1."""
        best, actions = self.expert(), self.world.spec.action.n
        chance = self.worth(jnp.full((best.size, actions), 1.0 / actions))
        return data_sets.trajectory_quality(returned, float(chance), float(self.worth(jax.nn.one_hot(best, actions))))

    def expert(self) -> jax.Array:
        """The best action of each cell, int32 [S], by the discount of the tabular learner whose life is the replay."""
        task = self.task
        goes_on = DISCOUNT * (1.0 - jnp.asarray(task.ends))

        def sweep(_: Any, worth: jax.Array) -> jax.Array:
            return jnp.asarray(task.moves) @ (jnp.asarray(task.pays) + goes_on * jnp.max(worth, axis=-1))

        worth = jax.lax.fori_loop(0, self.world.time_limit, sweep, jnp.zeros(jnp.shape(task.moves)[:2]))
        return jnp.argmax(worth, axis=-1).astype(jnp.int32)

    def worth(self, policy: jax.Array) -> jax.Array:
        """The exact return of chances of actions [S, A] in one episode: float32 []."""
        task = self.task
        goes_on = 1.0 - jnp.asarray(task.ends)
        moves = jnp.einsum("sa,sat->st", policy, jnp.asarray(task.moves))

        def sweep(_: Any, worth: jax.Array) -> jax.Array:
            return moves @ (jnp.asarray(task.pays) + goes_on * worth)

        return jnp.asarray(task.first) @ jax.lax.fori_loop(0, self.world.time_limit, sweep, jnp.zeros(moves.shape[0]))

    def _episode(self, key: jax.Array, best: jax.Array, chance: jax.Array) -> Log:
        """One episode [T] of actions [S] that are random at times."""
        return self._rolled(key, best, lambda held, one: best, chance)[1]

    def _replay(self, key: jax.Array) -> Log:
        """The life [episodes, T] of Q-learning, which acts less and less at random."""
        cells, actions = self.world.spec.observation.shape[0], self.world.spec.action.n

        def episode(values: jax.Array, at: tuple[jax.Array, jax.Array]) -> tuple[jax.Array, Log]:
            return self._rolled(at[0], values, self._corrected, at[1])

        chances = jnp.linspace(1.0, 0.05, self.episodes)
        return jax.lax.scan(episode, jnp.zeros((cells, actions)), (jax.random.split(key, self.episodes), chances))[1]

    def _corrected(self, values: jax.Array, one: Log) -> jax.Array:
        """Values [S, A] after one transition."""
        wanted = one.reward + DISCOUNT * jnp.where(one.ended, 0.0, jnp.max(values[one.after]))
        gain = jnp.where(one.valid, self.rate * (wanted - values[one.cell, one.action]), 0.0)
        return values.at[one.cell, one.action].add(gain)

    def _rolled(self, key: jax.Array, held: jax.Array, after_each: Any, chance: jax.Array) -> tuple[jax.Array, Log]:
        """One episode [T] by actions [S] or the best of values [S, A], which `after_each` may change; and what is held then."""
        task, world = jax.tree.map(jnp.asarray, self.task), self.world
        beginning, rolling = keys.split(key, "begin", "roll")

        def tick(carry: Any, key: jax.Array) -> tuple[Any, Log]:
            body, held, going = carry
            straying, choosing, breaking, stepping = keys.split(key, "stray", "choose", "break", "step")
            here = held[body.cell]
            if here.ndim:
                # equal values are chosen among at random
                here = jnp.argmax(here + 1e-6 * jax.random.uniform(breaking, here.shape))
            any_action = jax.random.randint(choosing, (), 0, world.spec.action.n)
            action = jnp.where(jax.random.bernoulli(straying, chance), any_action, here).astype(jnp.int32)
            after, reward, ended = world.advance(stepping, body, action, task)
            one = Log(cell=body.cell, action=action, reward=reward, after=after.cell, ended=ended, valid=going)
            return (after, after_each(held, one), going & ~ended), one

        begun = (world.begin(beginning, task), held, jnp.bool_(True))
        (_, held, _), log = jax.lax.scan(tick, begun, jax.random.split(rolling, world.time_limit))
        return held, log

    def _learned(self, key: jax.Array, log: Log) -> jax.Array:
        """The exact return of what is learned from one set [episodes, T]."""
        beginning, studying, acting = keys.split(key, "begin", "study", "act")
        cells, actions = self.world.spec.observation.shape[0], self.world.spec.action.n
        rows = jax.tree.map(lambda leaf: leaf.reshape(-1), log)
        # the valid ones first
        order, number = jnp.argsort(~rows.valid, stable=True), jnp.sum(rows.valid)

        def update(state: Any, key: jax.Array) -> tuple[Any, None]:
            drawing, learning = keys.split(key, "draw", "learn")
            drawn = jax.tree.map(lambda leaf: leaf[order[jax.random.randint(drawing, (self.batch,), 0, number)]], rows)
            batch = Batch(
                now=jax.nn.one_hot(drawn.cell, cells),
                action=drawn.action,
                reward=drawn.reward,
                continues=1.0 - drawn.ended,
                after=jax.nn.one_hot(drawn.after, cells),
                weight=jnp.ones(self.batch),
            )
            return self.learner.learn(learning, state, batch)[0], None

        state: Any = self.learner.init(beginning, cells, self.world.spec.action)
        state, _ = jax.lax.scan(update, state, jax.random.split(studying, self.updates))
        done = self.learner.act(acting, state, jnp.tile(jnp.eye(cells), (self.draws, 1)), self.mode)
        return self.worth(jnp.mean(jax.nn.one_hot(done, actions).reshape(self.draws, cells, actions), axis=0))


def partial(one: np.ndarray, other: np.ndarray, known: np.ndarray) -> float:
    """The correlation of two numbers [N] after a straight line in a third is taken off both."""
    one, other = (each - np.polyval(np.polyfit(known, each, 1), known) for each in (one, other))
    return float(np.corrcoef(one, other)[0, 1])


@lru_cache(maxsize=4)
def _programs(study: MeasuredSets) -> tuple[Any, Any]:
    """The sets of a key, and what is learned from them, compiled once for all seeds."""
    return jax.jit(study.logs), jax.jit(study.learned)
