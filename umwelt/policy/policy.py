"""Load what a life learned, and act with it: `umwelt.load`."""

import warnings
from functools import partial
from pathlib import Path
from typing import Any

import jax
import numpy as np

from umwelt.core import Prediction, keys, part, spaces
from umwelt.evaluation.proctor import is_hosted_mind
from umwelt.life.api import life_of
from umwelt.life.compiled import keep_compiled
from umwelt.life.composition import BadLife
from umwelt.life.engine import Engine
from umwelt.life.folder.folder import Folder
from umwelt.life.saves.saver import Saver
from umwelt.policy.codec import Codec
from umwelt.policy.describing import describe
from umwelt.policy.player import Player
from umwelt.policy.program import Learned, Program, drawn


@part
class Imagined:
    """What a policy expects of H actions, as NumPy arrays [H, ...], or [H, N, ...] of a batch.

    observation: as the life's agent sees it, or None where its model has no decoder. continues: the probability that the
    episode goes on. doubt: how little the model trusts itself there.
    """

    observation: Any
    reward: np.ndarray
    continues: np.ndarray
    doubt: np.ndarray


class Policy:
    """What a life learned, as a function from observations to actions. It examines and never explores; nothing is written.

    learned: agent, state and world. description: of the environment's own forms, see `umwelt.policy.describing`.
    """

    def __init__(self, learned: Learned, description: dict[str, Any], *, seed: int = 0, rows: int | None = None) -> None:
        self.learned, self.description, self.seed = learned, description, seed
        self._programs: dict[int, Program] = {}
        self._imagining: dict[int, Any] = {}
        self._begin(rows)

    def __call__(self, observation: Any) -> Any:
        """The action for an observation, as the environment takes it; a batch of N where it was loaded with rows=N."""
        return self._player(observation)

    def reset(self, rows: int | None = None) -> None:
        """Begin again as after loading: the next call begins an episode, and the same numbers are drawn.

        rows: so many observations at once from now on; None leaves it as it is.
        """
        if rows is None or rows == self.rows:
            self._player.reset()
        else:
            self._begin(rows)

    def tell(self, reward: Any, terminated: Any = False, truncated: Any = False) -> None:
        """Say what the last action brought, before the next call. After an end, the next call begins an episode."""
        self._player.tell(reward, terminated, truncated)

    def another(self, seed: int | None = None) -> "Policy":
        """A second body with the same knowledge and the same compiled programs, before its first step."""
        made = object.__new__(Policy)
        made.__dict__.update(self.__dict__, seed=self.seed if seed is None else seed)
        made._begin(self.rows)
        return made

    def imagine(self, actions: Any) -> Imagined:
        """What the model expects of actions [H, ...], in the environment's own form, from the present belief."""
        if not self.steps:
            raise ValueError("imagine: the policy has seen nothing yet; call it with an observation first")
        leaves = self.codec.action_leaves(actions)
        chosen = jax.tree.unflatten(jax.tree.structure(self.program.world.spec.action, is_leaf=spaces.is_leaf), leaves)
        agent, rows = self.learned.agent, self.rows or 1
        if rows not in self._imagining:
            self._imagining[rows] = _dream if is_hosted_mind(agent) else jax.jit(_dream, static_argnums=0)
        found = self._imagining[rows](agent, self._player.words, self.steps, self.program.body(self._player.carry), chosen)
        if found is None:
            raise ValueError(f"imagine: {type(agent).__name__} has no world model, so there is nothing that it could expect")
        single = partial(_first_row, self.rows is None)
        observation = None if found.observation is None else jax.tree.map(single, found.observation)
        return Imagined(
            observation=observation, reward=single(found.reward), continues=single(found.continues), doubt=single(found.doubt)
        )

    @property
    def rows(self) -> int | None:
        """Observations at once; None for one without a leading axis."""
        return self._player.rows

    @property
    def doubt(self) -> Any:
        """How little the model trusted its expectation of the last observation; NaN where there is none."""
        return self._player.doubt

    @property
    def steps(self) -> int:
        """Decisions since the last reset."""
        return self._player.steps

    @property
    def begins(self) -> bool:
        """True where the next call begins an episode, in any row."""
        return self._player.begins

    def _begin(self, rows: int | None) -> None:
        if rows is not None and rows < 1:
            raise ValueError(f"rows: {rows} observations at once leave nothing to do; give at least 1, or None for one alone")
        number = rows or 1
        if number not in self._programs:
            self._programs[number] = Program(self.learned, number)
            self._programs[number].compile()
        self.program, self.codec = self._programs[number], Codec(self.description, rows)
        self._player = Player(self.program.decide, self.codec, self.program.begun, rows, self.seed)


def load(path: str | Path, *, seed: int = 0, which: int = 0, rows: int | None = None, lives: str | Path = "lives") -> Policy:
    """Load the last save of a life as a policy.

    seed: what its draws come from. which: of a life of several seeds, the place of the one that is meant. rows: so many
    observations at once; None for one without a leading axis.
    """
    learned = learned_of(Folder.read(path, lives=lives), which)
    return Policy(learned, describe(learned.world), seed=seed, rows=rows)


def learned_of(folder: Folder, which: int = 0) -> Learned:
    """What the life in a folder has learned at its last save. Nothing is written."""
    keep_compiled()
    life = life_of(folder)
    if not 0 <= which < life.seeds:
        raise BadLife(f"which: {folder.path} has {life.seeds} seeds, and {which} is none of 0 .. {life.seeds - 1}")
    saver = Saver(folder.checkpoints, Engine(life))
    mind = saver.load_minds()[which]
    for note in saver.checkpoints.notes:
        warnings.warn(note, stacklevel=3)
    return Learned(agent=life.agent, state=mind.agent, world=life.world)


def _dream(agent: Any, words: Any, number: Any, body: Any, actions: Any) -> Prediction | None:
    return agent.imagine(keys.fold(drawn(words, number), "imagine"), body, actions)


def _first_row(alone: bool, leaf: Any) -> np.ndarray:
    found = np.asarray(leaf)
    return found[:, 0] if alone else found
