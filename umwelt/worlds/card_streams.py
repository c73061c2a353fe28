"""Lessons for `Cards` by kind: classes a few at a time, pixels permuted, pictures turned, answers renamed.

Cards(cards=Digits(), lessons=split(10, each=2))
"""

import numpy as np

from umwelt.worlds.cards import Lesson
from umwelt.worlds.orders import Names

Lessons = tuple[Lesson, ...]


def split(classes: int, each: int = 2) -> Lessons:
    """Make a lesson of every `each` classes, in order: c0, c2 ..."""
    return tuple(
        Lesson(name=f"c{first}", classes=tuple(range(first, min(first + each, classes)))) for first in range(0, classes, each)
    )


def permuted(number: int) -> Lessons:
    """Make lessons of all classes that differ in the order of the pixels; p0 leaves them in place."""
    return tuple(Lesson(name=f"p{index}", pixels=index) for index in range(number))


def turned(number: int = 4) -> Lessons:
    """Make lessons that differ by quarter turns of the picture: t0, t1 ..."""
    return tuple(Lesson(name=f"t{turns}", turns=turns) for turns in range(number))


def relabelled(number: int, classes: int, swaps: int = 0, seed: int = 0) -> Lessons:
    """Make lessons that differ in the right answers: r0 has those of the set. Each later one swaps `swaps` pairs of the
    answers before it, or draws them all again where that is 0."""
    random, answers, made = np.random.default_rng(seed), np.arange(classes), []
    for index in range(number):
        made.append(Lesson(name=f"r{index}", answers=tuple(int(answer) for answer in answers)))
        answers = answers.copy()
        if swaps:
            pairs = random.permutation(classes)[: 2 * swaps].reshape(2, -1)
            answers[pairs] = answers[pairs[::-1]]
        else:
            answers = random.permutation(classes)
    return tuple(made)


def names(lessons: Lessons) -> Names:
    """Name the lessons in order, as a teacher takes them."""
    return tuple(lesson.name for lesson in lessons)
