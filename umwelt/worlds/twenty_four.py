"""Simulate the game of 24: four numbers, combined two at a time until one is left, which should be 24."""

from fractions import Fraction
from itertools import combinations
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from umwelt.core import Box, Discrete, TimeStep, WorldSpec, part, struct
from umwelt.worlds import stream

GOAL = 24.0
PAIRS = tuple(combinations(range(4), 2))
"""The places of the two numbers that an action combines."""
SIGNS = ("+", "*", "-", "reversed -", "/", "reversed /")
"""What it does with them; the number of an action is 6 x pair + sign."""
NEAR = 1e-3
"""Numbers that differ by less are equal: quotients are rounded."""


@struct
class TwentyFourTask:
    """numbers: int32 [4], 1 to 13."""

    numbers: Any


@struct
class TwentyFourBody:
    """numbers: float32 [4], ascending; infinite where one has been used up."""

    numbers: jax.Array


@part
class TwentyFour:
    """Combine four numbers by the four operations until 24 is left; each number is used once.

    >>> game = TwentyFour()
    >>> body = TwentyFourBody(numbers=jnp.array([4.0, 6.0, jnp.inf, jnp.inf]))
    >>> body, reward, ended = game.advance(jax.random.key(0), body, jnp.int32(1), None)
    >>> float(body.numbers[0]), float(reward), bool(ended)
    (24.0, 1.0, True)
    """

    batch: int = 1
    """Episodes in parallel."""
    time_limit: int = 3
    """Decisions after which an episode is truncated; three use up the numbers."""
    puzzles: tuple[tuple[int, int, int, int], ...] = ((1, 2, 3, 4), (4, 6, 8, 10), (3, 3, 8, 8))
    """The named tasks, the default first."""

    @property
    def spec(self) -> WorldSpec:
        """Spaces, batch and name."""
        return WorldSpec(
            name="twenty_four",
            observation={
                "numbers": Box(shape=(4,)),
                "held": Box(shape=(4,), low=0, high=1, dtype="uint8"),
                "open": Box(shape=(36,), low=0, high=1, dtype="uint8"),
            },
            action=Discrete(n=36),
            task=TwentyFourTask(numbers=Box(shape=(4,), low=1, high=13, dtype="int32")),
            batch=self.batch,
        )

    def tasks(self) -> dict[str, TwentyFourTask]:
        """Named tasks: the puzzles, by their numbers."""
        return {"_".join(map(str, numbers)): TwentyFourTask(numbers=np.asarray(numbers, np.int32)) for numbers in self.puzzles}

    def begin(self, key: jax.Array, task: TwentyFourTask) -> TwentyFourBody:
        """Lay out the four numbers, ascending."""
        return TwentyFourBody(numbers=jnp.sort(task.numbers.astype(jnp.float32)))

    def advance(
        self, key: jax.Array, body: TwentyFourBody, action: jax.Array, task: TwentyFourTask
    ) -> tuple[TwentyFourBody, jax.Array, jax.Array]:
        """Put the result of one operation in place of two numbers; an action that is not open changes nothing."""
        after = jnp.where(self.open(body.numbers)[action], self.combined(body.numbers)[action], body.numbers)
        ended = jnp.sum(jnp.isfinite(after)) == 1
        solved = ended & (jnp.abs(after[0] - GOAL) < NEAR)
        return TwentyFourBody(numbers=after), solved.astype(jnp.float32), ended

    def observe(self, body: TwentyFourBody, task: TwentyFourTask) -> dict[str, jax.Array]:
        """The numbers, 0 where one has been used up; which are left; and which operations are open."""
        held, open = jnp.isfinite(body.numbers), self.open(body.numbers)
        return {
            "numbers": jnp.where(held, body.numbers, 0.0),
            "held": held.astype(jnp.uint8),
            "open": (open | ~jnp.any(open)).astype(jnp.uint8),
        }

    def open(self, numbers: jax.Array) -> jax.Array:
        """bool [36]: operations on two numbers that are left, without a division by 0."""
        first, second = (numbers[jnp.asarray(PAIRS)[:, side]] for side in (0, 1))
        both = jnp.isfinite(first) & jnp.isfinite(second)
        divides, divided = jnp.abs(second) > NEAR, jnp.abs(first) > NEAR
        return jnp.stack([both, both, both, both, both & divides, both & divided], axis=1).ravel()

    def combined(self, numbers: jax.Array) -> jax.Array:
        """float32 [36, 4]: the numbers after each operation, ascending; those of operations that are not open mean nothing."""
        finite = jnp.where(jnp.isfinite(numbers), numbers, 1.0)
        first, second = (finite[jnp.asarray(PAIRS)[:, side]] for side in (0, 1))
        safe = [jnp.where(jnp.abs(each) > NEAR, each, 1.0) for each in (first, second)]
        made = [first + second, first * second, first - second, second - first, first / safe[1], second / safe[0]]
        results = jnp.stack(made, axis=1).ravel()
        used = jnp.repeat(jnp.asarray(PAIRS), len(SIGNS), axis=0)
        rows = jnp.arange(used.shape[0])
        left = jnp.broadcast_to(numbers, (used.shape[0], 4)).at[rows, used[:, 0]].set(results)
        return jnp.sort(left.at[rows, used[:, 1]].set(jnp.inf), axis=1)

    def init(self, key: jax.Array, task: TwentyFourTask) -> tuple[stream.StreamState, TimeStep]:
        """Begin an episode in every row."""
        return stream.init(self, key, task)

    def step(
        self, key: jax.Array, state: stream.StreamState, action: jax.Array, next_task: TwentyFourTask
    ) -> tuple[stream.StreamState, TimeStep]:
        """Take one decision in every row."""
        return stream.step(self, key, state, action, next_task)


def solvable(numbers: tuple[Fraction | int, ...]) -> bool:
    """Say whether 24 can be made, by trying everything in exact fractions."""
    if len(numbers) == 1:
        return numbers[0] == 24
    for one, other in combinations(range(len(numbers)), 2):
        rest = tuple(number for place, number in enumerate(numbers) if place not in (one, other))
        first, second = Fraction(numbers[one]), Fraction(numbers[other])
        made = {first + second, first * second, first - second, second - first}
        made |= {first / second} if second else set()
        made |= {second / first} if first else set()
        if any(solvable((*rest, each)) for each in made):
            return True
    return False
