"""Two memories, one for shown and one for lived experience, and the shares in which both are drawn."""

from typing import Any

import jax
import jax.numpy as jnp

from umwelt.core import SHOWN, WATCHED, Experience, capability, keys, part, select, struct
from umwelt.core.contracts import Memory
from umwelt.memory.conform import blanked
from umwelt.memory.ring import Ring


@struct
class BothState:
    """The states of the two memories."""

    shown: Any
    lived: Any


@part
class Both:
    """Keeps shown experience apart from lived experience, and draws a fixed share of each.

    A share of 1 learns from the shown data alone. A share of 0.5 mixes both evenly (RLPD, 2023). A share of 0 drops the
    shown data once the life has begun (WSRL, 2024). A plain memory, without this part, appends one to the other.

    >>> from umwelt.core import lived, spaces, zeros_step
    >>> from umwelt.worlds import Pendulum

    >>> spec = Pendulum().spec
    >>> moment = lived(zeros_step(spec), spaces.zeros(spec.action, 1), zeros_step(spec))

    >>> memory = Both(shown=Ring(bytes=1000), lived=Ring(bytes=1000))
    >>> state = jax.jit(memory.add)(jax.random.key(0), memory.init(moment), moment)
    >>> int(memory.shown.count(state.shown)), int(memory.lived.count(state.lived))
    (0, 1)
    """

    shown: Memory = Ring()
    """Keeps shown and watched experience."""
    lived: Memory = Ring()
    """Keeps all other experience."""
    share: float = 0.5
    """The share of a draw that comes from shown experience, once `least` is reached."""
    least: int = 256
    """Until so many can be drawn of lived experience, all comes from shown experience."""

    @property
    def bytes(self) -> int:
        """The budgets of both together."""
        return self.shown.bytes + self.lived.bytes  # type: ignore[attr-defined]

    @property
    def length(self) -> int:
        """The longest sequence that both can draw, in transitions."""
        return min(getattr(memory, "length", 1) for memory in (self.shown, self.lived))

    def init(self, example: Experience) -> BothState:
        """Make two empty memories for experience [B] like `example`. Only shapes and dtypes are read."""
        if not 0.0 <= self.share <= 1.0:
            raise ValueError(f"share={self.share}: the share of shown experience lies between 0 and 1")
        return BothState(shown=self.shown.init(example), lived=self.lived.init(example))

    def add(self, key: jax.Array, state: BothState, experience: Experience) -> BothState:
        """Keep each row of experience [B] in the memory of its origin. In place where the state is donated."""
        shown_key, lived_key = keys.split(key, "shown", "lived")
        shown = (experience.origin == SHOWN) | (experience.origin == WATCHED)
        return BothState(
            shown=self.shown.add(shown_key, state.shown, blanked(experience, ~shown)),
            lived=self.lived.add(lived_key, state.lived, blanked(experience, shown)),
        )

    def sample(self, key: jax.Array, state: BothState, shape: tuple[int, ...]) -> Experience:
        """Draw transitions [N] or sequences [N, L], the first share of the rows from shown experience. Where nothing was
        shown, all come from lived experience."""
        shown_key, lived_key = keys.split(key, "shown", "lived")
        some = self.shown.count(state.shown) > 0
        early = self.lived.count(state.lived) < self.least
        from_shown = some & (early | (jnp.arange(shape[0]) < round(self.share * shape[0])))
        shown = self.shown.sample(shown_key, state.shown, shape)
        return select(from_shown, shown, self.lived.sample(lived_key, state.lived, shape))

    def held(self, state: BothState) -> jax.Array:
        """Count the transitions held, int32."""
        shown, lived = (capability(memory, "held") or memory.count for memory in (self.shown, self.lived))
        return shown(state.shown) + lived(state.lived)

    def count(self, state: BothState) -> jax.Array:
        """Count the transitions, or sequence ends, that can be drawn from both, int32."""
        return self.shown.count(state.shown) + self.lived.count(state.lived)
