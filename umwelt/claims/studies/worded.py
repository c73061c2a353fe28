"""Play in the field of posts that was labelled with words afterwards, and probes that are asked in other words.

A wording is the sum of fixed random vectors, one for each run of three letters, at length one. So wordings that share
letters lie near each other, as they do for an encoder of sentences.
"""

import zlib
from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from umwelt.behaviours import Sequenced
from umwelt.claims.arms import Measure
from umwelt.claims.studies.crossed import Crossed
from umwelt.core import Box, Experience, WorldSpec, keys, part
from umwelt.networks.inside import with_batch
from umwelt.worlds import crossing

KNOWN = Measure(name="known_wording", unit="share", better="up")
"""The share of probes that cross through the gate asked for in words that labels had."""
OTHER = Measure(name="other_wording", unit="share", better="up")
"""The same in words that no label had."""
WORDINGS = (
    ("left gate", "go to the left", "cross on the left side", "take the left one"),
    ("middle gate", "go to the middle", "cross in the middle", "take the middle one"),
    ("right gate", "go to the right", "cross on the right side", "take the right one"),
)
"""How labels name each gate."""
OTHERS = (
    ("leftmost opening", "head left please"),
    ("middlemost opening", "head for the middle please"),
    ("rightmost opening", "head right please"),
)
"""How probes name them otherwise."""


@part
class Worded:
    """An agent that is shown labelled play and is asked for gates; a function of a key."""

    agent: Sequenced
    """Its learner reads `width` words behind the place."""
    width: int = 24
    """Numbers of a wording."""
    wrong: float = 0.1
    """Share of the episodes with the label of any gate."""
    rows: int = 50
    """Streams of episodes that are shown."""
    turns: int = 4
    """Episodes of each stream."""
    updates: int = 5000
    probes: int = 60
    """Probes of each gate in each kind of wording."""

    def __call__(self, key: jax.Array) -> dict[str, jax.Array]:
        """Show, study and ask: {measure: float32 []}."""
        playing, labelling, beginning, studying, asking = keys.split(key, "play", "label", "begin", "study", "ask")
        shown = self.labelled(labelling, self._crossed.shown(playing))
        state = self.agent.init(beginning, self.spec(self.rows))
        state, _ = self._crossed.studied(studying, state, shown)
        return {
            "known_wording": self.asked(asking, state, codes(WORDINGS, self.width)),
            "other_wording": self.asked(asking, state, codes(OTHERS, self.width)),
        }

    def spec(self, rows: int) -> WorldSpec:
        """A world that shows the place and, behind it, the wording."""
        return replace(self._crossed.field.spec, observation=Box(shape=(2 + self.width,), low=-1.0, high=1.0), batch=rows)

    def labelled(self, key: jax.Array, shown: Experience) -> Experience:
        """The experience [T, B] with a wording behind each place, the same throughout an episode."""
        erring, other, wording = keys.split(key, "err", "other", "wording")
        table = codes(WORDINGS, self.width)
        turn = jnp.maximum(jnp.cumsum(shown.step.first, axis=0) - 1, 0)
        row = jnp.arange(shown.step.first.shape[1])
        gates, each = jnp.asarray(list(crossing.GATES.values())), (self.turns, row.shape[0])
        # the gate that was asked for while an episode ran, of each episode
        asked = jnp.argmin(jnp.abs(shown.task.goal[..., :1] - gates), axis=-1)
        gate = jnp.zeros(each, jnp.int32).at[turn, row].max(jnp.where(shown.valid, asked, 0))
        drawn = jax.random.randint(other, each, 0, len(WORDINGS))
        gate = jnp.where(jax.random.bernoulli(erring, self.wrong, each), drawn, gate)
        said = table[gate, jax.random.randint(wording, each, 0, table.shape[1])]
        words = said[turn, row]
        later = jnp.concatenate([words[1:], words[-1:]])

        def behind(step: Any, words: jax.Array) -> Any:
            return replace(step, observation=jnp.concatenate([step.observation, words], axis=-1))

        return replace(shown, step=behind(shown.step, words), next=behind(shown.next, later), task=None)

    def asked(self, key: jax.Array, state: Any, table: jax.Array) -> jax.Array:
        """The share of probes that cross through the gate they are asked for, in wordings [gates, P, W]: float32 []."""
        beginning, embodying, rolling = keys.split(key, "begin", "embody", "roll")
        number = len(crossing.GATES) * self.probes
        gate, wording = jnp.arange(number) // self.probes, jnp.arange(number) % table.shape[1]
        words, field = table[gate, wording], self._crossed.field
        room, named = with_batch(field, number), [field.tasks()[name] for name in crossing.GATES]
        tasks = jax.tree.map(lambda *leaves: jnp.stack(leaves)[gate], *named)
        body = self.agent.embody(embodying, state, self.spec(number))

        def tick(carry: Any, key: jax.Array) -> tuple[Any, None]:
            body, inner, step, going, total = carry
            seeing, choosing, stepping = keys.split(key, "see", "act", "step")
            seen = replace(step, observation=jnp.concatenate([step.observation, words], axis=-1))
            body, _ = self.agent.see(seeing, body, seen)
            body, action = self.agent.act(choosing, body, "exploit")
            inner, next = room.step(stepping, inner, action, tasks)
            return (body, inner, next, going & ~next.last, total + jnp.where(going, next.reward, 0.0)), None

        begun = (body, *room.init(beginning, tasks), jnp.ones(number, bool), jnp.zeros(number))
        (*_, total), _ = jax.lax.scan(tick, begun, jax.random.split(rolling, field.time_limit))
        return jnp.mean((total > 0.5).astype(jnp.float32))

    @property
    def _crossed(self) -> Crossed:
        return Crossed(agent=self.agent, gates=True, rows=self.rows, turns=self.turns, updates=self.updates)


def codes(wordings: tuple[tuple[str, ...], ...], width: int) -> jax.Array:
    """Wordings as numbers: float32 [gates, P, width]."""
    return jnp.asarray([[_code(text, width) for text in texts] for texts in wordings], jnp.float32)


def _code(text: str, width: int) -> np.ndarray:
    padded = f" {text} "
    runs = [padded[index : index + 3] for index in range(len(padded) - 2)]
    total = sum(np.random.default_rng(zlib.crc32(run.encode())).normal(size=width) for run in runs)
    return np.asarray(total) / np.linalg.norm(total)
