"""Name the numbers of an observation: for people, never for the agent.

A world may say what each number means, in `observation_names()`. The leaves of a dict, or of a struct, have names anyway.
"""

import math
from typing import Any

import jax

from umwelt.core import Discrete, capability, spaces

MOST = 512
"""The widest observation whose numbers have names; wider ones are pictures, or as good as that."""


def names_of(world: Any) -> tuple[str, ...]:
    """Return a name for each number of an observation, in the order of `umwelt.core.spaces.features`; () where none is known.

    Names that do not fit the observation count as unknown; `umwelt.check.world` reports them.
    """
    space = world.spec.observation
    if spaces.width(space) > MOST:
        return ()
    given = capability(world, "observation_names")
    names = () if given is None else given()
    texts = all(isinstance(name, str) and name.isprintable() for name in names)
    return names if texts and len(names) == len(set(names)) == spaces.width(space) else leaf_names(space)


def leaf_names(space: Any) -> tuple[str, ...]:
    """Name each number of a dict, a tuple or a struct by its leaf; () of a space that is one leaf.

    >>> from umwelt.core import Box
    >>> leaf_names({"place": Box(shape=(2,)), "speed": Box()})
    ('place 0', 'place 1', 'speed')
    """
    if spaces.is_leaf(space):
        return ()
    named = []
    for path, leaf in jax.tree_util.tree_leaves_with_path(space, is_leaf=spaces.is_leaf):
        name = jax.tree_util.keystr(path, simple=True, separator=" ")
        count = leaf.n if isinstance(leaf, Discrete) else math.prod(leaf.shape)
        named += [name] if count == 1 else [f"{name} {index}" for index in range(count)]
    return tuple(named)
