"""The rules of a model's `learn`: what it may change, and that it learns."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from umwelt.check.base import Report, compiles_once, plain, same_form, same_values
from umwelt.check.imagining import declared
from umwelt.check.plant import Subject, altered
from umwelt.core import BROKEN, TERMINATED, Experience, scan, struct

CLOSE = 5e-3
"""Optimisers divide by small numbers, so two ways to compute one update may differ by this much."""
FAR = 30.0
"""How many standard deviations away from everything seen "far away" is."""


@struct
class Marks:
    """What an exam found. error: of one step ahead, in standard deviations of what is predicted. surprise: mean.
    doubt: median."""

    error: Any
    surprise: Any
    doubt: Any


def examine(report: Report, subject: Subject, state: Any, thorough: bool) -> None:
    """Add the rules of one call of `learn` to the report. thorough: also those about jit and vmap."""
    rules = {"reports": _reports, "seams teach nothing": _seams, "save, load, continue": _saved, "learn compiles once": _once}
    if thorough:
        rules |= {"learn under jit": _jit, "vmap over seeds": _vmap, "learn, same key": _same_key}
    for rule, check in rules.items():
        report.rule(f"{rule}{subject.suffix}", lambda check=check: check(subject, state))


def keeps_form(subject: Subject, state: Any) -> str:
    """A sentence where `learn` returns a state of another form."""
    after, _ = subject.learn(subject.key, state, subject.meal())
    difference = same_form(state, after, "the state")
    return f"in `learn` {difference}; return every array in the form in which `init` makes it" if difference else ""


def school(subject: Subject, state: Any, steps: int) -> Any:
    """The state after `steps` meals."""

    def lesson(held: Any, given: tuple[Any, Experience]) -> tuple[Any, None]:
        return subject.model.learn(given[0], held, given[1])[0], None

    draws = jax.random.split(subject.key, steps)
    return jax.jit(lambda state, *given: scan(lesson, state, given)[0])(state, draws, subject.meals(steps))


def grades(report: Report, subject: Subject, newborn: Any, schooled: Any) -> None:
    """Add the rules of what a schooling must have brought to the report."""
    exam = jax.jit(lambda state, life: marks(subject, state, life))
    found: list[Marks] = []

    def sit() -> None:
        lives = ((newborn, subject.other), (schooled, subject.other), (schooled, _away(subject)))
        found.extend(exam(*pair) for pair in lives)

    if not report.rule(f"an exam{subject.suffix}", sit):
        return
    before, after, far = found
    report.rule(f"it learns{subject.suffix}", lambda: _better(before, after))
    report.rule(f"surprise falls{subject.suffix}", lambda: _calmer(before, after))
    report.rule(f"doubt far away{subject.suffix}", lambda: _doubts(after, far))


def marks(subject: Subject, state: Any, life: Experience) -> Marks:
    """Observe a life [T, B], and before each of its steps imagine it."""
    model = subject.model

    def tick(belief: Any, moment: Experience) -> tuple[Any, Any]:
        _, prediction = model.imagine(subject.key, state, belief, moment.action)
        belief, info = model.observe(subject.key, state, belief, moment.action, moment.next)
        return belief, (prediction, info["surprise"], info["doubt"])

    start = model.start(state, subject.spec.batch)
    opening = jax.tree.map(lambda leaf: leaf[0], life)
    belief, _ = model.observe(subject.key, state, start, opening.action, opening.step)
    _, (prediction, surprise, doubt) = scan(tick, belief, life)
    decoded = prediction.observation is not None
    found = life.next.observation if decoded else life.next.reward[..., None]
    guess = life.step.observation if decoded else jnp.mean(found, (0, 1))
    expected = prediction.observation if decoded else prediction.reward[..., None]
    valid = life.valid[..., None]
    error, spread = (jnp.sum(jnp.where(valid, (found - other) ** 2, 0.0)) for other in (expected, guess))
    return Marks(error=jnp.sqrt(error / spread), surprise=jnp.nanmean(surprise), doubt=jnp.nanmedian(doubt))


def _away(subject: Subject) -> Experience:
    """The other life, shifted far from where anything was seen."""
    shift = FAR * jnp.std(subject.other.step.observation)
    return jax.tree.map(lambda leaf: leaf + shift if leaf.ndim == 3 and leaf is not subject.other.action else leaf, subject.other)


def _better(before: Marks, after: Marks) -> str:
    reference = min(float(before.error), 1.0)
    if float(after.error) <= 0.5 * reference:
        return ""
    return (
        f"after its lessons in a linear world its one-step error is {float(after.error):.3g}, where it was"
        f" {float(before.error):.3g} and guessing that nothing changes gives 1; it must at least halve: look for a missing"
        " update, a wrong target, or a learning rate that is too small"
    )


def _calmer(before: Marks, after: Marks) -> str:
    if float(after.surprise) < float(before.surprise):
        return ""
    return (
        f"its mean surprise was {float(before.surprise):.3g} before learning and is {float(after.surprise):.3g} after;"
        " surprise must fall as the world becomes known: look at its sign, and that it is measured against the prediction"
    )


def _doubts(after: Marks, far: Marks) -> str:
    if float(far.doubt) > float(after.doubt):
        return ""
    return (
        f"after learning its doubt is {float(after.doubt):.3g} where it has been, and {float(far.doubt):.3g} far away from"
        " there; doubt is about what was not seen, so it must be larger where nothing was"
    )


def _saved(subject: Subject, state: Any) -> str:
    """Through NumPy and back, as a checkpoint goes."""
    leaves, tree = jax.tree.flatten(state)
    loaded = jax.tree.unflatten(tree, [_restore(leaf) for leaf in leaves])
    for meal in (subject.meal(index) for index in range(3)):
        state, loaded = (subject.learn(subject.key, held, meal)[0] for held in (state, loaded))
    difference = same_values(state, loaded, "the state")
    return f"saved, loaded and taught on, {difference}; keep everything that `learn` reads in the state" if difference else ""


def _restore(leaf: Any) -> Any:
    if jnp.issubdtype(jnp.asarray(leaf).dtype, jax.dtypes.prng_key):
        return jax.random.wrap_key_data(jnp.asarray(plain(leaf)), impl=jax.random.key_impl(leaf))
    return jnp.asarray(np.array(plain(leaf)), dtype=jnp.asarray(leaf).dtype)


def _reports(subject: Subject, state: Any) -> str:
    _, info = subject.learn(subject.key, state, subject.meal())
    wide = [name for name, value in info.items() if np.shape(value) != ()]
    if wide:
        return f"`learn` reports {wide} as arrays; the Info of `learn` holds scalars, so reduce them to one number"
    return declared(subject.model, info, "learn")


def _seams(subject: Subject, state: Any) -> str:
    """Whatever stands where nothing was learned of the world, what is predicted afterwards is the same; and a meal of
    nothing else changes nothing."""
    meal = subject.meal(2)
    ended, broken = jnp.full_like(meal.step.kind, TERMINATED), jnp.full_like(meal.next.kind, BROKEN)
    kinds = {"a seam": (ended, meal.next.kind), "a transition into BROKEN": (meal.step.kind, broken)}
    for name, (before, after) in kinds.items():
        if sentence := _unlearned(subject, state, meal, name, before, after):
            return sentence
    return _end_unlearned(subject, state, meal) if meal.origin.ndim == 2 else ""


def _unlearned(subject: Subject, state: Any, meal: Experience, name: str, before: Any, after: Any) -> str:
    """A sentence where a meal whose kinds were these, in its first row or in all of it, teaches what it holds."""
    contents = (meal.step.observation, meal.next, meal.action)
    spoiled = altered(contents, 0, 1, shift=5)
    own = (meal.step.kind, meal.next.kind)
    first = [kind.at[0].set(other[0]) for kind, other in zip(own, (before, after), strict=True)]
    taught = [subject.learn(subject.key, state, _with(meal, *first, given))[0] for given in (contents, spoiled)]
    difference = same_values(*(_predicted(subject, held) for held in taught), "what it predicts", 1e-6)
    if difference:
        return f"when only the contents of {name} change, {difference}; give rows that are not `valid` no weight"
    held, _ = subject.learn(subject.key, state, _with(meal, before, after, spoiled))
    difference = same_values(_predicted(subject, state), _predicted(subject, held), "what it predicts", 1e-6)
    if difference:
        return f"after a meal of nothing but {name}, {difference}; where no row is `valid`, nothing may be learned"
    return ""


def _end_unlearned(subject: Subject, state: Any, meal: Experience) -> str:
    """A sentence where a sequence that broke with its last step teaches what that step holds."""
    kind = meal.next.kind.at[0, -1].set(BROKEN)
    after, action = altered((meal.next, meal.action), (0, -1), (1, -1), shift=5)
    contents = [(meal.step.observation, *rest) for rest in ((meal.next, meal.action), (after, action))]
    taught = [subject.learn(subject.key, state, _with(meal, meal.step.kind, kind, given))[0] for given in contents]
    difference = same_values(*(_predicted(subject, held) for held in taught), "what it predicts", 1e-6)
    return f"when only the step changes with which a sequence broke, {difference}; nobody saw that step" if difference else ""


def _with(meal: Experience, before: Any, after: Any, contents: tuple[Any, Any, Any]) -> Experience:
    """The meal with other kinds, and other contents: observation, next step, action."""
    observation, next, action = contents
    step = type(meal.step)(kind=before, observation=observation, reward=meal.step.reward)
    next = type(next)(kind=after, observation=next.observation, reward=next.reward)
    return Experience(step=step, action=action, next=next, origin=meal.origin, task=meal.task)


def _predicted(subject: Subject, state: Any) -> Any:
    moment = subject.moment(2)
    start = subject.model.start(state, subject.spec.batch)
    belief, _ = subject.observe(subject.key, state, start, moment.action, moment.step)
    return subject.imagine(subject.key, state, belief, moment.action)[1]


def _jit(subject: Subject, state: Any) -> str:
    arguments = (subject.key, state, subject.meal(1))
    difference = same_values(subject.model.learn(*arguments), subject.learn(*arguments), "the result", CLOSE)
    return f"under jit, `learn` returns something else: {difference}; keep it pure, with no Python state" if difference else ""


def _once(subject: Subject, state: Any) -> str:
    after, _ = subject.learn(subject.key, state, subject.meal())
    again = compiles_once(subject.learn, (subject.key, state, subject.meal()), (subject.key, after, subject.meal(1)))
    return f"`learn`: {again}; return every array in the dtype and weak type in which it came" if again else ""


def _vmap(subject: Subject, state: Any) -> str:
    meal = subject.meal(1)

    def birth(key: Any) -> Any:
        return subject.model.learn(key, subject.init.plain(key), meal)[0]

    draws = jax.random.split(subject.key, 2)
    together = jax.jit(jax.vmap(birth))(draws)
    alone, _ = subject.learn(draws[1], subject.init(draws[1]), meal)
    difference = same_values(alone, jax.tree.map(lambda leaf: leaf[1], together), "the state", CLOSE)
    return f"as one of two seeds under vmap, {difference}; keep `init` and `learn` free of Python values" if difference else ""


def _same_key(subject: Subject, state: Any) -> str:
    learned = [subject.learn(subject.key, state, subject.meal(1)) for _ in range(2)]
    difference = same_values(*learned, "the result")
    return f"`learn` called twice with one key: {difference}; draw every random number from `key`" if difference else ""
