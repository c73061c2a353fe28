"""Deciding and learning at once, where a world is hosted.

The choice on a step and the lessons after it are independent, as long as neither reads what the other writes. Then both
run at the same time, from the mind that has seen the step, with the result of one after the other. A trace of the
agent's own methods finds out what each reads and writes. An agent whose methods are not apart decides first and learns
then.

Programs that one thread calls run one after the other, so learning has a thread of its own. A context manager of JAX
that holds for one thread alone does not reach it.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.extend.core import Literal

from umwelt.core import Info, TimeStep, host_scan, keys, part
from umwelt.life.body import Body, Step, rounds
from umwelt.life.mind import Mind, Record
from umwelt.life.rhythm import Segment


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


class Narrow:
    """A pure function, (agent, *rest) -> (agent, result), compiled for the leaves that it reads or writes.

    It returns only those that it writes. Most of an agent is weights, and each array that goes through a program costs
    time, used or not. The program writes into leaves that are `in_place`, and so uses them up.
    """

    def __init__(self, function: Callable[..., Any], found: Traces, agent: Any, in_place: Sequence[bool]) -> None:
        self._function, self._forms = function, jax.eval_shape(lambda: agent)
        # zeros cannot stand for a key that nothing reads
        keyed = [jnp.issubdtype(form.dtype, jax.dtypes.prng_key) for form in jax.tree.leaves(self._forms)]
        known = [reads or writes or key for reads, writes, key in zip(found.reads, found.writes, keyed, strict=True)]
        self._writes, self._own = found.writes, [writes and free for writes, free in zip(found.writes, in_place, strict=True)]
        self._lent = [given and not own for given, own in zip(known, self._own, strict=True)]
        self._program = jax.jit(self._traced, donate_argnums=0)

    def __call__(self, leaves: Sequence[Any], *rest: Any) -> tuple[list[Any], Any]:
        """The leaves that are written, in the agent's order, and the result."""
        return self._program(_some(leaves, self._own), _some(leaves, self._lent), *rest)

    def put(self, leaves: Sequence[Any], fresh: Sequence[Any]) -> list[Any]:
        """The agent's leaves with what was written."""
        return _put(leaves, fresh, self._writes)

    def _traced(self, own: list[Any], lent: list[Any], *rest: Any) -> tuple[list[Any], Any]:
        owned, others = iter(own), iter(lent)
        forms, tree = jax.tree.flatten(self._forms)
        # zeros stand for what nothing reads, and the compiler leaves them out
        leaves = [
            next(owned) if mine else next(others) if given else jnp.zeros(form.shape, form.dtype)
            for form, mine, given in zip(forms, self._own, self._lent, strict=True)
        ]
        agent, result = self._function(tree.unflatten(leaves), *rest)
        return _some(jax.tree.leaves(agent), self._writes), result


class Beside:
    """The compiled programs of one hosted life, in which learning may run beside deciding."""

    def __init__(self, body: Body, mind: Mind) -> None:
        agent, step = mind.agent, mind.step
        self._body, self._tree = body, jax.tree.structure(agent)
        receiving = traces(lambda agent: self._received(agent, replace(mind, agent=None), step), agent)
        acting = traces(lambda agent: body.agent.act(mind.key, agent, "explore"), agent)
        learning = traces(lambda agent: body.agent.learn(mind.key, agent), agent)
        rows = list(zip(acting.reads, acting.writes, learning.reads, learning.writes, strict=True))
        self.apart = any(learning.writes) and not any(wrote and (learned or read) for _, wrote, read, learned in rows)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="learning")
        self._learned_leaves = learning.writes
        # learning may write in place what deciding does not read
        unread = [not read for read in acting.reads]
        self._receive = Narrow(self._received, receiving, agent, [True] * len(rows))
        self._decide = Narrow(self._decided, acting, agent, [False] * len(rows))
        self._learn = Narrow(self._learned, learning, agent, unread)

    def run(self, step: Step, segment: Segment, life: tuple[Any, Mind]) -> tuple[tuple[Any, Mind], tuple[Record, Info]]:
        """`run_segment` of a segment that learns after each of its decisions, or of one decision without learning."""

        def period(life: tuple[Any, Mind], _: Any) -> tuple[tuple[Any, Mind], tuple[Record, Info]]:
            state, mind = life
            state, next = step(state, mind.decision)
            mind, record, info = self.turn_and_learn(mind, next, segment.updates)
            return (state, mind), (jax.tree.map(lambda leaf: np.asarray(leaf)[None], record), info)

        life, (records, infos) = host_scan(period, life, None, segment.periods)
        return life, (records, infos if segment.updates else {})

    def turn_and_learn(self, mind: Mind, next: TimeStep, updates: int) -> tuple[Mind, Record, Info]:
        """`Body.turn` and `Body.learn`, at once. The mind is used up."""
        leaves = jax.tree.leaves(mind.agent)
        received, (mind, record) = self._receive(leaves, replace(mind, agent=None), next)
        leaves = self._receive.put(leaves, received)
        learning = self._thread.submit(self._learn, leaves, mind.key, mind.clock, np.int32(updates), np.int32(0))
        chosen, (teacher, decision) = self._decide(leaves, mind)
        learned, info = learning.result()
        leaves = self._learn.put(self._decide.put(leaves, chosen), learned)
        return replace(mind, teacher=teacher, decision=decision, agent=self._tree.unflatten(leaves)), record, info

    def learn(self, agent: Any, key: jax.Array, clock: jax.Array, updates: Any, skipped: Any) -> tuple[Any, Info]:
        """`Body.learn`, by the same program."""
        leaves = jax.tree.leaves(agent)
        learned, info = self._learn(leaves, key, clock, np.int32(updates), np.int32(skipped))
        return self._tree.unflatten(self._learn.put(leaves, learned)), info

    def close(self) -> None:
        """End the thread."""
        self._thread.shutdown()

    def _received(self, agent: Any, mind: Mind, next: TimeStep) -> tuple[Any, tuple[Mind, Record]]:
        mind, record = self._body.receive(replace(mind, agent=agent), next)
        return mind.agent, (replace(mind, agent=None), record)

    def _decided(self, agent: Any, mind: Mind) -> tuple[Any, tuple[Any, Any]]:
        after = self._body.decide(replace(mind, agent=agent), "explore")
        return after.agent, (after.teacher, after.decision)

    def _learned(self, agent: Any, key: jax.Array, clock: jax.Array, updates: Any, skipped: Any) -> tuple[Any, Info]:
        """`Body.learn`, whose loop carries only the leaves that learning writes."""
        leaves, written = jax.tree.leaves(agent), self._learned_leaves

        def whole(some: Sequence[Any]) -> Any:
            return self._tree.unflatten(_put(leaves, some, written))

        def learn(key: jax.Array, some: list[Any]) -> tuple[list[Any], Info]:
            after, info = self._body.agent.learn(key, whole(some))
            return _some(jax.tree.leaves(after), written), info

        key = keys.fold(jax.random.fold_in(key, clock), "learn")
        some, info = rounds(learn, _some(leaves, written), key, updates, skipped)
        return whole(some), info


def _some(leaves: Sequence[Any], which: Sequence[bool]) -> list[Any]:
    return [leaf for leaf, one in zip(leaves, which, strict=True) if one]


def _put(leaves: Sequence[Any], fresh: Sequence[Any], which: Sequence[bool]) -> list[Any]:
    rest = iter(fresh)
    return [next(rest) if one else leaf for leaf, one in zip(leaves, which, strict=True)]
