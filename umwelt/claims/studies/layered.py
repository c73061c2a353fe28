"""How many decisions it takes to find all that is near, layer by layer or everywhere at once."""

from typing import Literal

import numpy as np

from umwelt.claims.arms import Measure
from umwelt.core import part
from umwelt.worlds.grid import MOVES

DECISIONS = Measure(name="decisions", unit="decisions", better="down")
"""Decisions until each place that can be reached in few steps has a policy that reaches it in hardly more."""


@part
class Layered:
    """Explore a slippery open grid with resets; a function of a seed.

    In `layers`, actions are tried in known places. A place becomes known where the estimated steps to it through
    known ones are few enough. `flat`, every place that was met is tried. Both take the action that was tried least.
    """

    way: Literal["layers", "flat"] = "layers"
    """Where actions are tried."""
    side: int = 11
    """Places of a side; episodes begin in the middle."""
    near: float = 4.0
    """Expected steps within which a place is near (L)."""
    slack: float = 0.2
    """The share of steps more that a policy may take (epsilon)."""
    slip: float = 0.1
    """Chance that a move goes to one of the other sides."""
    tries: int = 10
    """Tries of each action of the known places before others become known."""
    look: int = 500
    """Decisions between two looks at the policies."""
    limit: int = 40_000
    """Decisions after which it gives up."""

    def __call__(self, seed: int) -> dict[str, float]:
        """Explore: {measure: float}."""
        random, world, start = np.random.default_rng(seed), self.world(), self.side**2 // 2
        everywhere = np.ones(self.side**2, bool)
        near = np.flatnonzero(steps_from(world, everywhere, np.arange(self.side**2), start)[:, start] <= self.near)
        counts, known, met = np.zeros_like(world), np.arange(self.side**2) == start, np.arange(self.side**2) == start
        decisions, looked = 0, 0
        while decisions < self.limit:
            place, action = self.wanted(random, counts, known if self.way == "layers" else met)
            if self.way == "layers" and counts[known].sum(-1).min() >= self.tries:
                joined = self.grown(counts, known, met, start)
                if joined.sum() > known.sum():
                    known = joined
                    continue
            inside = known if self.way == "layers" else met
            decisions += self.tried(random, world, counts, inside, start, place, action)
            met |= counts.sum((0, 1)) > 0
            if decisions - looked >= self.look:
                looked = decisions
                if self.good(world, counts, inside, near, start):
                    break
        return {"decisions": float(decisions)}

    def world(self) -> np.ndarray:
        """Probabilities of the next place, float64 [S, 4, S]."""
        places = np.arange(self.side**2)
        rows, columns = places // self.side, places % self.side
        ends = [np.clip([rows + down, columns + right], 0, self.side - 1) for down, right in MOVES]
        next = np.stack([np.eye(self.side**2)[row * self.side + column] for row, column in ends], axis=1)
        mixed = np.full((4, 4), self.slip / 3) + (1 - self.slip - self.slip / 3) * np.eye(4)
        return np.einsum("ab,sbt->sat", mixed, next)

    def wanted(self, random: np.random.Generator, counts: np.ndarray, inside: np.ndarray) -> tuple[int, int]:
        """The place and action that were tried least, of places bool [S]."""
        number = np.where(inside[:, None], counts.sum(-1), np.inf) + random.uniform(0, 0.5, counts.shape[:2])
        place, action = np.unravel_index(number.argmin(), number.shape)
        return int(place), int(action)

    def grown(self, counts: np.ndarray, known: np.ndarray, met: np.ndarray, start: int) -> np.ndarray:
        """The known places bool [S], and those of the others met that are near by the estimate through known ones."""
        others = np.flatnonzero(met & ~known)
        joined = known.copy()
        if others.size:
            joined[others[steps_from(estimate(counts), known, others, start)[:, start] <= self.near]] = True
        return joined

    def tried(
        self,
        random: np.random.Generator,
        world: np.ndarray,
        counts: np.ndarray,
        inside: np.ndarray,
        start: int,
        place: int,
        action: int,
    ) -> int:
        """Walk from the start to a place, take an action, and count all on the way; the decisions that it took."""
        choices = policies(estimate(counts), steps_from(estimate(counts), inside, np.array([place]), start))[0]
        at, spent = start, 0
        while True:
            if not inside[at] and at != place:
                # a reset is a decision too
                at, spent = start, spent + 1
                continue
            choice = action if at == place else int(choices[at])
            after = int(random.choice(world.shape[0], p=world[at, choice]))
            counts[at, choice, after] += 1
            spent += 1
            if at == place or spent > 20 * self.side:
                return spent
            at = after

    def good(self, world: np.ndarray, counts: np.ndarray, inside: np.ndarray, near: np.ndarray, start: int) -> bool:
        """Whether the policies of the estimate really reach all near places in few steps."""
        choices = policies(estimate(counts), steps_from(estimate(counts), inside, near, start))
        return bool((true_steps(world, choices, inside, near, start) <= (1 + self.slack) * self.near).all())


def estimate(counts: np.ndarray) -> np.ndarray:
    """Shares of counts [S, 4, S]; an action that was never tried stays where it is."""
    number = counts.sum(-1, keepdims=True)
    stays = np.broadcast_to(np.eye(counts.shape[0])[:, None], counts.shape)
    return np.where(number > 0, counts / np.maximum(number, 1), stays)


def steps_from(model: np.ndarray, inside: np.ndarray, goals: np.ndarray, start: int, sweeps: int = 60) -> np.ndarray:
    """The least expected steps [G, S] to each goal through places bool [S]; elsewhere it resets to the start."""
    steps = np.zeros((len(goals), model.shape[0]))
    for _ in range(sweeps):
        best = 1.0 + (steps @ model.reshape(-1, model.shape[0]).T).reshape(len(goals), model.shape[0], 4).min(-1)
        steps = np.where(inside, best, 1.0 + steps[:, start : start + 1])
        steps[np.arange(len(goals)), goals] = 0.0
    return steps


def policies(model: np.ndarray, steps: np.ndarray) -> np.ndarray:
    """The choices int [G, S] that lead to the fewest steps [G, S]."""
    return (steps @ model.reshape(-1, model.shape[0]).T).reshape(*steps.shape, 4).argmin(-1)


def true_steps(world: np.ndarray, choices: np.ndarray, inside: np.ndarray, goals: np.ndarray, start: int) -> np.ndarray:
    """The expected steps [G] from the start under given choices [G, S], with resets outside; infinite where it never ends."""
    found, places = [], world.shape[0]
    for goal, choice in zip(goals, choices, strict=True):
        moves = world[np.arange(places), choice]
        moves = np.where(inside[:, None], moves, np.eye(places)[start])
        others = np.arange(places) != goal
        # hardly any chance is left to come from a place that never leads there
        steps = np.linalg.solve(np.eye(places - 1) - (1 - 1e-6) * moves[np.ix_(others, others)], np.ones(places - 1))
        found.append(0.0 if goal == start else steps[np.flatnonzero(np.arange(places)[others] == start)[0]])
    return np.array(found)
