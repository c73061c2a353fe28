"""Deciding and learning at once, where a world is hosted.

What is chosen on a step does not depend on the lessons that follow it, nor they on what is chosen, as long as neither
reads what the other writes. Then both can be computed at the same time, from the mind that has heard the step: the
result is that of one after the other. Who reads and writes what is found out from the agent's own methods, as they are
traced; an agent whose methods are not apart decides first and learns then.

Programs that one thread calls run one after the other, so learning is called from a thread of its own, which what is set
for one thread alone (a context manager of JAX) does not reach.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.extend.core import Literal

from umwelt.core import TimeStep, part
from umwelt.life.body import Body, Mind, Record


@part
class Traces:
    """What a method does with the leaves of an agent's state, in the order of the leaves."""

    reads: tuple[bool, ...]
    writes: tuple[bool, ...]


def traces(method: Callable[[Any], tuple[Any, Any]], agent: Any) -> Traces:
    """What `method`, agent -> (agent, anything), reads and writes. To pass a leaf on as it came is neither."""
    leaves, tree = jax.tree.flatten(agent)

    def flat(leaves: list[Any]) -> Any:
        after, result = method(tree.unflatten(leaves))
        return jax.tree.leaves(after), result

    program = jax.make_jaxpr(flat)(leaves).jaxpr
    after, result = program.outvars[: len(leaves)], program.outvars[len(leaves) :]
    writes = [new is not old for new, old in zip(after, program.invars, strict=True)]
    moved = [new for new, changed in zip(after, writes, strict=True) if changed]
    used = [*(name for step in program.eqns for name in step.invars), *moved, *result]
    read = {name for name in used if not isinstance(name, Literal)}
    return Traces(reads=tuple(name in read for name in program.invars), writes=tuple(writes))


class Beside:
    """The compiled programs of one hosted life, in which learning may run beside deciding."""

    def __init__(self, body: Body, mind: Mind) -> None:
        acting = traces(lambda agent: body.agent.act(mind.key, agent, mind.step, "explore"), mind.agent)
        learning = traces(lambda agent: body.agent.learn(mind.key, agent), mind.agent)
        rows = list(zip(acting.reads, acting.writes, learning.reads, learning.writes, strict=True))
        self.apart = any(learning.writes) and not any(wrote and (taught or read) for _, wrote, read, taught in rows)
        self._decides, self._learns = acting.writes, learning.writes
        # what deciding does not read can be written in place meanwhile
        keyed = [jax.dtypes.issubdtype(leaf.dtype, jax.dtypes.prng_key) for leaf in jax.tree.leaves(mind.agent)]
        self._own = tuple(row[3] and not row[0] and not key for row, key in zip(rows, keyed, strict=True))
        self._body, self._tree = body, jax.tree.structure(mind.agent)
        self._forms = [jax.ShapeDtypeStruct(leaf.shape, leaf.dtype) for leaf in jax.tree.leaves(mind.agent)]
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="learning")
        self._hear = jax.jit(body.hear, donate_argnums=0)
        self._decide = jax.jit(self._decided)
        self._study = jax.jit(self._studied, donate_argnums=0)

    def turn_and_study(self, mind: Mind, next: TimeStep, updates: int) -> tuple[Mind, Record, dict[str, Any]]:
        """`Body.turn` and `Body.study`, at once. The mind is used up."""
        mind, record = self._hear(mind, next)
        learning = self._thread.submit(self._taught, mind.agent, mind.key, mind.clock, updates)
        teacher, decision, chosen = self._decide(replace(mind, agent=self._shared(mind.agent)))
        learned, info = learning.result()
        agent = self._joined(mind.agent, (self._decides, chosen), (self._learns, learned))
        return replace(mind, teacher=teacher, decision=decision, agent=agent), record, info

    def close(self) -> None:
        """End the thread."""
        self._thread.shutdown()

    def study(self, agent: Any, key: jax.Array, clock: jax.Array, updates: Any) -> tuple[Any, dict[str, Any]]:
        """`Body.study`, by the same program."""
        learned, info = self._taught(agent, key, clock, updates)
        return self._joined(agent, (self._learns, learned)), info

    def _taught(self, agent: Any, key: jax.Array, clock: jax.Array, updates: Any) -> tuple[list[Any], dict[str, Any]]:
        own = _some(jax.tree.leaves(agent), self._own)
        return self._study(own, self._shared(agent), key, clock, np.int32(updates))

    def _shared(self, agent: Any) -> list[Any]:
        """The agent's leaves, None for those that learning writes in place."""
        return [None if mine else leaf for leaf, mine in zip(jax.tree.leaves(agent), self._own, strict=True)]

    def _studied(self, own: list[Any], rest: list[Any], key: jax.Array, clock: jax.Array, updates: Any) -> Any:
        found = iter(own)
        leaves = [next(found) if mine else leaf for leaf, mine in zip(rest, self._own, strict=True)]
        agent, info = self._body.study(self._tree.unflatten(leaves), key, clock, updates, self._learns)
        return _some(jax.tree.leaves(agent), self._learns), info

    def _decided(self, mind: Mind) -> tuple[Any, Any, list[Any]]:
        # zeros stand for what nobody reads, and are left out by the compiler
        pairs = zip(mind.agent, self._forms, strict=True)
        leaves = [jnp.zeros(form.shape, form.dtype) if leaf is None else leaf for leaf, form in pairs]
        after = self._body.decide(replace(mind, agent=self._tree.unflatten(leaves)), "explore")
        return after.teacher, after.decision, _some(jax.tree.leaves(after.agent), self._decides)

    def _joined(self, agent: Any, *news: tuple[Sequence[bool], Sequence[Any]]) -> Any:
        """The agent with some of its leaves replaced."""
        leaves = jax.tree.leaves(agent)
        for which, fresh in news:
            rest = iter(fresh)
            leaves = [next(rest) if one else leaf for leaf, one in zip(leaves, which, strict=True)]
        return self._tree.unflatten(leaves)


def _some(leaves: Sequence[Any], which: Sequence[bool]) -> list[Any]:
    return [leaf for leaf, one in zip(leaves, which, strict=True) if one]
