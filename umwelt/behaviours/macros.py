"""Named sequences of actions with holes, found by aligning what succeeded twice, and kept where practice shows that they work.

The rule-made side of "SkillWeaver: web agents can self-improve by discovering and honing skills" (2025): there a language
model proposes tasks and writes functions; here two traces of one kind of task are laid side by side.
"""

from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp

from umwelt.core import Discrete, part, struct
from umwelt.core.contracts import Mode

NOTHING = -1
"""In a trace, a place after its end."""


@struct
class MacrosState:
    """actions: int32 [K, L], choices of the page, NOTHING after the end. holes: bool [K, L], places whose value is read from
    the instruction. tries, wins: int32 [K], the card of practice. admitted: int32 [K], macros that may be called, and
    filled: int32, how many they are; other places mean nothing."""

    actions: jax.Array
    holes: jax.Array
    tries: jax.Array
    wins: jax.Array
    admitted: jax.Array
    filled: jax.Array


@part
class Macros:
    """Skills of a page: macros, and some single choices beside them. `Calling` calls them.

    A macro goes on from where the page stands: it plays the first of its actions whose effect is not there yet.

    >>> macros = Macros(fields=2, values=3, candidates=1, longest=2)
    >>> actions, holes = macros.aligned(jnp.array([1, 3]), jnp.array([2, 3]))
    >>> holes.tolist(), macros.expanded(actions, holes, jnp.array([0, 2])).tolist()
    ([True, False], [0, 3])
    """

    fields: int = 6
    """Fields of the page."""
    values: int = 8
    """Values of a field."""
    candidates: int = 16
    """How many macros it holds, admitted or not."""
    slots: int = 4
    """How many of them can be called."""
    longest: int = 4
    """Actions of a macro, at most."""
    least: int = 8
    """Practice calls that must succeed before a macro is admitted."""

    cites = ("skillweaver_2025",)

    @property
    def submits(self) -> int:
        """The choice that submits the page."""
        return self.fields * self.values

    @property
    def space(self) -> Discrete:
        """What names a skill: one of the first admitted macros, and at last to submit."""
        return Discrete(n=self.slots + 1)

    def init(self, key: jax.Array, width: int, action: Any) -> MacrosState:
        """Hold no macro yet; every call then submits."""
        if width != 2 * self.submits or not isinstance(action, Discrete) or action.n != self.submits + 1:
            raise ValueError(f"fields={self.fields}, values={self.values}: the world is no page of so many; give its own numbers")
        slots = jnp.zeros(self.candidates, jnp.int32)
        none = jnp.full((self.candidates, self.longest), NOTHING, jnp.int32)
        return MacrosState(actions=none, holes=none >= 0, tries=slots, wins=slots, admitted=slots, filled=jnp.int32(0))

    def act(self, key: jax.Array, state: MacrosState, skill: jax.Array, features: jax.Array, mode: Mode) -> jax.Array:
        """Play the macros called, int32 [B], on pages [B, F]: choices int32 [B]. A number beyond those admitted counts on
        from the first one."""
        bits = features.reshape(features.shape[0], 2, self.fields, self.values)
        instruction, page = jnp.argmax(bits[:, 0], axis=-1), self._read(bits[:, 1])
        number = state.admitted[skill % jnp.maximum(state.filled, 1)]
        plays = jax.vmap(self.played)(state.actions[number], state.holes[number], instruction, page)
        return jnp.where((skill == self.slots) | (state.filled == 0), self.submits, plays).astype(jnp.int32)

    def aligned(self, one: jax.Array, other: jax.Array) -> tuple[jax.Array, jax.Array]:
        """Lay two traces int32 [L] side by side: the macro's actions int32 [L] and holes bool [L].

        What is equal stays. Where one field got two values, there is a hole. Where the fields differ, the first trace stays.
        """
        fills = (one >= 0) & (one < self.submits) & (other >= 0) & (other < self.submits)
        return one, fills & (one != other) & (one // self.values == other // self.values)

    def expanded(self, actions: jax.Array, holes: jax.Array, instruction: jax.Array) -> jax.Array:
        """The choices int32 [L] of a macro under an instruction int32 [fields]."""
        field = jnp.clip(actions // self.values, 0, self.fields - 1)
        return jnp.where(holes, field * self.values + instruction[field], actions)

    def played(self, actions: jax.Array, holes: jax.Array, instruction: jax.Array, page: jax.Array) -> jax.Array:
        """The next choice of a macro, int32 [], on a page int32 [fields]; its last one again where all is done."""
        choices = self.expanded(actions, holes, instruction)
        fills = (choices >= 0) & (choices < self.submits)
        there = page[jnp.clip(choices // self.values, 0, self.fields - 1)] == choices % self.values
        open = (choices != NOTHING) & ~(fills & there)
        last = jnp.maximum(jnp.sum(choices != NOTHING) - 1, 0)
        return choices[jnp.where(jnp.any(open), jnp.argmax(open), last)]

    def practised(self, key: jax.Array, state: MacrosState, wanted: jax.Array, calls: int = 10) -> MacrosState:
        """Call each macro on instructions that are drawn, and write its card. wanted: bool [K, fields], the fields that it
        should fill."""
        instructions = jax.random.randint(key, (calls, self.fields), 0, self.values)

        def wins(actions: jax.Array, holes: jax.Array, wanted: jax.Array, instruction: jax.Array) -> jax.Array:
            def play(page: jax.Array, _: None) -> tuple[jax.Array, None]:
                choice = self.played(actions, holes, instruction, page)
                field = jnp.where((choice >= 0) & (choice < self.submits), choice // self.values, self.fields)
                return page.at[field].set(choice % self.values, mode="drop"), None

            page, _ = jax.lax.scan(play, jnp.full(self.fields, -1), None, length=self.longest)
            return jnp.all(~wanted | (page == instruction))

        over_calls = jax.vmap(wins, in_axes=(None, None, None, 0))
        won = jax.vmap(over_calls, in_axes=(0, 0, 0, None))(state.actions, state.holes, wanted, instructions)
        return replace(state, tries=state.tries + calls, wins=state.wins + jnp.sum(won, axis=1))

    def admit(self, state: MacrosState, tested: bool = True) -> MacrosState:
        """Let those be called that succeeded often enough; all that hold anything where they are not tested."""
        good = state.actions[:, 0] != NOTHING
        good &= (state.wins >= self.least) | (not tested)
        return replace(state, admitted=jnp.argsort(~good, stable=True).astype(jnp.int32), filled=jnp.sum(good))

    def _read(self, bits: jax.Array) -> jax.Array:
        """The value in each field of pages [B, fields, values]: int32 [B, fields], -1 where it is empty."""
        return jnp.where(jnp.max(bits, axis=-1) > 0.5, jnp.argmax(bits, axis=-1), -1)
