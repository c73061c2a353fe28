"""The score of a life that meets one task after another: a ledger that probes write into, and what it says.

A ledger holds one number for each task at each probe: a return, a success rate, or an error of the model. Names in
the literature collide, so here every metric has its own:

- forgetting: what a task lost between the end of its own last lesson and now (Continual World);
- backward transfer: what a task gained between the end of its own first lesson and now;
- isolated forgetting: what one lesson took from a task that had been learned before it (CORA);
- zero-shot transfer: what one lesson gave to a task that had not been learned yet (CORA);
- forward transfer: how much faster a task was learned than by a fresh agent, by areas under curves (Continual World);
- plasticity: how soon a task was learned, in times of a fresh agent (1 is as soon, 2 twice as soon, 0 never);
- retention: now over the best ever, both counted from a floor; 1 keeps everything;
- average performance: the mean of a task's probes since its first lesson began;
- regret: how far that mean lies below the best that could have been had all along.

All are for values of which more is better; `errors=True` turns a ledger of errors round.
"""

import itertools
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np


@dataclass(frozen=True, kw_only=True)
class Lesson:
    """A stretch of a life on one task: decisions begin < clock <= end of each row."""

    task: str
    begin: int
    end: int


@dataclass(frozen=True, kw_only=True)
class Ledger:
    """What a life was probed for. lessons: in order. clocks: of the probes, rising. values: for each probe, task ->
    value; a task that was not probed then is absent. A value may be an array of D draws of itself: then what is said of
    losses, gains and retention is said of all draws at once, [D]."""

    lessons: tuple[Lesson, ...] = ()
    clocks: tuple[int, ...] = ()
    values: tuple[Mapping[str, Any], ...] = ()
    errors: bool = False
    floor: Mapping[str, float] = field(default_factory=dict)
    """Values of a fresh agent, from which retention counts; a task without one counts from its first probe."""

    def learned(self, task: str, begin: int, end: int) -> "Ledger":
        """The ledger after one more lesson; the same task again without a gap prolongs the last one."""
        if self.lessons and self.lessons[-1].task == task and self.lessons[-1].end == begin:
            return replace(self, lessons=(*self.lessons[:-1], replace(self.lessons[-1], end=end)))
        if end <= begin or (self.lessons and begin < self.lessons[-1].end):
            raise ValueError(f"lesson on {task}: {begin} .. {end} must be after the last one and not empty")
        return replace(self, lessons=(*self.lessons, Lesson(task=task, begin=begin, end=end)))

    def probed(self, clock: int, values: Mapping[str, Any]) -> "Ledger":
        """The ledger after one more probe."""
        if self.clocks and clock <= self.clocks[-1]:
            raise ValueError(f"clock={clock} of a probe must be above that of the last, {self.clocks[-1]}")
        return replace(self, clocks=(*self.clocks, clock), values=(*self.values, dict(values)))

    @property
    def tasks(self) -> tuple[str, ...]:
        """The tasks that were learned, in the order of their first lessons."""
        return tuple(dict.fromkeys(lesson.task for lesson in self.lessons))

    def at(self, task: str, clock: int) -> Any:
        """The task's value at its last probe until `clock`; NaN before its first."""
        found = [value[task] for when, value in zip(self.clocks, self.values, strict=True) if when <= clock and task in value]
        return self._turned(found[-1]) if found else float("nan")

    def curve(self, task: str) -> tuple[np.ndarray, np.ndarray]:
        """Clocks [P] and values [P] of a task, or [P, D]."""
        probed = [index for index, value in enumerate(self.values) if task in value]
        clocks = np.array([self.clocks[index] for index in probed], np.int64)
        values = np.array([self.values[index][task] for index in probed], np.float64)
        return clocks, (-values if self.errors else values)

    def matrix(self) -> np.ndarray:
        """[lessons, tasks]: every task's value at the end of every lesson, in its own sign."""
        sign = -1.0 if self.errors else 1.0
        return np.array([[sign * self.at(task, lesson.end) for task in self.tasks] for lesson in self.lessons])

    def now(self) -> dict[str, Any]:
        """Every task's last value."""
        return {task: self.at(task, self.clocks[-1]) for task in self.tasks}

    def average(self) -> dict[str, Any]:
        """Every task's mean over all probes since its first lesson began: how well this life did on the whole."""
        return {task: np.mean(self._since(task), axis=0) for task in self.tasks}

    def regret(self, best: float | None = None) -> dict[str, Any]:
        """How far each task's average lies from `best`, or from the best of the same probes. What was learned late, and what
        was forgotten for a while, both count."""
        found = {}
        for task in self.tasks:
            values = self._since(task)
            most = np.max(values, axis=0) if best is None else self._turned(best)
            found[task] = most - np.mean(values, axis=0)
        return found

    def forgetting(self) -> dict[str, Any]:
        """What each task lost since the end of its own last lesson."""
        return {task: self.at(task, self._lessons_on(task)[-1].end) - value for task, value in self.now().items()}

    def backward_transfer(self) -> dict[str, Any]:
        """What each task gained since the end of its own first lesson."""
        return {task: value - self.at(task, self._lessons_on(task)[0].end) for task, value in self.now().items()}

    def retention(self) -> dict[str, Any]:
        """(now - floor) / (best - floor) of each task, its best counted from the end of its first lesson on."""
        return {task: self._kept(task, value) for task, value in self.now().items()}

    def gains(self) -> dict[str, Any]:
        """How far each task's best value, from the end of its first lesson on, lies above its floor."""
        return {task: self._best(task) - self._floor(task) for task in self.tasks}

    def isolated_forgetting(self) -> dict[tuple[str, int], float]:
        """(task, number of a lesson on another, after its own first) -> its value before that lesson minus after it."""
        return self._across(known=True, sign=-1.0)

    def zero_shot_transfer(self) -> dict[tuple[str, int], float]:
        """(task, number of a lesson on another, before its own first) -> its value after that lesson minus before it."""
        return self._across(known=False, sign=1.0)

    def area(self, task: str) -> float:
        """The mean of a task's probes within its own first lesson, the one at its beginning left out."""
        first = self._lessons_on(task)[0]
        clocks, values = self.curve(task)
        inside = (clocks > first.begin) & (clocks <= first.end)
        return float(np.mean(values[inside])) if inside.any() else float("nan")

    def forward_transfer(self, fresh: Mapping[str, float], best: float = 1.0) -> dict[str, float]:
        """(area - fresh) / (best - fresh) of each task, fresh: the areas of agents that learned it alone."""
        return {task: (self.area(task) - fresh[task]) / (best - fresh[task]) for task in self.tasks if task in fresh}

    def recovery(self, share: float = 0.95) -> dict[tuple[str, int], float]:
        """How soon a task came back: (task, number of a later lesson on it) -> a ratio of decisions.

        The goal lies at `share` of the way from the floor to where the task's last lesson left it. The ratio is of the
        decisions until the task was there again, over those of its first lesson; infinite where it never was.
        """
        found = {}
        for task in self.tasks:
            own = self._lessons_on(task)
            for before, again in itertools.pairwise(own):
                goal = self._floor(task) + share * (self.at(task, before.end) - self._floor(task))
                took, first = self._reached(task, again, goal), self._reached(task, own[0], goal)
                found[task, self.lessons.index(again)] = took / first if first else float("nan")
        return found

    def plasticity(self, fresh: Mapping[str, "Ledger"], share: float = 0.9) -> dict[str, float]:
        """How soon each task was learned: task -> a ratio of decisions.

        The goal lies at `share` of the way from the floor to where the lesson of a fresh agent left the task. The ratio
        is of the decisions until the fresh agent was there, over those of this life in its own first lesson.
        """
        found = {}
        for task in (task for task in self.tasks if task in fresh):
            alone = fresh[task]
            lesson, floor = alone._lessons_on(task)[0], alone._floor(task)
            goal = floor + share * (alone.at(task, lesson.end) - floor)
            took = self._reached(task, self._lessons_on(task)[0], goal)
            found[task] = alone._reached(task, lesson, goal) / took if took else float("inf")
        return found

    def learning_time(self, number: int, goal: float) -> float:
        """Decisions that the lesson `number` took to bring its task to `goal`; infinite where it did not."""
        return self._reached(self.lessons[number].task, self.lessons[number], -goal if self.errors else goal)

    def _across(self, known: bool, sign: float) -> dict[tuple[str, int], float]:
        found = {}
        for number, lesson in enumerate(self.lessons):
            for task in self.tasks:
                learned = self._lessons_on(task)[0].begin < lesson.begin
                if task != lesson.task and learned == known:
                    found[task, number] = sign * (self.at(task, lesson.end) - self.at(task, lesson.begin))
        return found

    def _kept(self, task: str, value: Any) -> Any:
        best, floor = self._best(task), self._floor(task)
        return (value - floor) / np.where(best > floor, best - floor, np.nan)

    def _best(self, task: str) -> Any:
        clocks, values = self.curve(task)
        # the probe that closes the first lesson may lie a little before its end, with that of an episode
        first = np.searchsorted(clocks, self._lessons_on(task)[0].end, side="right") - 1
        return np.max(values[max(first, 0) :], axis=0, initial=-np.inf)

    def _floor(self, task: str) -> Any:
        if task in self.floor:
            return self._turned(self.floor[task])
        values = self.curve(task)[1]
        return values[0] if values.size else float("nan")

    def _reached(self, task: str, lesson: Lesson, goal: float) -> float:
        clocks, values = self.curve(task)
        there = clocks[(clocks >= lesson.begin) & (clocks <= lesson.end) & (values >= goal)]
        return float(there[0] - lesson.begin) if there.size else float("inf")

    def _since(self, task: str) -> np.ndarray:
        """The task's values at all probes since its first lesson began; one NaN where there was none."""
        clocks, values = self.curve(task)
        since = values[clocks > self._lessons_on(task)[0].begin]
        return since if len(since) else np.full((1, *values.shape[1:]), np.nan)

    def _lessons_on(self, task: str) -> list[Lesson]:
        return [lesson for lesson in self.lessons if lesson.task == task]

    def _turned(self, value: Any) -> Any:
        return -value if self.errors else value
