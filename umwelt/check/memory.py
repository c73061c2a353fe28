"""The checker of memories: does a part keep the Memory contract?

It lives a short made-up life whose every number names the moment that it belongs to, and asks of
each draw whether that moment was added, whole, and not a seam.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from umwelt.check.base import Compiled, Report, compiles_once, parameter_names, plain, same_form, same_values
from umwelt.core import BROKEN, FIRST, LIVED, MID, SHOWN, TERMINATED, TRUNCATED, Experience, TimeStep, part, scan
from umwelt.core.contracts import Memory

METHODS = ("init", "add", "sample", "count")
EARLY = 48
"""After so many ticks nothing has been forgotten yet."""
ROOM = 96
"""The small memory of the check has room for so many whole transitions of each row, at least."""


def memory(instance: Any, example: Experience | None = None, key: jax.Array | None = None, oldest_first: bool = False) -> Report:
    """Every broken promise of a memory. `example` is experience [B] of the kind it is meant for.

    What follows from a broken promise is not looked into: the report ends where draws are untrue.
    oldest_first: also hold it to forgetting in order, which not every memory promises.
    """
    report = Report("memory", type(instance).__name__)
    example = _example() if example is None else example
    key = jax.random.key(0) if key is None else key
    if not report.rule("parameter names", lambda: parameter_names(Memory, instance, METHODS)):
        return report
    if not report.rule("budget", lambda: _budget(instance, example)):
        return report
    small = _small(instance, example)
    lived = _life(example, -(-(3 * small.bytes // _bytes(example) + 8) // EARLY) * EARLY)
    if not report.rule("state keeps its form", lambda: _form(small, key, lived)):
        return report
    trial = _try(small, key, lived)
    report.rule("empty", lambda: _empty(trial))
    report.rule("count", lambda: _count(trial))
    if not report.rule("what is drawn was added", lambda: _truthful(trial, trial.early, EARLY)):
        return report
    if not report.rule("also past the budget", lambda: _truthful(trial, trial.full, lived.origin.shape[0])):
        return report
    report.rule("sequences or a refusal", lambda: _refuses(trial))
    if oldest_first:
        report.rule("the oldest leaves first", lambda: _ordered(trial))
    report.rule("compiles once", lambda: _compiles_once(trial))
    report.rule("same under jit", lambda: _same_under_jit(trial))
    report.rule("same under vmap", lambda: _same_under_vmap(trial))
    report.rule("same key, same draw", lambda: _keyed(trial))
    report.rule("save, load, continue", lambda: _continues(trial))
    report.rule("donated in place", lambda: _in_place(trial, example))
    report.rule("no scratch that grows", lambda: _scratch_grows(trial, example))
    return report


@part
class _Trial:
    """A small memory, what it lives [T, B] as NumPy arrays, its states: empty, early (all within the budget) and full,
    and its methods, compiled."""

    memory: Any
    key: jax.Array
    lived: Experience
    shapes: list[tuple[int, ...]]
    empty: Any
    early: Any
    full: Any
    draw: Callable[..., Experience]
    both: Compiled
    count: Callable[..., Any]


def _try(small: Any, key: jax.Array, lived: Experience) -> _Trial:
    length = getattr(small, "length", 1)
    shapes = [(256,)] + [(64, each) for each in sorted({length, (length + 1) // 2}) if each > 1]

    def both(key: jax.Array, state: Any, steps: Experience) -> Any:
        """Add, and draw transitions and the longest sequences in the same program."""
        state = small.add(key, state, steps)
        return state, small.count(state), [small.sample(key, state, shape) for shape in {shapes[0], shapes[-1]}]

    fed = jax.jit(lambda state, steps: scan(lambda held, row: (small.add(key, held, row), None), state, steps)[0])
    empty = small.init(_moments(lived, 0))
    states = [empty]
    # piece by piece, so that one program serves
    for begin in range(0, lived.origin.shape[0], EARLY):
        states.append(fed(states[-1], _moments(lived, slice(begin, begin + EARLY))))
    return _Trial(
        memory=small,
        key=key,
        lived=lived,
        shapes=shapes,
        empty=empty,
        early=states[1],
        full=states[-1],
        draw=jax.jit(small.sample, static_argnums=2),
        both=Compiled(both),
        count=jax.jit(small.count),
    )


def _example() -> Experience:
    """Three rows with observations of two dtypes, a mixed action and a task."""
    observation = {"image": jnp.zeros((3, 2, 2), jnp.uint8), "joint": jnp.zeros((3, 5))}
    step = TimeStep(kind=jnp.zeros(3, jnp.int8), observation=observation, reward=jnp.zeros(3))
    action = (jnp.zeros(3, jnp.int32), jnp.zeros((3, 2)))
    return Experience(step=step, action=action, next=step, origin=jnp.zeros(3, jnp.int8), task=jnp.zeros((3, 1)))


def _life(example: Experience, ticks: int) -> Experience:
    """Experience [ticks, B] in NumPy, in which every number says which moment of which row it belongs to."""
    batch = example.origin.shape[0]
    random = np.random.default_rng(0)
    kind = np.full((ticks + 1, batch), MID, np.int8)
    kind[0] = FIRST
    for row in range(batch):
        end = 0
        # Some episodes of a single transition, most longer than the sequences that are drawn.
        while (end := end + int(random.choice([1, 7, 40]))) < ticks:
            kind[end, row] = random.choice([TERMINATED, TRUNCATED, BROKEN])
            kind[end + 1, row], end = FIRST, end + 1
    name = 1 + np.arange((ticks + 1) * batch).reshape(ticks + 1, batch)

    def tag(leaf: Any, names: np.ndarray) -> np.ndarray:
        shape = names.shape + (1,) * (len(leaf.shape) - 1)
        return np.broadcast_to(names.reshape(shape), names.shape + leaf.shape[1:]).astype(leaf.dtype)

    observation = jax.tree.map(lambda leaf: tag(leaf, name), example.step.observation)
    steps = TimeStep(kind=kind, observation=observation, reward=np.where(kind == FIRST, 0, name).astype(np.float32))
    action, task = jax.tree.map(lambda leaf: tag(leaf, name[:-1]), (example.action, example.task))
    origin = np.where(name[:-1] % 3, LIVED, SHOWN).astype(np.int8)
    surprise = None if example.surprise is None else tag(example.surprise, name[:-1])
    before, after = _rows(steps, slice(-1)), _rows(steps, slice(1, None))
    return Experience(step=before, action=action, next=after, origin=origin, task=task, surprise=surprise)


def _rows(tree: Any, index: Any) -> Any:
    return jax.tree.map(lambda leaf: leaf[index], tree)


def _moments(lived: Experience, index: Any) -> Experience:
    """Some of what was lived, as JAX arrays. Cut by NumPy, which compiles nothing for each new length."""
    return jax.tree.map(jnp.asarray, _rows(lived, index))


def _bytes(tree: Any) -> int:
    return sum(leaf.size * leaf.dtype.itemsize for leaf in jax.tree.leaves(jax.eval_shape(lambda same: same, tree)))


def _small(instance: Any, example: Experience) -> Any:
    """The same memory with little room, so that a short life overfills it."""
    budget = ROOM * _bytes(example)
    while True:
        try:
            small = replace(instance, bytes=budget)
            jax.eval_shape(small.init, example)
            return small
        except ValueError:
            if budget > instance.bytes:
                raise
            budget *= 2


def _budget(instance: Any, example: Experience) -> str:
    if not isinstance(getattr(instance, "bytes", None), int):
        return "it has no whole number `bytes`; the capacity of a memory is given in bytes"
    held, slack = _bytes(jax.eval_shape(instance.init, example)), 4096 + 4 * _bytes(example)
    return "" if held <= instance.bytes + slack else f"its state takes {held} bytes, where bytes={instance.bytes}"


def _form(small: Any, key: jax.Array, lived: Experience) -> str:
    first = _moments(lived, 0)
    state = small.init(first)
    return same_form(state, jax.eval_shape(small.add, key, state, first), "state")


def _empty(trial: _Trial) -> str:
    if count := int(trial.count(trial.empty)):
        return f"an empty memory counts {count}"
    if any(bool(jnp.any(trial.draw(trial.key, trial.empty, shape).valid)) for shape in trial.shapes):
        return "a draw from an empty memory looks real; return rows that are not `valid` (step.kind = TRUNCATED)"
    return ""


def _count(trial: _Trial) -> str:
    count, valid = trial.count(trial.early), int(trial.lived.valid[:EARLY].sum())
    if np.shape(count) != () or count.dtype != jnp.int32:
        return f"count is {count.dtype}{list(np.shape(count))}, where the contract says int32[]"
    if not 0 < int(count) <= valid:
        return f"it counts {int(count)} after {valid} transitions that are no seams, all within the budget"
    row = _moments(trial.lived, 0)
    seams = replace(row, step=replace(row.step, kind=jnp.full_like(row.step.kind, TERMINATED)))
    _, after, _ = trial.both(trial.key, trial.early, seams)
    return "" if int(after) <= int(count) else "its count grows when only seams are added"


def _truthful(trial: _Trial, state: Any, added: int) -> str:
    """A sentence where a draw is not what was lived in the first ticks, transition by transition."""
    for shape in trial.shapes:
        drawn = trial.draw(trial.key, state, shape)
        batch, name = trial.lived.origin.shape[1], np.asarray(drawn.next.reward).astype(np.int64) - 1
        if not bool(jnp.all(drawn.valid & ~drawn.next.first)):
            return "it draws seams, what led into BROKEN, or rows never filled; keep what is `valid`, and draw only what is held"
        if name.min() < batch or name.max() >= (added + 1) * batch:
            return "it draws rows that were never added"
        if name.ndim == 2 and not np.all(np.diff(name, axis=1) == batch):
            return "the transitions of a sequence do not follow one another"
        wanted = _rows(trial.lived, (name // batch - 1, name % batch))
        if sentence := same_values(wanted, drawn, "what was added, against what was drawn: "):
            return sentence
    return ""


def _refuses(trial: _Trial) -> str:
    """Sequences up to a declared `length` were drawn already; longer ones are served or refused."""
    shape = (4, getattr(trial.memory, "length", 1) + 1)
    try:
        lead = trial.memory.sample(trial.key, trial.full, shape).step.kind.shape
    except ValueError:
        return ""
    return "" if lead == shape else f"shape={shape} gives leading axes {lead}; raise ValueError instead"


def _ordered(trial: _Trial) -> str:
    keys = jax.random.split(trial.key, 64)
    drawn = np.concatenate([np.asarray(trial.draw(each, trial.full, trial.shapes[0]).next.reward) for each in keys])
    names = np.asarray(trial.lived.next.reward)[np.asarray(trial.lived.valid)]
    kept = names[names >= drawn.min()]
    missing = np.setdiff1d(kept, drawn)
    return f"{missing.size} of {kept.size} transitions newer than the oldest drawn are gone" if missing.size else ""


def _compiles_once(trial: _Trial) -> str:
    """The second state comes out of a compiled program, whose leaves may be less weakly typed."""
    row = _moments(trial.lived, EARLY)
    return compiles_once(trial.both, (trial.key, trial.empty, row), (trial.key, trial.early, row))


def _same_under_jit(trial: _Trial) -> str:
    given = (trial.key, trial.early, _moments(trial.lived, EARLY))
    return same_values(trial.both.plain(*given), trial.both(*given), "result")


def _same_under_vmap(trial: _Trial) -> str:
    lives = [
        (jax.random.key(index), state, _moments(trial.lived, EARLY + index))
        for index, state in enumerate((trial.early, trial.full))
    ]

    def together(*lives: Any) -> Any:
        return jax.vmap(trial.both.plain)(*jax.tree.map(lambda *leaves: jnp.stack(leaves), *lives))

    mapped = jax.device_get(jax.jit(together)(*lives))
    sentences = (same_values(trial.both(*life), _rows(mapped, index), "result") for index, life in enumerate(lives))
    return next(filter(None, sentences), "")


def _keyed(trial: _Trial) -> str:
    shape, elsewhere = trial.shapes[0], jax.random.fold_in(trial.key, 1)
    first, again, other = (trial.draw(each, trial.full, shape) for each in (trial.key, trial.key, elsewhere))
    eager = trial.memory.sample(trial.key, trial.full, shape)
    if same_values(first, again, "") or same_values(first, eager, ""):
        return "two draws with one key differ; take every random number from `key`"
    return "" if same_values(first, other, "") else "draws with two keys are the same; use `key`"


def _continues(trial: _Trial) -> str:
    row = _moments(trial.lived, EARLY)
    loaded = jax.tree.map(lambda leaf: jnp.asarray(plain(leaf)), trial.early)
    return same_values(trial.both(trial.key, trial.early, row), trial.both(trial.key, loaded, row), "result")


def _in_place(trial: _Trial, example: Experience) -> str:
    """The arrays that hold experience are those whose shape depends on the budget."""
    state = trial.memory.init(example)
    double = jax.eval_shape(replace(trial.memory, bytes=2 * trial.memory.bytes).init, example)
    grows = [leaf.shape != big.shape for leaf, big in zip(jax.tree.leaves(state), jax.tree.leaves(double), strict=True)]

    def places(state: Any) -> list[int]:
        held = zip(jax.tree.leaves(jax.block_until_ready(state)), grows, strict=True)
        return [leaf.unsafe_buffer_pointer() for leaf, big in held if big]

    before = places(state)
    after = places(jax.jit(trial.memory.add, donate_argnums=1)(trial.key, state, example))
    return "" if after == before else "a donated state comes back in other buffers: it was copied"


def _scratch_grows(trial: _Trial, example: Experience) -> str:
    """What works in place needs scratch that does not depend on the budget. Nothing is allocated here, so the budget may
    be so large that what is copied stands out."""
    shape, enough = trial.shapes[-1], max(64 * trial.memory.bytes, 1 << 28)

    def scratch(budget: int, often: bool) -> int:
        sized = replace(trial.memory, bytes=budget)

        def body(state: Any, each: jax.Array) -> Any:
            state = sized.add(each, state, example)
            return state, sized.sample(each, state, shape).next.reward.sum()

        def once(state: Any, each: jax.Array) -> Any:
            return sized.add(each, state, example)

        program = (lambda state, keys: scan(body, state, keys)) if often else once
        keys = jax.random.split(trial.key, 5) if often else trial.key
        lowered = jax.jit(program, donate_argnums=0).lower(jax.eval_shape(sized.init, example), keys)
        return lowered.compile().memory_analysis().temp_size_in_bytes

    for often, where in ((False, "a donated add"), (True, "a scan that adds and then draws")):
        large = scratch(2 * enough, often)
        # what is small cannot have grown; otherwise a second program tells how much of it is always needed
        grown = large if large <= enough // 1000 else large - scratch(enough, often)
        if grown > enough // 1000:
            return f"in {where}, {enough} bytes more of budget need {grown} bytes more of scratch: it copies what it holds"
    return ""
