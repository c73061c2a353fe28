"""What the parts of a mind ask the outside between two stretches of a life."""

from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp

from umwelt.core.contracts import Consults, Outside
from umwelt.life.mind import Mind


class Consulting:
    """Lets every state in agent and teacher that consults ask the life's voice, in the order of their leaves.

    voice: has `answer(questions) -> answers`, or is None where nothing asks. Notes of the parts gather in `notes`, as
    (name, message) of events.
    """

    def __init__(self, voice: Any, seeds: int) -> None:
        self.seeds = seeds
        self.notes: list[tuple[str, str]] = []
        self._outside = voice and Outside(answer=voice.answer, note=self._note)

    def consult(self, mind: Mind) -> Mind:
        """The mind after all its parts have asked."""
        if self._outside is None:
            return mind
        leaves, form = jax.tree.flatten((mind.agent, mind.teacher), is_leaf=consults)
        agent, teacher = form.unflatten([self._consulted(leaf) if consults(leaf) else leaf for leaf in leaves])
        return replace(mind, agent=agent, teacher=teacher)

    def _consulted(self, state: Any) -> Any:
        """One state after it has asked; of several seeds, each in turn."""
        if self.seeds == 1:
            return state.consult(self._outside)
        rows = [jax.tree.map(lambda leaf: leaf[seed], state).consult(self._outside) for seed in range(self.seeds)]  # noqa: B023
        return jax.tree.map(lambda *leaves: jnp.stack([jnp.asarray(leaf) for leaf in leaves]), *rows)

    def _note(self, name: str, message: str) -> None:
        self.notes.append((name, message))


def consults(state: Any) -> bool:
    """Whether this is the state of a part that asks the outside."""
    return not isinstance(state, jax.Array) and isinstance(state, Consults)
