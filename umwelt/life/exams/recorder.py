"""Record what the agent of a save does, as a Minari dataset that other lives can be shown."""

from pathlib import Path
from typing import Any

import jax
import numpy as np

from umwelt.core import BROKEN, SHOWN, TERMINATED, TRUNCATED
from umwelt.core.contracts import Mode
from umwelt.evaluation.proctor import Proctor
from umwelt.life.composition import BadLife
from umwelt.life.engine import Engine
from umwelt.life.exams.examine import panel_of, repeated
from umwelt.life.folder import expression
from umwelt.life.folder.folder import Folder
from umwelt.life.saves.saver import Saver
from umwelt.memory import minari
from umwelt.memory.episodes import transitions
from umwelt.worlds import with_batch

RECORD_KEY = 50_000
"""The seed of all recordings, so that they meet other episodes than probes do."""
MODES = ("random", "explore", "exploit")


def record(
    path: str | Path,
    *,
    episodes: int,
    out: str | Path,
    mode: Mode = "exploit",
    noise: float = 0.0,
    lives: str | Path = "lives",
) -> dict[str, Any]:
    """Run the agent of a life's last save for `episodes` episodes, spread over its panel, and write them to `out`.

    The first seed of several acts; it learns nothing. noise: of each action, in units of half its range; of a choice, the
    probability of a uniform draw. Returns episodes, steps, mean_return, tasks and folder.
    """
    _check(episodes, out, mode, noise)
    folder = Folder.read(path, lives=lives)
    life = expression.read(folder.description["life"])
    mind = Saver(folder.checkpoints, Engine(life)).load_minds()[0]
    proctor = Proctor(life.agent, lambda rows: with_batch(life.world, rows))
    panel = panel_of(life)
    tasks = jax.tree.map(lambda leaf: leaf[:episodes], _in_turn(panel, episodes))
    steps, actions = proctor.steps(jax.random.key(RECORD_KEY), mind.agent, tasks, mode, noise)
    found = [one for row in range(episodes) for one in _episode(steps, actions, tasks, row)]
    if not found:
        raise BadLife(f"episodes: none of {episodes} came to an end; give the world a time limit")
    minari.write(found, out, life.world.spec, name=Path(out).name)
    returns = [float(np.sum(one.next.reward)) for one in found]
    return {
        "episodes": len(found),
        "steps": int(sum(len(one.origin) for one in found)),
        "mean_return": float(np.mean(returns)),
        "tasks": list(panel),
        "folder": str(out),
    }


def _check(episodes: int, out: str | Path, mode: str, noise: float) -> None:
    if episodes < 1:
        raise BadLife(f"episodes: {episodes} leave nothing to record; give at least 1")
    if mode not in MODES:
        raise BadLife(f"mode: {mode!r} is not one of {', '.join(MODES)}")
    if noise < 0:
        raise BadLife(f"noise: {noise} is negative; give 0 for the agent's own actions")
    if missing := minari.missing():
        raise BadLife(f"out: {missing}")
    if minari.count(out):
        raise BadLife(f"out: {out} holds {minari.count(out)} episodes already; choose another folder")


def _in_turn(panel: dict[str, Any], episodes: int) -> Any:
    """Tasks [at least `episodes`] of the panel, one after the other, again and again."""
    rounds, names = -(-episodes // len(panel)), len(panel)
    return jax.tree.map(
        lambda leaf: leaf.reshape(names, rounds, *leaf.shape[1:]).swapaxes(0, 1).reshape(-1, *leaf.shape[1:]),
        repeated(panel, rounds),
    )


def _episode(steps: Any, actions: Any, tasks: Any, row: int) -> list[Any]:
    """The one episode of a row, as experience [n]; none where it came to no end, or the world broke."""
    kind = steps.kind[:, row]
    ends = np.flatnonzero((kind == TERMINATED) | (kind == TRUNCATED))
    broken = np.flatnonzero(kind == BROKEN)
    if not ends.size or (broken.size and broken[0] < ends[0]):
        return []
    end = int(ends[0])
    step = jax.tree.map(lambda leaf: leaf[: end + 1, row], steps)
    action = jax.tree.map(lambda leaf: leaf[:end, row], actions)
    task = jax.tree.map(lambda leaf: np.broadcast_to(np.asarray(leaf)[row], (end, *leaf.shape[1:])), tasks)
    return [transitions(step, action, task, SHOWN)]
