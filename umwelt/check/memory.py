"""The checker of memories: does a part keep the Memory contract?

It fills a small memory with a short made-up life, in which every number names its transition. Of each draw it asks
whether that transition was added, is complete, and is no seam.
"""

from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from umwelt.check.base import (
    Depth,
    Report,
    parameter_names,
    pure,
    reloaded,
    same_form,
    same_values,
    settles,
    wants_values,
)
from umwelt.check.memory_trial import (
    EARLY,
    OPTIONAL,
    WHOLE,
    Trial,
    bytes_of,
    example_experience,
    fill,
    made_up,
    rows_of,
    shapes_of,
    sized,
    small_one,
    some_of,
)
from umwelt.core import TERMINATED, Experience, scan
from umwelt.core.contracts import Memory

METHODS = ("init", "add", "sample", "count")


def memory(
    instance: Any,
    example: Experience | None = None,
    key: jax.Array | None = None,
    oldest_first: bool = False,
    depth: Depth = "values",
) -> Report:
    """Report every broken promise of a memory. `example` is experience [B] of the kind it is meant for.

    What follows from a broken promise is not examined: the report ends where draws are untrue.
    oldest_first: also hold it to forgetting in order, which not every memory promises.
    depth: "shapes" traces it once and compiles nothing; "values" also fills it.
    """
    report, values = Report("memory", type(instance).__name__), wants_values(depth)
    example = example_experience() if example is None else example
    key = jax.random.key(0) if key is None else key
    if not report.rule("parameter names", lambda: parameter_names(Memory, instance, METHODS)):
        return report
    if not report.rule("budget", lambda: _budget(instance, example)):
        return report
    small = small_one(instance, example)
    if not _outline(report, small, key, example) or not values:
        return report
    lived = made_up(example, -(-(3 * small.bytes // bytes_of(example) + 8) // EARLY) * EARLY)
    trial = fill(small, key, lived)
    report.rule("empty", lambda: _empty(trial))
    report.rule("count", lambda: _count(trial))
    if not report.rule("what is drawn was added", lambda: _truthful(trial, trial.early, EARLY)):
        return report
    if not report.rule("also past the budget", lambda: _truthful(trial, trial.full, lived.origin.shape[0])):
        return report
    report.rule("what is not known", lambda: _unknown(trial))
    if oldest_first:
        report.rule("the oldest leaves first", lambda: _ordered(trial))
    report.rule("same under vmap", lambda: _same_under_vmap(trial))
    report.rule("same key, same draw", lambda: _keyed(trial))
    report.rule("save, load, continue", lambda: _continues(trial))
    report.rule("donated in place", lambda: _in_place(trial, example))
    report.rule("no scratch that grows", lambda: _scratch_grows(trial, example))
    return report


def _outline(report: Report, small: Any, key: jax.Array, example: Experience) -> bool:
    """Add the rules of shapes; whether all were kept."""
    shapes, rows = shapes_of(small), example.origin.shape
    number = jax.ShapeDtypeStruct(rows, jnp.float32)
    bare = replace(example, **dict.fromkeys(OPTIONAL))
    full = replace(example, **{name: getattr(example, name) if name in WHOLE else number for name in OPTIONAL})

    def calls(key: jax.Array, example: Experience) -> dict[str, Any]:
        empty = small.init(example)
        added = small.add(key, empty, example)
        drawn = [small.sample(key, added, shape) for shape in shapes]
        return {"empty": empty, "added": added, "count": small.count(added), "drawn": drawn}

    found: dict[str, Any] = {}
    given = (key, example)
    trace = lambda: found.update(jax.eval_shape(calls, *given))  # noqa: E731
    if not report.rule("can be traced", trace):
        return False
    kept = [
        report.rule("pure", lambda: pure(calls, *given)),
        report.rule("state keeps its form", lambda: same_form(found["empty"], found["added"], "state")),
        report.rule("state settles", lambda: settles(found["empty"], found["added"], "state")),
        report.rule("what is not known keeps the form", lambda: _same_for_all(small, key, found["empty"], bare, full)),
        report.rule("the form of a draw", lambda: _drawn_form(found["drawn"], shapes, example)),
        report.rule("the form of count", lambda: _count_form(found["count"])),
        report.rule("sequences or a refusal", lambda: _refuses(small, key, found["added"])),
    ]
    return all(kept)


def _same_for_all(small: Any, key: jax.Array, empty: Any, *others: Experience) -> str:
    """Shown and lived experience differ in what is known, and one memory keeps both."""
    for other in others:
        try:
            sentence = same_form(empty, jax.eval_shape(small.add, key, empty, other), "state")
        except (TypeError, ValueError, AttributeError) as error:
            sentence = f"`add` raised {type(error).__name__}: {str(error).splitlines()[0]}"
        if sentence:
            known = [name for name in OPTIONAL if getattr(other, name) is not None]
            return f"for experience of which {known or 'nothing optional'} is known, {sentence}; fill or drop fields in `add`"
    return ""


def _drawn_form(drawn: list[Experience], shapes: list[tuple[int, ...]], example: Experience) -> str:
    for shape, found in zip(shapes, drawn, strict=True):
        wanted = jax.tree.map(lambda leaf: jax.ShapeDtypeStruct((*shape, *leaf.shape[1:]), leaf.dtype), example)  # noqa: B023
        if sentence := same_form(wanted, found, f"a draw of shape {shape}, against the example:"):
            return sentence
    return ""


def _count_form(count: Any) -> str:
    if count.shape != () or count.dtype != jnp.int32:
        return f"count is {count.dtype}{list(count.shape)}, where the contract says int32[]"
    return ""


def _refuses(small: Any, key: jax.Array, state: Any) -> str:
    """Sequences longer than a declared `length` are served or refused."""
    shape = (4, getattr(small, "length", 1) + 1)
    try:
        lead = jax.eval_shape(lambda key, state: small.sample(key, state, shape), key, state).step.kind.shape
    except ValueError:
        return ""
    return "" if lead == shape else f"shape={shape} gives leading axes {lead}; raise ValueError instead"


def _budget(instance: Any, example: Experience) -> str:
    if not isinstance(getattr(instance, "bytes", None), int):
        return "it has no whole number `bytes`; the capacity of a memory is given in bytes"
    held, slack = bytes_of(jax.eval_shape(instance.init, example)), 4096 + 4 * bytes_of(example)
    return "" if held <= instance.bytes + slack else f"its state takes {held} bytes, where bytes={instance.bytes}"


def _empty(trial: Trial) -> str:
    if count := int(trial.count(trial.empty)):
        return f"an empty memory counts {count}"
    if any(bool(jnp.any(trial.draw(trial.key, trial.empty, shape).valid)) for shape in trial.shapes):
        return "a draw from an empty memory looks real; return rows that are not `valid` (step.kind = TRUNCATED)"
    return ""


def _count(trial: Trial) -> str:
    kept = np.ones_like(trial.lived.valid) if _across(trial) else trial.lived.valid
    count, most = trial.count(trial.early), int(kept[:EARLY].sum())
    if not 0 < int(count) <= most:
        return f"it counts {int(count)} after {most} transitions that are no seams, all within the budget"
    if _across(trial):
        return ""
    row = some_of(trial.lived, 0)
    seams = replace(row, step=replace(row.step, kind=jnp.full_like(row.step.kind, TERMINATED)))
    _, after, _ = trial.both(trial.key, trial.early, seams)
    return "" if int(after) <= int(count) else "its count grows when only seams are added"


def _truthful(trial: Trial, state: Any, added: int) -> str:
    """A sentence where a draw is not what was added in the first ticks, transition by transition."""
    for shape in trial.shapes:
        drawn = trial.draw(trial.key, state, shape)
        batch, name = trial.lived.origin.shape[1], _names(trial, drawn)
        if not _across(trial) and not bool(jnp.all(drawn.valid & ~drawn.next.first)):
            return (
                "it draws seams, transitions into BROKEN, or rows never filled; keep what is `valid`, and draw only what is held"
            )
        if name.min() < batch or name.max() >= (added + 1) * batch:
            return "it draws rows that were never added"
        if name.ndim == 2 and not np.all(np.diff(name, axis=1) == batch):
            return "the transitions of a sequence do not follow one another"
        wanted = rows_of(trial.lived, (name // batch - 1, name % batch))
        if sentence := same_values(wanted, drawn, "what was added, against what was drawn: "):
            return sentence
    return ""


def _across(trial: Trial) -> bool:
    """Whether it was asked for sequences that run on from one episode into the next; then it draws the seams too."""
    return bool(getattr(trial.memory, "across", False))


def _names(trial: Trial, drawn: Experience) -> np.ndarray:
    """The names of what was drawn, counted from 0 by the step after; a seam is known by the step before."""
    before, after = (np.asarray(step.reward).astype(np.int64) for step in (drawn.step, drawn.next))
    return np.where(np.asarray(drawn.next.first), before + trial.lived.origin.shape[1], after) - 1


def _unknown(trial: Trial) -> str:
    """A sentence where what was not known is drawn as if it were."""
    known = [name for name in OPTIONAL if getattr(trial.lived, name) is not None]
    bare = replace(trial.lived, **dict.fromkeys(OPTIONAL))
    drawn = trial.draw(trial.key, trial.feed(trial.empty, some_of(bare, slice(EARLY))), trial.shapes[0])
    for name in known:
        for leaf in jax.tree.leaves(getattr(drawn, name)):
            if not bool(jnp.all(leaf == 0 if name in WHOLE else jnp.isnan(leaf))):
                return f"an unknown `{name}` is drawn as a known one; fill it with {'zeros' if name in WHOLE else 'NaN'} in `add`"
    return ""


def _ordered(trial: Trial) -> str:
    keys = jax.random.split(trial.key, 64)
    drawn = np.concatenate([_names(trial, trial.draw(each, trial.full, trial.shapes[0])) for each in keys])
    names = _names(trial, trial.lived)[np.asarray(trial.lived.valid) | _across(trial)]
    kept = names[names >= drawn.min()]
    missing = np.setdiff1d(kept, drawn)
    return f"{missing.size} of {kept.size} transitions newer than the oldest drawn are gone" if missing.size else ""


def _same_under_vmap(trial: Trial) -> str:
    lives = [
        (jax.random.key(index), state, some_of(trial.lived, EARLY + index))
        for index, state in enumerate((trial.early, trial.full))
    ]

    def together(*lives: Any) -> Any:
        return jax.vmap(trial.both)(*jax.tree.map(lambda *leaves: jnp.stack(leaves), *lives))

    mapped = jax.device_get(jax.jit(together)(*lives))
    sentences = (same_values(trial.both(*life), rows_of(mapped, index), "result") for index, life in enumerate(lives))
    return next(filter(None, sentences), "")


def _keyed(trial: Trial) -> str:
    shape, elsewhere = trial.shapes[0], jax.random.fold_in(trial.key, 1)
    first, again, other = (trial.draw(each, trial.full, shape) for each in (trial.key, trial.key, elsewhere))
    if same_values(first, again, ""):
        return "two draws with one key differ; take every random number from `key`"
    return "" if same_values(first, other, "") else "draws with two keys are the same; use `key`"


def _continues(trial: Trial) -> str:
    row = some_of(trial.lived, EARLY)
    first, second = (trial.both(trial.key, state, row) for state in (trial.early, reloaded(trial.early)))
    return same_values(first, second, "result")


def _in_place(trial: Trial, example: Experience) -> str:
    """The arrays that hold experience are those whose shape depends on the budget."""
    state = trial.memory.init(example)
    double = jax.eval_shape(sized(trial.memory, 2 * trial.memory.bytes).init, example)
    grows = [leaf.shape != big.shape for leaf, big in zip(jax.tree.leaves(state), jax.tree.leaves(double), strict=True)]

    def buffers(state: Any) -> list[int]:
        held = zip(jax.tree.leaves(jax.block_until_ready(state)), grows, strict=True)
        return [leaf.unsafe_buffer_pointer() for leaf, big in held if big]

    before = buffers(state)
    after = buffers(jax.jit(trial.memory.add, donate_argnums=1)(trial.key, state, example))
    return "" if after == before else "a donated state comes back in other buffers: it was copied"


def _scratch_grows(trial: Trial, example: Experience) -> str:
    """What works in place needs scratch that does not depend on the budget. Nothing is allocated here, so the budget may be
    so large that a copy stands out."""
    shape, enough = trial.shapes[-1], max(64 * trial.memory.bytes, 1 << 28)

    def scratch(budget: int, often: bool) -> int:
        resized = sized(trial.memory, budget)

        def body(state: Any, each: jax.Array) -> Any:
            state = resized.add(each, state, example)
            return state, resized.sample(each, state, shape).next.reward.sum()

        def once(state: Any, each: jax.Array) -> Any:
            return resized.add(each, state, example)

        program = (lambda state, keys: scan(body, state, keys)) if often else once
        keys = jax.random.split(trial.key, 5) if often else trial.key
        lowered = jax.jit(program, donate_argnums=0).lower(jax.eval_shape(resized.init, example), keys)
        analysis: Any = lowered.compile().memory_analysis()
        return analysis.temp_size_in_bytes

    for often, where in ((False, "a donated add"), (True, "a scan that adds and then draws")):
        large = scratch(2 * enough, often)
        # what is small cannot have grown; otherwise a second program shows how much of it is always needed
        grown = large if large <= enough // 1000 else large - scratch(enough, often)
        if grown > enough // 1000:
            return f"in {where}, {enough} bytes more of budget need {grown} bytes more of scratch: it copies what it holds"
    return ""
