"""What the world model of a life's last save knows, and what a decision costs: examined once, and kept as JSON beside the report.

An examination loads the life and compiles its model, which takes longer than all the rest of a report; so it is done when it
is asked for, and what was found is used again as long as the life was not saved anew.
"""

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np

from umwelt.life.saves.checkpoint import CheckpointError, Checkpoints
from umwelt.life.saves.disk import room, write_atomically
from umwelt.report.reading import READABLE, Story

EPISODES = 4
"""Of each task in an examination."""
TASKS = 6
"""Tasks that are examined at most: the first ones."""


def examined_of(story: Story, folder: Path, examine: bool) -> tuple[dict[str, Any], str]:
    """(what is known of the model, a sentence about what went wrong). {} where it was never examined.

    folder: where examinations are kept. With `examine` it is done now, where it was not done for this save.
    """
    try:
        clock = Checkpoints(story.path / "checkpoints").latest()
    except READABLE as error:
        return {}, f"The saves could not be read: {error}."
    if clock is None:
        return {}, "There is no save yet that could be examined." if examine else ""
    kept = kept_at(folder, story.name, clock, story.description)
    try:
        if kept.exists():
            return json.loads(kept.read_text(encoding="utf-8")), ""
    except READABLE as error:
        if not examine:
            return {}, f"The examination in {kept} could not be read ({error}); --examine makes it anew."
    if not examine:
        return {}, ""
    try:
        found = _examine(story, clock)
    except (*READABLE, CheckpointError) as error:
        return {}, f"The world model could not be examined: {error}."
    with room(folder):
        folder.mkdir(parents=True, exist_ok=True)
        write_atomically(kept, json.dumps(found).encode())
    return found, ""


def _examine(story: Story, clock: int) -> dict[str, Any]:
    """Means over seeds, in numbers ready for JSON."""
    from umwelt.life.api import life_of, probe_decision, probe_model
    from umwelt.life.exams.examine import panel_of
    from umwelt.life.folder.folder import Folder

    panel = panel_of(life_of(Folder.read(story.path)))
    by_seed = list(probe_model(story.path, episodes=EPISODES, tasks=panel[:TASKS]).values())
    left = f"Only the first {TASKS} of its {len(panel)} tasks were." if len(panel) > TASKS else ""
    tasks = {task: _told([each[task] for each in by_seed]) for task in by_seed[0]}
    horizons = list(next(iter(by_seed[0].values())).horizons)
    found = {"clock": clock, "episodes": EPISODES, "note": left, "horizons": horizons, "tasks": tasks}
    return {**found, "decision": probe_decision(story.path)}


def _told(seeds: list[Any]) -> dict[str, Any]:
    """One task: the means of what each seed's model knows."""
    groups = [seed.doubt_groups for seed in seeds if seed.doubt_groups]
    return {
        "compared": seeds[0].compared,
        "error": [_mean([seed.error[index] for seed in seeds]) for index in range(len(seeds[0].error))],
        "doubt_rank": _mean([seed.doubt_rank for seed in seeds]),
        "doubt_error": _mean([seed.doubt_error for seed in seeds]),
        "doubt_groups": np.mean(groups, axis=0).tolist() if groups else [],
    }


def _mean(values: list[float]) -> float | None:
    """NaN is no JSON: what cannot be told is null."""
    known = [value for value in values if value == value]
    return float(np.mean(known)) if known else None


def kept_at(folder: Path, name: str, clock: int, description: dict[str, Any]) -> Path:
    """Where the examination of a save is kept; what was run tells lives of one name apart."""
    mark = hashlib.sha256(json.dumps(description, sort_keys=True).encode()).hexdigest()[:8]
    return folder / f"{name}-{clock}-{mark}.json"
