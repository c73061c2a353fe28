"""The decision of an agent as one serialisable program: see a step, and act as well as it can.

A program takes its large constants apart from the small carry, so that a call copies no weights. `umwelt.load` and an
exported file run the same StableHLO, so they choose the same actions, bit for bit.
"""

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import export
from jax.extend.core import Literal, jaxpr_as_fun

from umwelt.core import FIRST, MID, TimeStep, keys, part, spaces
from umwelt.evaluation.proctor import is_hosted_mind
from umwelt.networks.inside import with_batch
from umwelt.policy import lens

BODY_KEY = 30_000
"""The seed of a new body, whatever seed its decisions have: so one exported carry serves every seed."""


@part
class Learned:
    """What a life learned for one seed: its agent, the agent's state, and its world, of which only the spaces are read."""

    agent: Any
    state: Any
    world: Any


class Program:
    """The decision of an agent in `rows` rows.

    decide: (carry, observation leaves, reward, first, words, number) -> (carry, action leaves, doubt). begun: the carry
    before the first step. constants: the arrays that no decision changes. exported: the program, called with arrays
    like those `given`; None of a hosted mind.
    """

    def __init__(self, learned: Learned, rows: int) -> None:
        self.agent, self.world = learned.agent, with_batch(learned.world, rows)
        self.exported: export.Exported | None = None
        self.constants: list[Any] = []
        self.given: tuple[Any, ...] = ()
        if is_hosted_mind(self.agent):
            self.begun: list[Any] = [self._enter(learned.state)]
            self.decide = self._decide_hosted
            return
        state = jax.jit(self._enter)(learned.state)
        leaves, self._tree = jax.tree.flatten(state)
        self._kinds = [str(jax.random.key_impl(leaf)) if _is_key(leaf) else "" for leaf in leaves]
        self._leaves = [jax.random.key_data(leaf) if kind else leaf for leaf, kind in zip(leaves, self._kinds, strict=True)]
        self._moving, self._fixed = self._sorted()
        # what a program returns is bound to its device; a carry that is not would make a second program of the next decision
        moving = [self._leaves[index] for index in self._moving]
        self.begun = [jax.device_put(leaf, next(iter(leaf.devices()))) for leaf in moving]
        self.constants = [self._leaves[index] for index in self._fixed]
        # arrays and no shapes alone, of which JAX would take float64 for float32
        self.given = (self.constants, self.begun, *self._example())
        self.exported = export.export(jax.jit(self._decide_leaves))(*self.given)
        self.decide = partial(jax.jit(self.exported.call), self.constants)

    def body(self, carry: list[Any]) -> Any:
        """The agent's whole state, with what a carry changed."""
        if self.exported is None:
            return carry[0][0]
        return self._whole(dict(zip(self._moving, carry, strict=True)))[0]

    def compile(self) -> None:
        """Compile now, so that the first decision takes no longer than the others. A hosted mind is left alone."""
        if self.exported is not None:
            jax.block_until_ready(self.decide(self.begun, *self._example()))

    def _enter(self, agent_state: Any) -> tuple[Any, Any]:
        """A new body, and what the layers around the world remember."""
        body = self.agent.embody(jax.random.key(BODY_KEY), agent_state, self.world.spec)
        return body, lens.begin(self.world)

    def _turn(self, state: Any, observation: list[Any], reward: Any, first: Any, words: Any, number: Any) -> Any:
        """See and act: ((body, layers), action, doubt)."""
        body, layers = state
        space = lens.outside(self.world).observation
        seen = jax.tree.unflatten(jax.tree.structure(space, is_leaf=spaces.is_leaf), observation)
        kind = jnp.where(first, FIRST, MID).astype(jnp.int8)
        layers, step = lens.look(self.world, layers, TimeStep(kind=kind, observation=seen, reward=reward))
        step = jax.tree.map(jnp.asarray, step)
        seeing, acting = keys.split(drawn(words, number), "see", "act")
        body, info = self.agent.see(seeing, body, step)
        body, action = self.agent.act(acting, body, "exploit")
        return (body, layers), jax.tree.leaves(action), info["doubt"]

    def _decide_hosted(self, carry: list[Any], *given: Any) -> tuple[list[Any], list[Any], Any]:
        state, action, doubt = self._turn(carry[0], *jax.tree.map(jnp.asarray, given))
        return [state], action, doubt

    def _decide_leaves(self, constants: list[Any], carry: list[Any], *given: Any) -> tuple[list[Any], list[Any], Any]:
        """The traced turn again, so that the agent's Python runs once; what no decision reads is in no equation of it."""
        held = dict(zip(self._fixed, constants, strict=True)) | dict(zip(self._moving, carry, strict=True))
        leaves = [held.get(index, leaf) for index, leaf in enumerate(self._leaves)]
        *after, doubt = jaxpr_as_fun(self._traced)(*leaves, *jax.tree.leaves(given))
        return [after[index] for index in self._moving], after[len(leaves) :], doubt

    def _whole(self, held: dict[int, Any]) -> Any:
        """The state (body, layers), with leaves in place of others."""
        found = [held.get(index, leaf) for index, leaf in enumerate(self._leaves)]
        made = [_key(leaf, kind) if kind else leaf for leaf, kind in zip(found, self._kinds, strict=True)]
        return jax.tree.unflatten(self._tree, made)

    def _words(self, state: Any) -> list[Any]:
        return [jax.random.key_data(leaf) if _is_key(leaf) else leaf for leaf in jax.tree.leaves(state)]

    def _example(self) -> tuple[Any, ...]:
        """Arguments of a decision, for their shapes."""
        rows, space = self.world.spec.batch, lens.outside(self.world).observation
        leaves = [np.zeros((rows, *leaf.shape), leaf.dtype) for leaf in spaces.leaves(space)]
        return leaves, np.zeros(rows, np.float32), np.zeros(rows, bool), np.zeros(2, np.uint32), np.int32(0)

    def _sorted(self) -> tuple[list[int], list[int]]:
        """The places of the leaves that a decision changes, and of those that it only reads."""

        def all_leaves(leaves: list[Any], *given: Any) -> Any:
            state, action, doubt = self._turn(self._whole(dict(enumerate(leaves))), *given)
            return self._words(state), action, doubt

        self._traced = jax.make_jaxpr(all_leaves)(self._leaves, *self._example())
        traced = self._traced.jaxpr
        count = len(self._leaves)
        into, out = traced.invars[:count], traced.outvars[:count]
        moving = [index for index in range(count) if out[index] is not into[index]]
        read = {variable for equation in traced.eqns for variable in equation.invars if not isinstance(variable, Literal)}
        read |= {variable for variable in traced.outvars[count:] if not isinstance(variable, Literal)}
        read |= {out[index] for index in moving if not isinstance(out[index], Literal)}
        return moving, [index for index in range(count) if index not in set(moving) and into[index] in read]


def drawn(words: Any, number: Any) -> jax.Array:
    """The key of one decision: of the seed's two words, and its number since the reset."""
    return jax.random.fold_in(jax.random.wrap_key_data(jnp.asarray(words), impl="threefry2x32"), number)


def _is_key(leaf: Any) -> bool:
    return isinstance(leaf, jax.Array) and jnp.issubdtype(leaf.dtype, jax.dtypes.prng_key)


def _key(words: Any, kind: str) -> jax.Array:
    return jax.random.wrap_key_data(words, impl=kind)
