"""Read instructions off the pages that were filled, whatever they were filled for.

The meta-trainer of "Learning to navigate the web" (2019): what a policy brought about is the instruction that it should
have had. Here it is a memory, as hindsight is.
"""

from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp

from umwelt.core import Experience, capability, keys, part, select
from umwelt.core.contracts import Memory
from umwelt.memory.hindsight import Hindsight


@part
class Filled:
    """A memory that gives a share of its transitions the instruction that their next page fulfils.

    Fields that are still empty get values at random, which any later step may still fill in. No episode is searched, so a
    memory of single transitions will do.

    >>> from umwelt.core import lived
    >>> from umwelt.memory import Ring
    >>> from umwelt.worlds import Page
    >>> world = Page(fields=2, values=3)

    >>> task = jax.tree.map(lambda leaf: jnp.asarray(leaf)[None], world.tasks()["empty"])
    >>> state, step = world.init(jax.random.key(0), task)
    >>> _, next = world.step(jax.random.key(1), state, jnp.array([1]), task)

    >>> memory = Filled(memory=Ring(bytes=2000), world=world, share=1.0)

    >>> held = memory.add(jax.random.key(2), memory.init(lived(step, jnp.array([1]), next)), lived(step, jnp.array([1]), next))

    >>> found = memory.sample(jax.random.key(3), held, (1,))
    >>> int(found.step.observation["instruction"][0, 0].argmax())  # the value that was filled into the first field
    1
    """

    cites = ("qweb_2019",)

    memory: Memory
    """A memory of transitions."""
    world: Any
    """The world that the agent lives in, with `posed`, `achieved`, `reward` and `continues`, as `Page` has."""
    share: float = 0.5
    """The share of transitions that are relabelled."""

    @property
    def bytes(self) -> int:
        """The budget of the memory inside."""
        return self.memory.bytes

    def init(self, example: Experience) -> Any:
        """Make the memory inside empty."""
        if not 0.0 <= self.share <= 1.0:
            raise ValueError(f"share={self.share}: the share of relabelled transitions lies between 0 and 1")
        return self.memory.init(example)

    def add(self, key: jax.Array, state: Any, experience: Experience) -> Any:
        """Keep experience [B] as it came."""
        return self.memory.add(key, state, experience)

    def sample(self, key: jax.Array, state: Any, shape: tuple[int, ...]) -> Experience:
        """Draw transitions, a share of them with the instruction that their next page fulfils."""
        drawing, filling, sharing = keys.split(key, "draw", "fill", "share")
        drawn = self.memory.sample(drawing, state, shape)
        if len(shape) != 1:
            raise ValueError(f"shape={shape}: Filled relabels single transitions, so ask for (N,)")
        reached: Any = capability(self.world, "achieved", "world")
        goal = reached(drawn.next.observation)
        values = drawn.next.observation["page"].shape[-1]
        goal = jnp.where(goal < 0, jax.random.randint(filling, goal.shape, 0, values), goal)
        hindsight = Hindsight(memory=self.memory, world=self.world)
        relabelled = replace(hindsight.relabelled(replace(drawn, task=None), goal), task=drawn.task)
        relabels = (jax.random.uniform(sharing, shape) < self.share) & drawn.valid
        return select(relabels, relabelled, drawn)

    def held(self, state: Any) -> jax.Array:
        """Count the transitions that the memory inside holds, int32."""
        return self.count(state)

    def count(self, state: Any) -> jax.Array:
        """Count what the memory inside can draw, int32."""
        return self.memory.count(state)
