"""The rules of a model's `learn` that need values: what it may change, and that it learns."""

from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from umwelt.check.base import Report, reloaded, same_values
from umwelt.check.imagining import differing
from umwelt.check.plant import Subject, altered
from umwelt.core import BROKEN, TERMINATED, WATCHED, Experience, struct

EXAM = 100
"""Steps of an exam."""
FAR = 30.0
"""How many standard deviations away from everything seen "far away" is."""


@struct
class Marks:
    """The marks of an exam. error: of one step ahead, in standard deviations of the target. surprise: mean. doubt:
    median."""

    error: Any
    surprise: Any
    doubt: Any


def examine(report: Report, subject: Subject, state: Any) -> None:
    """Add the rules of one call of `learn` to the report."""
    rules = {"seams teach nothing": _seams, "watched actions": _watched, "save, load, continue": _saved}
    for rule, check in rules.items():
        report.rule(rule, lambda check=check: check(subject, state))


def taught(subject: Subject, state: Any, steps: int) -> Any:
    """Call `learn` on `steps` batches."""
    batches, draws = subject.batches(steps), jax.random.split(subject.key, steps)
    for index in range(steps):
        batch = jax.tree.map(lambda leaf, index=index: leaf[index], batches)
        state, _ = subject.learn(draws[index], state, batch)
    return state


def grades(report: Report, subject: Subject, untrained: Any, trained: Any) -> None:
    """Add the rules of what learning must have brought to the report."""
    found: list[Marks] = []

    def sit() -> None:
        lives = ((untrained, subject.other), (trained, subject.other), (trained, _away(subject)))
        found.extend(marks(subject, *pair) for pair in lives)

    if not report.rule("an exam", sit):
        return
    before, after, far = found
    report.rule("it learns", lambda: _better(before, after))
    report.rule("surprise falls", lambda: _calmer(before, after))
    report.rule("doubt far away", lambda: _doubts(after, far))


def marks(subject: Subject, state: Any, life: Experience) -> Marks:
    """Observe the first EXAM steps of a life [T, B], and before each imagine it."""
    life = jax.tree.map(lambda leaf: np.asarray(leaf)[:EXAM], life)
    opening = jax.tree.map(lambda leaf: leaf[0], life)
    start = subject.model.start(state, subject.spec.batch)
    belief, _ = subject.observe(subject.key, state, start, opening.action, opening.step)
    answers: list[Any] = []
    for tick in range(life.origin.shape[0]):
        moment = jax.tree.map(lambda leaf, tick=tick: leaf[tick], life)
        _, prediction = subject.imagine(subject.key, state, belief, moment.action)
        belief, info = subject.observe(subject.key, state, belief, moment.action, moment.next)
        answers.append((prediction, info["surprise"], info["doubt"]))
    prediction, surprise, doubt = jax.tree.map(lambda *leaves: np.stack([np.asarray(leaf) for leaf in leaves]), *answers)
    decoded = prediction.observation is not None
    found = life.next.observation if decoded else life.next.reward[..., None]
    guess = life.step.observation if decoded else np.mean(found, (0, 1))
    expected = prediction.observation if decoded else prediction.reward[..., None]
    valid = np.asarray(life.valid)[..., None]
    error, spread = (np.sum(np.where(valid, (found - other) ** 2, 0.0)) for other in (expected, guess))
    return Marks(error=np.sqrt(error / spread), surprise=np.nanmean(surprise), doubt=np.nanmedian(doubt))


def _away(subject: Subject) -> Experience:
    """Shift the other life far from all that was observed."""
    shift = FAR * jnp.std(subject.other.step.observation)
    return jax.tree.map(lambda leaf: leaf + shift if leaf.ndim == 3 and leaf is not subject.other.action else leaf, subject.other)


def _better(before: Marks, after: Marks) -> str:
    reference = min(float(before.error), 1.0)
    if float(after.error) <= 0.5 * reference:
        return ""
    return (
        f"after learning in a linear world its one-step error is {float(after.error):.3g}, where it was"
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
    loaded = reloaded(state)
    for batch in (subject.batch(index) for index in range(3)):
        state, loaded = (subject.learn(subject.key, held, batch)[0] for held in (state, loaded))
    difference = same_values(state, loaded, "the state")
    return f"saved, loaded and taught again, {difference}; keep everything that `learn` reads in the state" if difference else ""


def _watched(subject: Subject, state: Any) -> str:
    """Other contents of unknown actions change no update: of a whole row, or of the last step of a sequence."""
    batch = subject.batch(3)
    places = [0] if batch.origin.ndim == 1 else [0, (1, -1)]
    origin = jnp.asarray(batch.origin)
    for place in places:
        origin = origin.at[place].set(WATCHED)
    learned = []
    for shift in (0, 5):
        action = batch.action
        for place in places:
            action = altered(action, place, place, shift)
        watched = replace(batch, origin=origin, action=action)
        learned.append(subject.learn(subject.key, state, watched)[0])
    difference = differing(learned, "the state", 1e-6)
    return (
        f"when only the actions of WATCHED rows change, {difference}; give rows that are not `acted` no weight"
        if difference
        else ""
    )


def _seams(subject: Subject, state: Any) -> str:
    """The contents of a seam change no prediction; and a batch of seams alone changes nothing."""
    batch = subject.batch(2)
    ended, broken = jnp.full_like(batch.step.kind, TERMINATED), jnp.full_like(batch.next.kind, BROKEN)
    kinds = {"a seam": (ended, batch.next.kind), "a transition into BROKEN": (batch.step.kind, broken)}
    for name, (before, after) in kinds.items():
        if sentence := _unlearned(subject, state, batch, name, before, after):
            return sentence
    return _end_unlearned(subject, state, batch) if batch.origin.ndim == 2 else ""


def _unlearned(subject: Subject, state: Any, batch: Experience, name: str, before: Any, after: Any) -> str:
    """A sentence where a batch whose kinds are these, in its first row or in all of it, teaches its contents."""
    contents = (batch.step.observation, batch.next, batch.action)
    spoiled = altered(contents, 0, 1, shift=5)
    own = (batch.step.kind, batch.next.kind)
    first = [kind.at[0].set(other[0]) for kind, other in zip(own, (before, after), strict=True)]
    learned = [subject.learn(subject.key, state, _with(batch, first[0], first[1], given))[0] for given in (contents, spoiled)]
    difference = differing((_predicted(subject, held) for held in learned), "its prediction", 1e-6)
    if difference:
        return f"when only the contents of {name} change, {difference}; give rows that are not `valid` no weight"
    held, _ = subject.learn(subject.key, state, _with(batch, before, after, spoiled))
    difference = same_values(_predicted(subject, state), _predicted(subject, held), "its prediction", 1e-6)
    if difference:
        return f"after a batch of nothing but {name}, {difference}; where no row is `valid`, nothing may be learned"
    return ""


def _end_unlearned(subject: Subject, state: Any, batch: Experience) -> str:
    """A sentence where a sequence that broke with its last step teaches the contents of that step."""
    kind = batch.next.kind.at[0, -1].set(BROKEN)
    after, action = altered((batch.next, batch.action), (0, -1), (1, -1), shift=5)
    contents = [(batch.step.observation, *rest) for rest in ((batch.next, batch.action), (after, action))]
    learned = [subject.learn(subject.key, state, _with(batch, batch.step.kind, kind, given))[0] for given in contents]
    difference = differing((_predicted(subject, held) for held in learned), "its prediction", 1e-6)
    return (
        f"when only the step changes with which a sequence broke, {difference}; that step was never observed"
        if difference
        else ""
    )


def _with(batch: Experience, before: Any, after: Any, contents: tuple[Any, ...]) -> Experience:
    """Give the batch other kinds, and other contents: observation, next step, action."""
    observation, next, action = contents
    step = replace(batch.step, kind=before, observation=observation)
    return replace(batch, step=step, action=action, next=replace(next, kind=after))


def _predicted(subject: Subject, state: Any) -> Any:
    moment = subject.moment(2)
    start = subject.model.start(state, subject.spec.batch)
    belief, _ = subject.observe(subject.key, state, start, moment.action, moment.step)
    return subject.imagine(subject.key, state, belief, moment.action)[1]
