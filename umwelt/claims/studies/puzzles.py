"""Search for 24: which state is gone back to, and which operation is tried there."""

from functools import cache
from itertools import combinations_with_replacement
from typing import Any, Literal

import jax
import jax.numpy as jnp
import numpy as np

from umwelt.claims.arms import Computed, Measure
from umwelt.core import keys, part, struct
from umwelt.teachers.returning import Returning, ReturningState
from umwelt.worlds.twenty_four import GOAL, NEAR, TwentyFour, TwentyFourBody, solvable

EXPANDED = Measure(name="expanded", unit="states", better="down")
"""Operations that were tried until 24 was found, the limit where it was not; the mean of all puzzles."""


@cache
def solvable_puzzles(number: int) -> tuple[tuple[int, ...], ...]:
    """Draw solvable puzzles of numbers 1 to 13, the same at each call."""
    every = list(combinations_with_replacement(range(1, 14), 4))
    found = []
    for index in np.random.default_rng(24).permutation(len(every)):
        if solvable(every[index]):
            found.append(every[index])
        if len(found) == number:
            break
    return tuple(found)


@struct
class Archive:
    """States that were found, in order. numbers: float32 [A, 4]. tried: bool [A, 36]. liked: bool [A] and hopeful: bool
    [A, 36], states and operations of which the judge says yes. count: int32, states found. expanded: int32, operations tried.
    solved: bool []."""

    numbers: jax.Array
    tried: jax.Array
    liked: jax.Array
    hopeful: jax.Array
    count: jax.Array
    expanded: jax.Array
    solved: jax.Array


@part
class Sought:
    """Search all puzzles; a function of a key.

    The judge says of a state whether one more operation makes 24 of two of its numbers, and is wrong with a rate. Where it
    likes no state, or no operation, the choice is even. Operations that were tried are crossed off, and a state in which it
    likes no operation any more is gone back to last.
    """

    order: Literal["judged", "uniform", "depth", "breadth"] = "judged"
    """What chooses: the judge, chance, the newest first, or the oldest first."""
    wrong: float = 0.2
    """The share of wrong answers of the judge."""
    puzzles: int = 30
    """How many puzzles."""
    limit: int = 1000
    """Operations after which a search is given up."""

    def __call__(self, key: jax.Array) -> dict[str, jax.Array]:
        """Search: {measure: float32 []}."""
        numbers = jnp.asarray(solvable_puzzles(self.puzzles), jnp.float32)
        found = jax.vmap(self._searched)(jax.random.split(key, self.puzzles), jnp.sort(numbers, axis=1))
        return {"expanded": jnp.mean(jnp.where(found.solved, found.expanded, self.limit).astype(jnp.float32))}

    def _searched(self, key: jax.Array, numbers: jax.Array) -> Archive:
        rows = self.limit + 1
        archive = Archive(
            numbers=jnp.full((rows, 4), jnp.inf).at[0].set(numbers),
            # what is not open counts as tried
            tried=jnp.ones((rows, 36), bool).at[0].set(~TwentyFour().open(numbers)),
            liked=jnp.zeros(rows, bool).at[0].set(self._says(keys.fold(key, "first"), promising(numbers))),
            hopeful=jnp.zeros((rows, 36), bool).at[0].set(self._hopes(keys.fold(key, "hopes"), numbers)),
            count=jnp.int32(1),
            expanded=jnp.int32(0),
            solved=jnp.bool_(False),
        )

        def goes_on(archive: Archive) -> jax.Array:
            return ~archive.solved & (archive.expanded < self.limit) & ~jnp.all(archive.tried)

        return jax.lax.while_loop(goes_on, lambda archive: self._expanded(key, archive), archive)

    def _expanded(self, key: jax.Array, archive: Archive) -> Archive:
        """Go back to a state, try one operation there, and keep what comes of it where it is new."""
        choosing, drawing, judging = keys.split(jax.random.fold_in(key, archive.expanded), "choose", "draw", "judge")
        at = self._chosen(choosing, archive)
        untried = ~archive.tried[at]
        untried = jnp.where(jnp.any(untried & archive.hopeful[at]), untried & archive.hopeful[at], untried)
        action = jax.random.categorical(drawing, jnp.where(untried, 0.0, -jnp.inf)).astype(jnp.int32)
        body = TwentyFourBody(numbers=archive.numbers[at])
        after, reward, ended = TwentyFour().advance(drawing, body, action, None)  # type: ignore[arg-type]
        same = jnp.where(jnp.isfinite(after.numbers), jnp.abs(archive.numbers - after.numbers) < NEAR, jnp.isinf(archive.numbers))
        new = ~ended & ~jnp.any(jnp.all(same, axis=1))
        slot = jnp.where(new, archive.count, archive.numbers.shape[0])
        tried = archive.tried.at[at, action].set(True)
        return Archive(
            numbers=archive.numbers.at[slot].set(after.numbers, mode="drop"),
            tried=tried.at[slot].set(~TwentyFour().open(after.numbers), mode="drop"),
            liked=archive.liked.at[slot].set(self._says(judging, promising(after.numbers)), mode="drop"),
            hopeful=archive.hopeful.at[slot].set(self._hopes(keys.fold(judging, "hopes"), after.numbers), mode="drop"),
            count=archive.count + new,
            expanded=archive.expanded + 1,
            solved=reward > 0,
        )

    def _chosen(self, key: jax.Array, archive: Archive) -> jax.Array:
        """int32 []: the state to go back to, by the same teacher that chooses the starts of a life."""
        left = ~jnp.all(archive.tried, axis=1)
        rank = jnp.arange(left.shape[0])
        newest, oldest = jnp.max(jnp.where(left, rank, -1)), jnp.min(jnp.where(left, rank, left.shape[0]))
        hoped = jnp.any(archive.hopeful & ~archive.tried, axis=1)
        liked = jnp.where(jnp.any(archive.liked & hoped), archive.liked & hoped, hoped)
        scores = {"judged": liked, "uniform": left, "depth": rank == newest, "breadth": rank == oldest}[self.order]
        teacher = Returning(judge=lambda key, starts: scores[starts].astype(jnp.float32))
        asked = ReturningState(seen=left.astype(jnp.int32), task={"start": jnp.int32(0)})
        return teacher.ask(key, asked, 1)[1]["start"][0]

    def _hopes(self, key: jax.Array, numbers: jax.Array) -> jax.Array:
        """bool [36]: the operations of which the judge says that their outcome is promising; none where it is not asked."""
        if self.order != "judged":
            return jnp.zeros(36, bool)
        return self._says(key, jax.vmap(promising)(TwentyFour().combined(numbers)))

    def _says(self, key: jax.Array, truth: jax.Array) -> jax.Array:
        return truth ^ jax.random.bernoulli(key, self.wrong, truth.shape)


def promising(numbers: jax.Array) -> jax.Array:
    """bool []: 24 is the last number, or one operation makes it of two of numbers [4]."""
    game = TwentyFour()
    made, open = game.combined(numbers), game.open(numbers)
    hit = jnp.any((jnp.abs(made - GOAL) < NEAR) & open[:, None])
    return hit | ((jnp.sum(jnp.isfinite(numbers)) == 1) & (jnp.abs(numbers[0] - GOAL) < NEAR))


def arm(**settings: Any) -> Computed:
    """Make an arm of a search."""
    return Computed(function=Sought(**settings), measures=(EXPANDED,), together=True)
