"""The spec of a world: what an agent must know before the first step."""

from typing import Any

from umwelt.core.struct import part


@part
class WorldSpec:
    """The spaces of a world and the number of episodes that run in parallel.

    observation, action, task: spaces (pytrees of Box and Discrete) of one row, without the batch axis.
    batch: B, the leading axis of every task, action and time step.
    hosted: True where `step` is an ordinary Python function that acts on a simulator.
    repeat: how many frames of the simulator one decision takes.
    """

    name: str
    observation: Any
    action: Any
    task: Any
    batch: int = 1
    hosted: bool = False
    repeat: int = 1
