"""Metrics of a lifelong log, experience by experience, as the L2M programme defined them.

A log is a list of blocks in their order in time; in each, one task was either learned or only
tested. Experts are learning curves of agents that had one task for all their lives. Curves are first made
comparable by `prepared`; `scores` gives all metrics, NaN where the log does not hold what one needs.

The published reference is `l2metrics` 3.1.0, whose defaults are followed; its transfers are those of no training
in between ("zero-shot"), which others call forward transfer too: see `lifetime` for the one of speed.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise, permutations

import numpy as np

Experts = Mapping[str, Sequence[np.ndarray]]
"""For each task the learning curves of its experts."""
TERMINAL = 0.1
"""The share at the end of a learning block whose mean is its terminal performance; of a test, all counts."""


@dataclass(frozen=True, kw_only=True)
class Block:
    """performance: float [n], one for each experience."""

    task: str
    learning: bool
    performance: np.ndarray

    @property
    def terminal(self) -> float:
        """The performance that the block ends with."""
        begin = int((1.0 - TERMINAL) * len(self.performance)) if self.learning else 0
        return float(np.mean(self.performance[begin:]))


def prepared(
    blocks: Sequence[Block], experts: Experts, quantiles: tuple[float, float] | None = None, low: float = 1.0, high: float = 101.0
) -> tuple[list[Block], dict[str, list[np.ndarray]]]:
    """Learning curves smoothed; then each task, its experts included, cut at the given quantiles, where there are
    some, and brought to the range low .. high."""
    made = [replace(block, performance=smoothed(block.performance)) if block.learning else block for block in blocks]
    curves = {task: [smoothed(curve) for curve in each] for task, each in experts.items()}
    for task in dict.fromkeys(block.task for block in made):
        every = np.concatenate([*(block.performance for block in made if block.task == task), *curves.get(task, [])])
        least, most = np.quantile(every, quantiles) if quantiles else (every.min(), every.max())
        width = most - least or np.inf

        def scaled(curve: np.ndarray, least: float = least, most: float = most, width: float = width) -> np.ndarray:
            return (np.clip(curve, least, most) - least) / width * (high - low) + low

        made = [replace(each, performance=scaled(each.performance)) if each.task == task else each for each in made]
        curves[task] = [scaled(curve) for curve in curves.get(task, [])]
    return made, curves


def smoothed(curve: np.ndarray) -> np.ndarray:
    """The moving average over a fifth of the curve, 100 experiences at most, with the ends mirrored."""
    curve = np.asarray(curve, np.float64)
    window = min(len(curve) // 5, 100)
    if window < 3:
        return curve
    mirrored = np.pad(curve, window - 1, mode="reflect")
    means = np.convolve(mirrored, np.full(window, 1.0 / window), mode="valid")
    first = (window - 2) // 2 if window % 2 == 0 else (window - 3) // 2
    return means[first : first + len(curve)]


def scores(blocks: Sequence[Block], experts: Experts) -> dict[str, float]:
    """All metrics of prepared blocks; means over tasks, or over pairs of tasks."""
    tasks = list(dict.fromkeys(block.task for block in blocks))

    def over_tasks(metric: Callable[[str], float]) -> float:
        found = np.array([metric(task) for task in tasks])
        return float(np.mean(found[~np.isnan(found)])) if (~np.isnan(found)).any() else float("nan")

    return {
        "performance_recovery": over_tasks(lambda task: recovery(blocks, task)),
        "mean_training_performance": over_tasks(lambda task: _mean_of(blocks, task, learning=True)),
        "mean_evaluation_performance": over_tasks(lambda task: _mean_of(blocks, task, learning=False)),
        "performance_maintenance": over_tasks(lambda task: maintenance(blocks, task)),
        "forward_transfer": transfer(blocks, tasks, forward=True),
        "backward_transfer": transfer(blocks, tasks, forward=False),
        "relative_performance": over_tasks(lambda task: relative(blocks, experts, task)),
        "sample_efficiency": over_tasks(lambda task: efficiency(blocks, experts, task)),
    }


def recovery(blocks: Sequence[Block], task: str) -> float:
    """Minus the Theil-Sen slope of how many experiences each block needs to be as good again as the last ended."""
    own = [block for block in blocks if block.task == task and block.learning]
    times = []
    for before, block in pairwise(own):
        regained = np.flatnonzero(block.performance >= before.terminal)
        times.append(regained[0] if regained.size else len(block.performance) + 1)
    pairs = [(b - a) / (j - i) for i, a in enumerate(times) for j, b in enumerate(times) if i < j]
    return -float(np.median(pairs)) if pairs else float("nan")


def maintenance(blocks: Sequence[Block], task: str) -> float:
    """What later tests lose or gain against the first test after the latest learning."""
    learned = [index for index, block in enumerate(blocks) if block.task == task and block.learning]
    tested = [index for index, block in enumerate(blocks) if block.task == task and not block.learning]
    firsts = {min(test for test in tested if test > index) for index in learned if any(test > index for test in tested)}
    gains = []
    for test in tested:
        earlier = [first for first in firsts if first < test]
        if earlier and test not in firsts:
            gains.append(blocks[test].terminal - blocks[max(earlier)].terminal)
    return float(np.mean(gains)) if gains else float("nan")


def transfer(blocks: Sequence[Block], tasks: Sequence[str], forward: bool) -> float:
    """The mean over pairs of tasks of the first ratio of a test after the other task was learned to the test before
    it; forward where the tested task itself had not been learned yet, backward where it had."""
    ratios = []
    for taught, task in permutations(tasks, 2):
        tested = [index for index, block in enumerate(blocks) if block.task == task and not block.learning]
        own = [index for index, block in enumerate(blocks) if block.task == task and block.learning]
        begun = min(own, default=len(blocks))
        if not forward and not own:
            continue
        for before, after in pairwise(tested):
            between = [i for i in range(before, after) if blocks[i].task == taught and blocks[i].learning]
            if any((i < begun) == forward for i in between) and blocks[before].terminal != 0:
                ratios.append(blocks[after].terminal / blocks[before].terminal)
                break
    return float(np.mean(ratios)) if ratios else float("nan")


def relative(blocks: Sequence[Block], experts: Experts, task: str) -> float:
    """The sum of the task's learning curve over that of its experts, as far as both go."""
    mine, others = _curve(blocks, task), experts.get(task, ())
    if not len(mine) or not others:
        return float("nan")
    return float(np.mean([np.sum(mine[: len(other)]) / np.sum(other[: len(mine)]) for other in others]))


def efficiency(blocks: Sequence[Block], experts: Experts, task: str) -> float:
    """How high the task's curve comes over its experts' heights, times how much sooner; 0 for a curve that falls
    or ends below a fifth of the expert's height."""
    mine, others = _curve(blocks, task), experts.get(task, ())
    if not len(mine) or not others:
        return float("nan")
    height, when = _saturation(mine)
    rises = np.polyfit(np.arange(len(mine)), mine, 1)[0] >= 0
    found = []
    for other in others:
        best, then = _saturation(other)
        if when and then:
            found.append(height / best * then / when if rises and height >= 0.2 * best else 0.0)
    return float(np.mean(found)) if found else float("nan")


def _saturation(curve: np.ndarray) -> tuple[float, int]:
    """The highest point of the smoothed curve, and after how many experiences it is reached."""
    smooth = smoothed(curve)
    return float(smooth.max()), int(smooth.argmax())


def _curve(blocks: Sequence[Block], task: str) -> np.ndarray:
    """All performances on a task while it was learned."""
    own = [block.performance for block in blocks if block.task == task and block.learning]
    return np.concatenate(own) if own else np.zeros(0)


def _mean_of(blocks: Sequence[Block], task: str, learning: bool) -> float:
    own = [np.mean(block.performance) for block in blocks if block.task == task and block.learning == learning]
    return float(np.mean(own)) if own else float("nan")
