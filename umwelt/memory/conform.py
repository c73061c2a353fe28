"""The form in which every memory keeps experience: steps, and the links between them.

Two steps and their link make a transition. Lived and shown experience differ in what is known: the surprise of a lived
transition is measured, and the rewards to come of a shown one are known. `conform` gives both the form of the example.
"""

from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp

from umwelt.core import FIRST, TERMINATED, TRUNCATED, Experience, TimeStep, struct


@struct
class Link:
    """What belongs to a transition beside its two steps: the fields of `Experience` of the same names."""

    action: Any
    origin: Any
    task: Any
    surprise: Any
    to_come: Any
    born: Any = None


def conform(experience: Experience, like: Experience | Link) -> Experience:
    """Experience [B] with the optional fields of `like`, whose leaves may have other leading axes.

    A field that `like` lacks is dropped. A field that the experience lacks is filled: surprise and to_come with NaN, task
    and born with zeros: what is shown comes before the life.
    """
    return replace(
        experience,
        task=_fitted("task", experience, like, 0),
        surprise=_fitted("surprise", experience, like, jnp.nan),
        to_come=_fitted("to_come", experience, like, jnp.nan),
        born=_fitted("born", experience, like, 0),
    )


def link(experience: Experience) -> Link:
    """The link of a transition, for any leading axes."""
    return Link(
        action=experience.action,
        origin=experience.origin,
        task=experience.task,
        surprise=experience.surprise,
        to_come=experience.to_come,
        born=experience.born,
    )


def joined(steps: TimeStep, links: Link, axis: int = 0) -> Experience:
    """The transitions of L + 1 steps and the L links between them, along `axis`."""

    def cut(index: slice) -> TimeStep:
        return jax.tree.map(lambda leaf: leaf[(slice(None),) * axis + (index,)], steps)

    parts = {name: getattr(links, name) for name in ("action", "origin", "task", "surprise", "to_come", "born")}
    return Experience(step=cut(slice(None, -1)), next=cut(slice(1, None)), **parts)


def parted(chunk: Experience) -> tuple[TimeStep, Link]:
    """A sequence [L] as its L + 1 steps and the L links between them: the inverse of `joined`."""
    steps = jax.tree.map(lambda first, rest: jnp.concatenate([first[:1], rest]), chunk.step, chunk.next)
    return steps, link(chunk)


def blanked(experience: Experience, rows: Any) -> Experience:
    """Experience [B] in which `rows` (bool [B]) are blank: no memory keeps them, and no stream goes on through them."""
    step, after = (
        replace(each, kind=jnp.where(rows, jnp.int8(TRUNCATED), each.kind)) for each in (experience.step, experience.next)
    )
    return replace(experience, step=step, next=after)


def is_blank(experience: Experience) -> Any:
    """bool, leading axes: an ended step that no FIRST follows, which no life has; it pads streams of unequal length."""
    return (experience.step.kind >= TERMINATED) & (experience.next.kind != FIRST)


def _fitted(name: str, experience: Experience, like: Experience | Link, fill: float) -> Any:
    held, given = getattr(like, name), getattr(experience, name)
    if held is None:
        return None
    if given is None:
        rows, lead = experience.origin.shape, like.origin.ndim
        return jax.tree.map(lambda leaf: jnp.full((*rows, *leaf.shape[lead:]), fill, leaf.dtype), held)
    if jax.tree.structure(held) != jax.tree.structure(given):
        raise ValueError(
            f"experience.{name}: its structure is {jax.tree.structure(given)}, where the memory was made for"
            f" {jax.tree.structure(held)}; give `init` an example of the same structure"
        )
    return given
