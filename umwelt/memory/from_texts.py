"""Demonstrations that are compiled from texts: these say how to do something, and show no moment of it.

"Synatra: turning indirect knowledge into direct demonstrations for digital agents at scale" (2024). A text becomes steps. For
each step, pages are made up on which it is the next thing to do: what the steps before it did is done, and the rest is not. The
paper's language model, which writes pages and actions, is a small grammar here.
"""

from collections.abc import Iterator
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from umwelt.core import FIRST, SHOWN, TERMINATED, TRUNCATED, Experience, TimeStep, WorldSpec, part
from umwelt.memory.episodes import transitions
from umwelt.memory.pieces import lay

VERBS = {"open": "press", "press": "press", "fill": "fill", "type": "fill"}
"""What a sentence may begin with, and which kind of step it means."""

Step = tuple[str, str]
"""A kind of step, "press" or "fill", and the label of what it is done to."""


def steps_of(text: str, labels: tuple[str, ...]) -> tuple[Step, ...]:
    """Read a text such as "open the menu, fill the name, press submit" as steps.

    >>> steps_of("open the menu, fill the name", ("menu", "name"))
    (('press', 'menu'), ('fill', 'name'))
    """
    steps = []
    for clause in filter(None, (each.strip() for each in text.replace(" then ", ",").split(","))):
        words = [word for word in clause.lower().split() if word not in ("the", "a", "in")]
        if len(words) != 2 or words[0] not in VERBS:
            raise ValueError(f"procedures: {clause!r} is no step; write one of {', '.join(VERBS)}, and then a label")
        if words[1] not in labels:
            raise ValueError(f"procedures: no page has a {words[1]!r}; the labels are {', '.join(labels)}")
        steps.append((VERBS[words[0]], words[1]))
    if not steps:
        raise ValueError(f"procedures: {text!r} says no step")
    return tuple(steps)


@part
class Compiled:
    """Shows single moments, each an episode of one decision: a page that is made up, and the step that a text says next."""

    world: Any
    """The pages: `labels`, texts, and `slots`, how many labels a page holds; `follows(steps)`, which raises ValueError for steps
    that cannot be followed; `situation(key, needed, number) -> body`, a page on which step `number` is next of steps with the
    labels `needed`, int32 [slots] and -1 behind the last; `doing(body, label) -> action`; `observe` and `advance` as in every
    pure world."""
    procedures: tuple[str, ...]
    """Texts that `steps_of` reads."""
    per: int = 10
    """Pages of each step of each text."""

    def read(self, key: jax.Array, spec: WorldSpec) -> Iterator[Experience]:
        """Yield pieces [T, spec.batch] of episodes of one decision, laid end to end."""
        self.check(spec)
        seen, actions, after, ended = (jax.tree.map(np.asarray, each) for each in self.compiled(key))

        def episode(number: int) -> Experience:
            both = jax.tree.map(lambda one, other: np.stack([one[number], other[number]]), seen, after)
            kind = np.array([FIRST, TERMINATED if ended[number] else TRUNCATED], np.int8)
            # what a text earns is not known, and cloning does not ask
            step = TimeStep(kind=kind, observation=both, reward=np.zeros(2, np.float32))
            return transitions(step, actions[number : number + 1], None, SHOWN)

        yield from lay(episode, [1] * len(actions), spec.batch)

    def check(self, spec: WorldSpec) -> None:
        """Raise ValueError for a life in another world than this one's pages, or for texts that cannot be followed."""
        if spec.observation != self.world.spec.observation:
            raise ValueError(f"world: its pages are {self.world.spec.observation}, where {spec.name} has {spec.observation}")
        if self.per < 1 or not self.procedures:
            raise ValueError(f"per={self.per}, procedures={self.procedures}: give at least one text, and one page for each step")
        for text in self.procedures:
            self.world.follows(steps_of(text, self.world.labels))

    def compiled(self, key: jax.Array) -> tuple[Any, jax.Array, Any, jax.Array]:
        """Observations, actions, observations after them, and whether the page is left; leaves [N, ...]."""
        moments = []
        for text in self.procedures:
            needed = [self.world.labels.index(label) for _, label in steps_of(text, self.world.labels)]
            padded = needed + [-1] * (self.world.slots - len(needed))
            moments += [(padded, number) for number in range(len(needed)) for _ in range(self.per)]
        needed, number = (jnp.array(each, jnp.int32) for each in zip(*moments, strict=True))

        def made(key: jax.Array, needed: jax.Array, number: jax.Array) -> Any:
            body = self.world.situation(key, needed, number)
            action = self.world.doing(body, needed[number])
            after, _, ended = self.world.advance(key, body, action, None)
            return self.world.observe(body, None), action, self.world.observe(after, None), ended

        return jax.vmap(made)(jax.random.split(key, len(moments)), needed, number)
