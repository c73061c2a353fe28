"""Advice from a world's own expert, in the place of a language model, and as often wrong as is asked for."""

from typing import Any

import jax

from umwelt.core import capability, part, select, spaces


@part
class Advice:
    """Suggests what the world's expert would do on the default task, and sometimes anything.

    >>> from umwelt.worlds.key_rooms import KeyRooms
    >>> world = KeyRooms(rooms=1)

    >>> seen = jax.numpy.zeros((1, 23), "uint8").at[0, 12].set(1)  # the key is two columns to the right
    >>> int(Advice(world=world)(jax.random.key(0), seen)[0])
    3
    """

    world: Any
    """A world with `expert`."""
    wrong: float = 0.0
    """Share of suggestions that are random."""

    def __call__(self, key: jax.Array, observation: Any) -> Any:
        """Suggest actions [N] for observations [N, ...]."""
        for_expert, whether, which = jax.random.split(key, 3)
        expert: Any = capability(self.world, "expert", required="world")
        rows = jax.tree.leaves(observation)[0].shape[0]
        anything = spaces.sample(which, self.world.spec.action, rows)
        return select(jax.random.uniform(whether, (rows,)) < self.wrong, anything, expert(for_expert, observation, None))
