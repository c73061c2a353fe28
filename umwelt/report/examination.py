"""An examination of a life's last save: what its world model knows, and what a decision costs, as JSON beside the report.

It loads the life and compiles its model, which takes longer than all the rest of a report. So it is done on request, and
its result is used again until the next save of the life.
"""

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np

from umwelt.life.saves.checkpoint import CheckpointError, Checkpoints
from umwelt.life.saves.disk import room, write_atomically
from umwelt.report.reading import READABLE, LifeData

EPISODES = 4
"""Episodes of each task in an examination."""
TASKS = 6
"""The most tasks that are examined: the first ones."""


def examined_of(life: LifeData, folder: Path, examine: bool) -> tuple[dict[str, Any], str]:
    """Return (what is known of the model, a sentence about what went wrong); {} where it was never examined.

    folder: where examinations are kept. With `examine` it is done now, unless this save was examined before.
    """
    try:
        clock = Checkpoints(life.path / "checkpoints").latest()
    except READABLE as error:
        return {}, f"The saves could not be read: {error}."
    if clock is None:
        return {}, "There is no save yet that could be examined." if examine else ""
    kept = kept_at(folder, life.name, clock, life.description)
    try:
        if kept.exists():
            return json.loads(kept.read_text(encoding="utf-8")), ""
    except READABLE as error:
        if not examine:
            return {}, f"The examination in {kept} could not be read ({error}); --examine makes a new one."
    if not examine:
        return {}, ""
    try:
        found = _examine(life, clock)
    except (*READABLE, CheckpointError) as error:
        return {}, f"The world model could not be examined: {error}."
    with room(folder):
        folder.mkdir(parents=True, exist_ok=True)
        write_atomically(kept, json.dumps(found).encode())
    return found, ""


def _examine(life: LifeData, clock: int) -> dict[str, Any]:
    """Examine the save; means over seeds, in numbers ready for JSON."""
    from umwelt.life.api import examination, probe_decision
    from umwelt.life.exams.examine import examine_model, panel_of

    saved, minds, proctor = examination(life.path, life.path.parent)
    panel = panel_of(saved)
    chosen = dict(list(panel.items())[:TASKS])
    by_seed = [examine_model(proctor, saved, agent, chosen, EPISODES, seed) for seed, agent in minds.items()]
    left = f"Only the first {TASKS} of its {len(panel)} tasks were." if len(panel) > TASKS else ""
    tasks = {task: _means([each[task] for each in by_seed]) for task in by_seed[0]}
    horizons = list(next(iter(by_seed[0].values())).horizons)
    found = {"clock": clock, "episodes": EPISODES, "note": left, "horizons": horizons, "tasks": tasks}
    return {**found, "decision": probe_decision(life.path)}


def _means(seeds: list[Any]) -> dict[str, Any]:
    """Average what each seed's model knows of one task."""
    groups = [seed.doubt_groups for seed in seeds if seed.doubt_groups]
    return {
        "compared": seeds[0].compared,
        "error": [_mean([seed.error[index] for seed in seeds]) for index in range(len(seeds[0].error))],
        "by_number": [_mean(list(errors)) for errors in zip(*(seed.by_number for seed in seeds), strict=True)],
        "doubt_rank": _mean([seed.doubt_rank for seed in seeds]),
        "doubt_error": _mean([seed.doubt_error for seed in seeds]),
        "doubt_groups": np.mean(groups, axis=0).tolist() if groups else [],
    }


def _mean(values: list[float]) -> float | None:
    """Average the known values; JSON has no NaN, so an unknown mean is null."""
    known = [value for value in values if value == value]
    return float(np.mean(known)) if known else None


def kept_at(folder: Path, name: str, clock: int, description: dict[str, Any]) -> Path:
    """The file of a save's examination; a hash of the description separates lives of one name."""
    mark = hashlib.sha256(json.dumps(description, sort_keys=True).encode()).hexdigest()[:8]
    return folder / f"{name}-{clock}-{mark}.json"
