"""What the parts of an agent keep on disk, looked after between two stretches of its life."""

from pathlib import Path
from typing import Any

import jax

from umwelt.core.contracts import Spills
from umwelt.life.saves.disk import room


class Shelves:
    """The folder with one folder for each part that spills, by the order in which they stand in the agent."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def spill(self, agent: Any) -> Any:
        """The agent's state after all its parts have written and fetched; the one passed in is used up."""
        leaves, form = jax.tree.flatten(agent, is_leaf=spills)
        number = 0
        for index, leaf in enumerate(leaves):
            if spills(leaf):
                with room(self.folder):
                    leaves[index] = leaf.spill(self.folder / str(number))
                number += 1
        return jax.tree.unflatten(form, leaves) if number else agent

    def sync(self, agent: Any) -> None:
        """Have the disk remember, before a save."""
        parts = [leaf for leaf in jax.tree.leaves(agent, is_leaf=spills) if spills(leaf)]
        for number, leaf in enumerate(parts):
            with room(self.folder):
                leaf.sync(self.folder / str(number))


def spills(state: Any) -> bool:
    """Whether this is the state of a part that keeps something on disk."""
    return not isinstance(state, jax.Array) and isinstance(state, Spills)
