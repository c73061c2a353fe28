"""A weak learner on pages, with and without a library of macros that others' traces made."""

from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from umwelt.behaviours import DQN, ModelFree
from umwelt.behaviours.calling import Calling
from umwelt.behaviours.macros import Macros, MacrosState
from umwelt.claims.arms import Computed
from umwelt.claims.studies.lives import SUCCESS, lived_through, success
from umwelt.core import keys, part
from umwelt.life.body import Body
from umwelt.memory import Ring
from umwelt.teachers import Blocks
from umwelt.worlds.page_form import Page

PAGE = Page(batch=8)
MACROS = Macros(candidates=16, slots=4, longest=3)
WEAK = DQN(units=64, learning_rate=1e-3, discount=0.95, final_epsilon=0.1, epsilon_updates=1500, ema_rate=0.02)
HALVES = np.array([[0, 1, 2], [3, 4, 5]])
"""The fields of the two kinds of task that are proposed: the upper and the lower half of a page."""


@part
class Helped:
    """A life of a weak learner that calls macros; a function of a key."""

    helps: bool = True
    """Whether it has a library, or the choices of the page alone."""
    tested: bool = True
    """Whether macros must pass their practice before they are admitted."""
    spoilt: float = 0.3
    """The share of traces in which one action is wrong."""
    ticks: int = 625
    """Decisions of each of the eight rows; four updates follow each."""

    def __call__(self, key: jax.Array) -> dict[str, jax.Array]:
        """Make the library, live, and examine the policy on new instructions: {measure: float32 []}."""
        making, living, examining = keys.split(key, "library", "live", "examine")
        agent: Any = ModelFree(learner=WEAK, memory=Ring(bytes=4_000_000), batch=64)
        agent = Calling(agent=agent, skills=MACROS, length=3) if self.helps else agent
        body = Body(world=PAGE, agent=agent, teacher=Blocks())
        changes = {"skills": self.library(making)} if self.helps else {}
        _, mind = lived_through(body, living, self.ticks, updates=4, changes=changes)
        return {"success": success(body, examining, mind.agent, 64)}

    def library(self, key: jax.Array) -> MacrosState:
        """Align pairs of traces of each kind, and practise what comes of them."""
        writing, practising = keys.split(key, "write", "practise")
        kinds = jnp.arange(MACROS.candidates) % len(HALVES)
        actions, holes = jax.vmap(self._made)(jax.random.split(writing, MACROS.candidates), jnp.asarray(HALVES)[kinds])
        empty = MACROS.init(key, 2 * MACROS.submits, PAGE.spec.action)
        wanted = jnp.any(jnp.asarray(HALVES)[kinds][:, :, None] == jnp.arange(MACROS.fields), axis=1)
        state = MACROS.practised(practising, replace(empty, actions=actions, holes=holes), wanted)
        return MACROS.admit(state, self.tested)

    def _made(self, key: jax.Array, fields: jax.Array) -> tuple[jax.Array, jax.Array]:
        one, other = (self._trace(each, fields) for each in jax.random.split(key))
        return MACROS.aligned(one, other)

    def _trace(self, key: jax.Array, fields: jax.Array) -> jax.Array:
        """int32 [3]: fill the fields under an instruction that is drawn; where the trace is spoilt, one action is any."""
        drawing, spoiling, placing, choosing = jax.random.split(key, 4)
        right = fields * MACROS.values + jax.random.randint(drawing, fields.shape, 0, MACROS.values)
        wrong = right.at[jax.random.randint(placing, (), 0, 3)].set(jax.random.randint(choosing, (), 0, MACROS.submits))
        return jnp.where(jax.random.bernoulli(spoiling, self.spoilt), wrong, right).astype(jnp.int32)


def arm(**settings: Any) -> Computed:
    """Make an arm of the study."""
    return Computed(function=Helped(**settings), measures=(SUCCESS,), together=True)
