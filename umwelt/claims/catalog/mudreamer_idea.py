"""What a model without a decoder is good for: its beliefs hold what matters, and leave out the noise around it."""

from typing import Any

import jax
import jax.numpy as jnp

from umwelt.claims.arms import Computed, Measure
from umwelt.claims.claim import Claim, Expect
from umwelt.claims.studies.models import ByTask, Distracted
from umwelt.core import keys, part
from umwelt.evaluation import study
from umwelt.models import Rssm
from umwelt.networks import beliefs
from umwelt.networks.form import numbers
from umwelt.recipes.variation import varied
from umwelt.worlds import Pendulum


@part
class Probed:
    """What can be read from a model's beliefs by a linear map, of what it saw.

    body: the share of the variance of the world's own numbers that is read, R squared. noise: that of the numbers of noise.
    apart: the difference.
    """

    data: Distracted
    """Makes lessons and exams."""
    model: Any
    """A model that replays sequences."""
    updates: int = 3000
    """Updates."""
    batch: int = 16
    """Sequences of an update."""
    length: int = 16
    """Transitions of a sequence."""
    context: int = 10
    """Transitions that are observed before a belief is read."""
    ridge: float = 1.0
    """Penalty on the weights of the linear map."""

    def __call__(self, key: jax.Array) -> dict[str, jax.Array]:
        """Measure one seed: half of the exams fit the map, the other half measures it."""
        making, beginning, learning, reading = keys.split(key, "data", "model", "learn", "read")
        lessons, exams = self.data(making, self.context)
        data = jax.tree.map(lambda leaf: jnp.swapaxes(leaf, 0, 1), lessons)
        state = self.model.init(beginning, self.data.spec)
        state = study.study(learning, self.model, state, data, self.updates, self.batch, self.length)
        seen = jax.tree.map(lambda leaf: leaf[0], exams)
        believed = numbers(jax.tree.map(lambda leaf: leaf[-1], beliefs.recalled(reading, self.model, state, seen)))
        found = seen.next.observation[:, -1]
        inputs = jnp.concatenate([believed, jnp.ones((len(believed), 1))], axis=1)
        half = len(inputs) // 2
        fit, target = inputs[:half], found[:half]
        weights = jnp.linalg.solve(fit.T @ fit + self.ridge * jnp.eye(fit.shape[1]), fit.T @ target)
        missed = jnp.mean((inputs[half:] @ weights - found[half:]) ** 2, axis=0) / jnp.var(found[half:], axis=0)
        own = found.shape[1] - self.data.entries
        body, noise = 1.0 - jnp.mean(missed[:own]), 1.0 - jnp.mean(missed[own:])
        return {"body": body, "noise": noise, "apart": body - noise}


GRASPING = Computed(
    function=Probed(
        data=Distracted(
            data=ByTask(world=Pendulum(time_limit=50), tasks=("earth",), steps=6000, exam=12000), entries=32, memory=0.95
        ),
        model=Rssm(deterministic=64, groups=4, classes=8, units=64, targets="value and action"),
    ),
    measures=(
        Measure(name="apart", unit="share", better="up"),
        Measure(name="body", unit="share", better="up"),
        Measure(name="noise", unit="share", better="down"),
    ),
    together=True,
)

grasp = Claim(
    name="mudreamer_idea",
    says="of 32 numbers of noise beside three that matter, beliefs without a decoder tell the two kinds {gain:.2f} [{low:.2f},"
    " {high:.2f}] farther apart than beliefs with one",
    recipe="mudreamer",
    cites=("mudreamer_2024",),
    arms={"grasping": GRASPING, "decoding": varied(GRASPING, {"function.model.targets": "observation"})},
    expects=(Expect(measure="apart", arm="grasping", over="decoding", by=0.2),),
    minutes=8,
    tried="one setting: beliefs without a decoder leave all noise out, but with two of five seeds most of the body too",
    not_shown="returns; videos behind a robot; batch normalisation, which the published system needs",
)
