"""Simulate supervised learning as a life: cards are shown, answered, and their truth follows."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from umwelt.core import Box, Discrete, TimeStep, WorldSpec, part, struct
from umwelt.worlds import stream
from umwelt.worlds.card_sets import CardSet, Glyphs

PERMUTATIONS = 1_000_000
"""Seeds of permutations lie below this number, so that float32 can hold them."""
HELD_OUT = "_held_out"
"""Ends the name of a task whose cards nothing learns from."""


@struct
class CardsTask:
    """classes: float32 [C], how often each class is drawn beside the others. pixels: int32 [], the seed of a permutation of
    all pixels; 0 leaves them in place. answers: int32 [C], the right answer for each class. turns: int32 [], quarter turns
    of the picture. noise: float32 [], the deviation of what is added to each pixel. held_out: int32 [], 1 for cards that
    are kept apart for exams."""

    classes: Any
    pixels: Any
    answers: Any
    turns: Any
    noise: Any
    held_out: Any


@struct
class CardsBody:
    """card: float32 [h, w], the picture shown. truth: int32 [], its answer. before: int32 [], that of the card before, or C
    on the first one. order: int32 [h * w], of the pixels."""

    card: jax.Array
    truth: jax.Array
    before: jax.Array
    order: jax.Array


@part
class Lesson:
    """A named task of `Cards`, in plain numbers.

    >>> lesson = Lesson(name="evens", classes=(0, 2, 4, 6, 8))
    >>> float(Cards(lessons=(lesson,)).tasks()["evens"].classes.sum())
    5.0
    """

    name: str
    """Its name among the world's tasks."""
    classes: tuple[int, ...] = ()
    """The classes that are drawn, evenly; empty for all."""
    pixels: int = 0
    """The seed of a permutation of all pixels; 0 leaves them in place."""
    answers: tuple[int, ...] = ()
    """The right answer for each class; empty for its own number."""
    turns: int = 0
    """Quarter turns of the picture."""
    noise: float = 0.0
    """The deviation of what is added to each pixel."""


@part
class Cards:
    """Answer one small picture after another; the truth about each is shown with the next.

    The action is an answer. The reward is 1 for a right one. Each observation is a card and the true answer of the card
    before. So all that a learner may use is in what it has seen, and an episode's last card is never resolved.

    >>> after = {"card": jnp.zeros((1, 12, 12)), "truth": jnp.array([7])}
    >>> float(Cards().reward(None, jnp.array([7]), after)[0])  # the answer was 7
    1.0
    """

    batch: int = 1
    """Episodes in parallel."""
    time_limit: int = 64
    """Cards that are answered in an episode."""
    cards: CardSet = Glyphs()
    """Where pictures come from."""
    lessons: tuple[Lesson, ...] = ()
    """Named tasks beside `all`, which has all classes as they are."""

    @property
    def spec(self) -> WorldSpec:
        """Spaces, batch and name."""
        number = self.cards.classes
        return WorldSpec(
            name="cards",
            observation={"card": Box(shape=self.cards.shape), "truth": Discrete(n=number + 1)},
            action=Discrete(n=number),
            task=CardsTask(
                classes=Box(shape=(number,), low=0.0, high=1.0),
                pixels=Box(low=0, high=PERMUTATIONS, dtype="int32"),
                answers=Box(shape=(number,), low=0, high=number - 1, dtype="int32"),
                turns=Box(low=0, high=3, dtype="int32"),
                noise=Box(low=0.0, high=2.0),
                held_out=Box(low=0, high=1, dtype="int32"),
            ),
            batch=self.batch,
        )

    def tasks(self) -> dict[str, CardsTask]:
        """Named tasks; each comes a second time with cards that are held out, under its name and `_held_out`."""
        lessons = (Lesson(name="all"), *self.lessons)
        learned = {lesson.name: self._task(lesson, 0) for lesson in lessons}
        return learned | {lesson.name + HELD_OUT: self._task(lesson, 1) for lesson in lessons}

    def begin(self, key: jax.Array, task: CardsTask) -> CardsBody:
        """Show a first card, before which there was none."""
        pixels = int(np.prod(self.cards.shape))
        # the permutation belongs to the task, not to the episode
        shuffled = jnp.argsort(jax.random.uniform(jax.random.key(task.pixels), (pixels,)))
        order = jnp.where(task.pixels > 0, shuffled, jnp.arange(pixels)).astype(jnp.int32)
        card, truth = self._drawn(key, task, order)
        return CardsBody(card=card, truth=truth, before=jnp.int32(self.cards.classes), order=order)

    def advance(
        self, key: jax.Array, body: CardsBody, action: jax.Array, task: CardsTask
    ) -> tuple[CardsBody, jax.Array, jax.Array]:
        """Compare the answer with the truth, and show the next card."""
        card, truth = self._drawn(key, task, body.order)
        right = (action == body.truth).astype(jnp.float32)
        return CardsBody(card=card, truth=truth, before=body.truth, order=body.order), right, jnp.bool_(False)

    def observe(self, body: CardsBody, task: CardsTask) -> dict[str, jax.Array]:
        """The card, float32 [h, w], and the truth about the card before, int32 []."""
        return {"card": body.card, "truth": body.before}

    def reward(self, observation: Any, action: jax.Array, next_observation: Any, task: Any = None) -> jax.Array:
        """The reward float32 [N] of a transition of rows [N]: 1 where the answer is the truth that the next step shows."""
        return (action == next_observation["truth"]).astype(jnp.float32)

    def continues(self, observation: Any, action: jax.Array, next_observation: Any, task: Any = None) -> jax.Array:
        """The probability float32 [N] that the episode continues: 1."""
        return jnp.ones(observation["card"].shape[0], jnp.float32)

    def init(self, key: jax.Array, task: CardsTask) -> tuple[stream.StreamState, TimeStep]:
        """Begin an episode in every row."""
        return stream.init(self, key, task)

    def step(
        self, key: jax.Array, state: stream.StreamState, action: jax.Array, next_task: CardsTask
    ) -> tuple[stream.StreamState, TimeStep]:
        """Take one decision in every row."""
        return stream.step(self, key, state, action, next_task)

    def _drawn(self, key: jax.Array, task: CardsTask, order: jax.Array) -> tuple[jax.Array, jax.Array]:
        """Draw a card as the task shows it, and its answer."""
        choosing, drawing, spoiling = jax.random.split(key, 3)
        # where no class is allowed, all are
        weights = jnp.cumsum(jnp.where(jnp.any(task.classes > 0), task.classes, 1.0))
        # by one number, which compiles much sooner than `jax.random.categorical`
        label = jnp.sum(jax.random.uniform(choosing) * weights[-1] >= weights)
        picture = self.cards.draw(drawing, label, task.held_out)
        if picture.shape[0] == picture.shape[1]:
            picture = jnp.stack([jnp.rot90(picture, turns) for turns in range(4)])[task.turns]
        picture = picture.reshape(-1)[order].reshape(picture.shape)
        noise = task.noise * jax.random.normal(spoiling, picture.shape)
        return (picture + noise).astype(jnp.float32), jnp.asarray(task.answers)[label].astype(jnp.int32)

    def _task(self, lesson: Lesson, held_out: int) -> CardsTask:
        number = self.cards.classes
        allowed = np.zeros(number, np.float32)
        allowed[list(lesson.classes or range(number))] = 1.0
        return CardsTask(
            classes=allowed,
            pixels=np.int32(lesson.pixels),
            answers=np.asarray(lesson.answers or range(number), np.int32),
            turns=np.int32(lesson.turns % 4),
            noise=np.float32(lesson.noise),
            held_out=np.int32(held_out),
        )
