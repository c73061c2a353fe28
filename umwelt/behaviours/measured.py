"""A transition that is measured first and then learned from at once."""

from dataclasses import replace
from typing import Any

import jax.numpy as jnp

from umwelt.core import TERMINATED, Experience, Info, TimeStep, lived


def measured(step: TimeStep, action: Any, next: TimeStep, info: Info) -> Experience:
    """The transition [B] with its surprise, in a form that a program cannot learn from before it was measured.

    Otherwise the compiler may write into the model before the doubt is read, and keeps a copy of all that the model
    knows to read it from. So the doubt is asked whether it is below zero, which it never is: that would make a seam.
    """
    experience = lived(step, action, next, surprise=info["surprise"])
    kind = jnp.where(info["doubt"] < 0.0, jnp.int8(TERMINATED), step.kind)
    return replace(experience, step=replace(step, kind=kind))
