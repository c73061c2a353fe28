"""Call a decision program step after step: what an exported policy and `umwelt.load` share.

A copy of this file travels in every exported policy, so it needs NumPy alone.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

Decide = Callable[..., tuple[list[Any], list[Any], Any]]
"""(carry, leaves of the observation, reward [N], first [N], words [2], number) -> (carry, leaves of the action, doubt [N])."""


class Player:
    """One body that acts. codec: both directions; begun: the carry before the first step; rows: None for one at a time.

    words: uint32 [2], the seed. carry: what the program hands on from call to call.
    """

    def __init__(self, decide: Decide, codec: Any, begun: list[Any], rows: int | None = None, seed: int = 0) -> None:
        if not 0 <= seed < 2**64:
            raise ValueError(f"seed: {seed} is not a whole number from 0 to 2**64 - 1; give such a one")
        self._decide, self._codec, self._begun = decide, codec, begun
        self.rows, self.seed = rows, seed
        self.words = np.array([seed >> 32, seed & 0xFFFFFFFF], np.uint32)
        self._shape = (rows or 1,)
        self.reset()

    def __call__(self, observation: Any) -> Any:
        """The action for an observation, as the environment takes it; a batch of them where there are rows."""
        leaves = self._codec.observation(observation)
        number = np.int32(self._number % 2**31)  # a loop of 1 kHz gets there within a month
        self.carry, action, self._doubt = self._decide(self.carry, leaves, self._reward, self._first, self.words, number)
        self._number += 1
        self._reward, self._first = self._zeros, self._nowhere
        return self._codec.action([np.asarray(leaf) for leaf in action])

    def reset(self) -> None:
        """Begin again as after loading: the next call begins an episode, and draws the same numbers."""
        self.carry, self._number = self._begun, 0
        self._zeros, self._nowhere = np.zeros(self._shape, np.float32), np.zeros(self._shape, bool)
        self._reward, self._first = self._zeros, ~self._nowhere
        self._doubt: Any = np.full(self._shape, np.nan, np.float32)

    def tell(self, reward: Any, terminated: Any = False, truncated: Any = False) -> None:
        """Say what the last action brought, before the next call. After an end, the next call begins an episode."""
        paid = self._row(reward, "reward", "fiub").astype(np.float32)
        if not np.isfinite(paid).all():
            raise ValueError("reward: it holds NaN or infinity; expected finite numbers")
        ended = self._row(terminated, "terminated", "iub").astype(bool) | self._row(truncated, "truncated", "iub").astype(bool)
        if not self._number:
            raise ValueError("tell: no action was asked for yet; call the policy with an observation first")
        self._first = self._first | ended  # an end stays one, whatever is said after it
        self._reward = np.where(self._first, np.float32(0), paid)

    @property
    def doubt(self) -> Any:
        """How little the model trusted its expectation of the last observation: about 1 is not at all, NaN is unknown."""
        found = np.asarray(self._doubt)
        return float(found[0]) if self.rows is None else found

    @property
    def steps(self) -> int:
        """Decisions since the last reset."""
        return self._number

    @property
    def begins(self) -> bool:
        """True where the next call begins an episode, in any row."""
        return bool(self._first.any())

    def _row(self, value: Any, name: str, kinds: str) -> np.ndarray:
        """One value for each row; a single one of flags stands for all."""
        found = np.asarray(value)
        if found.shape == () and (self.rows is None or found.dtype.kind == "b"):
            found = np.broadcast_to(found, self._shape)
        if found.shape != self._shape or found.dtype.kind not in kinds:
            wanted = f"{'flags' if 'f' not in kinds else 'numbers'} of shape {[] if self.rows is None else [self.rows]}"
            raise ValueError(f"{name}: expected {wanted}, and it is {found.dtype}{list(found.shape)}")
        return found
