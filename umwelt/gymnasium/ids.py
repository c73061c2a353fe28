"""Register the library's worlds with Gymnasium, each under an id of its own."""

import gymnasium

from umwelt.worlds import BUILT_IN
from umwelt.worlds.streams import PURE

MADE, MADE_IN_ROWS = "umwelt.gymnasium:make", "umwelt.gymnasium:make_vec"
"""What Gymnasium calls to make an environment, and to make a vector of them."""
IDS = {f"umwelt/{''.join(word.capitalize() for word in name.split('_'))}-v0": name for name in (*BUILT_IN, *PURE)}
"""The id of every built-in world and of every stream of pure tasks."""


def register() -> None:
    """Register all ids; those that are registered already stay as they are."""
    for id, name in IDS.items():
        if id not in gymnasium.registry:
            gymnasium.register(id, MADE, kwargs={"name": name}, vector_entry_point=MADE_IN_ROWS)
