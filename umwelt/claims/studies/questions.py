"""Answer questions about a house of six rooms: where to look next, and when to trust the answer.

A house is a plan of 6 x 4 spots, and a room is a block of 2 x 2. The question is which of four things lies in a given room.
A stand-in for a vision-language model answers from each spot: its answers are the surer the nearer the thing is, noisy,
and too sure by a factor. It also says of spots nearby whether they look like the room in question.
"""

from typing import Any, Literal

import jax
import jax.numpy as jnp
import numpy as np

from umwelt.claims.arms import Computed, Measure
from umwelt.core import part, struct
from umwelt.evaluation import conformal
from umwelt.planners.frontier import Frontier

RIGHT_AT_90 = Measure(name="right_at_90", unit="share", better="up")
"""Right answers where one in ten may be wrong."""
RIGHT_AT_80 = Measure(name="right_at_80", unit="share", better="up")
"""Right answers where one in five may be wrong."""
DECISIONS = Measure(name="decisions", unit="decisions", better="down")
"""Spots walked until the answer, where one in ten may be wrong; the mean."""
SPOTS = np.stack(np.meshgrid(np.arange(6), np.arange(4), indexing="ij"), axis=-1).reshape(-1, 2)
ROOMS = (SPOTS[:, 0] // 2) * 2 + SPOTS[:, 1] // 2
APART = np.abs(SPOTS[:, None] - SPOTS[None]).sum(-1).astype(np.float32)
"""Spots that must be walked from one to the other."""
ANSWERS = 4


@struct
class Runs:
    """Explorations [N] of T views. probability: float32 [N, T, A]. walked: float32 [N, T], decisions so far. truth: int32 [N]."""

    probability: jax.Array
    walked: jax.Array
    truth: jax.Array


@part
class Asked:
    """Explore houses until an answer is given; a function of a key."""

    trust: Literal["conformal", "threshold"] = "conformal"
    """When to answer: where one answer is left, or where the likeliest passes the level that takes as many decisions."""
    led: bool = True
    """Whether the value of spots leads the way; else the nearest one is next."""
    sure: float = 2.5
    """By what factor the model is too sure."""
    calibration: int = 200
    """Houses for calibration."""
    test: int = 400
    """Houses that count."""

    def __call__(self, key: jax.Array) -> dict[str, jax.Array]:
        """Calibrate, explore, and answer: {measure: float32 []}."""
        houses = jax.random.split(key, self.calibration + self.test)
        runs = jax.vmap(self._explored)(houses)
        known = jax.tree.map(lambda leaf: leaf[: self.calibration], runs)
        new = jax.tree.map(lambda leaf: leaf[self.calibration :], runs)
        found: dict[str, jax.Array] = {}
        for name, miss in (("right_at_90", 0.1), ("right_at_80", 0.2)):
            moment, answer = self._answered(known, new, miss)
            found[name] = jnp.mean((answer == new.truth).astype(jnp.float32))
            if miss == 0.1:
                found["decisions"] = jnp.mean(_walked(new, moment))
        return found

    def _answered(self, known: Runs, new: Runs, miss: float) -> tuple[jax.Array, jax.Array]:
        limit = conformal.quantile(conformal.worst(known.probability, known.truth), miss)
        if self.trust == "conformal":
            return conformal.stops(new.probability, limit)
        wanted = jnp.mean(_walked(known, conformal.stops(known.probability, limit)[0]))
        levels = jnp.concatenate([jnp.linspace(0.3, 0.99, 100), 1.0 - jnp.logspace(-2, -7, 100)])
        spent = jax.vmap(lambda level: jnp.mean(_walked(known, conformal.stops_above(known.probability, level)[0])))(levels)
        return conformal.stops_above(new.probability, levels[jnp.argmin(jnp.abs(spent - wanted))])

    def _explored(self, key: jax.Array) -> Runs:
        """One house, seen from every spot in the order of the frontier."""
        drawing, seeing = jax.random.split(key)
        begins, room, within, thing = (jax.random.randint(each, (), 0, n) for each, n in
                                       zip(jax.random.split(drawing, 4), (len(SPOTS), 6, 4, ANSWERS), strict=True))  # fmt: skip
        asked = jnp.asarray(ROOMS) == room
        spot = jnp.argsort(~asked, stable=True)[within]
        frontier = Frontier(value=0.5 if self.led else float("inf"), distance=10.0 if self.led else 1.0)
        apart = jnp.asarray(APART)

        def view(held: Any, key: jax.Array) -> tuple[Any, Any]:
            at, unseen, value, walked = held
            answering, looking = jax.random.split(key)
            # nearly sure beside the thing, and hardly better than chance across the house
            plain = 4.0 * jnp.exp(-apart[at, spot] / 2.0) * jax.nn.one_hot(thing, ANSWERS)
            chance = jax.nn.softmax(self.sure * (plain + 0.5 * jax.random.normal(answering, (ANSWERS,))))
            unseen = unseen.at[at].set(False)
            looks = asked + 0.5 * jax.random.normal(looking, asked.shape)
            value = jnp.where(apart[at] <= 2.0, 0.5 * value + 0.5 * looks, value)
            onward = frontier.choose(value, unseen, apart[at])
            return (onward, unseen, value, walked + apart[at, onward]), (chance, walked)

        begun = begins, jnp.ones(len(SPOTS), bool), jnp.zeros(len(SPOTS)), jnp.float32(0.0)
        _, (probability, walked) = jax.lax.scan(view, begun, jax.random.split(seeing, len(SPOTS)))
        return Runs(probability=probability, walked=walked, truth=thing)


def _walked(runs: Runs, moment: jax.Array) -> jax.Array:
    return jnp.take_along_axis(runs.walked, moment[:, None], axis=1)[:, 0]


def arm(**settings: Any) -> Computed:
    """Make an arm of the study."""
    return Computed(function=Asked(**settings), measures=(RIGHT_AT_90, RIGHT_AT_80, DECISIONS), together=True)
