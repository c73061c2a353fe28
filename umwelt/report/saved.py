"""What a report reads of a life's last save: its archives, and where its skills lead. The save is only read.

A life without such parts is not loaded at all, because loading takes longer than all the rest of a report.
"""

from typing import Any

from umwelt.core import part
from umwelt.life.exams.archives import KEEPERS, Archive, archives_of
from umwelt.life.exams.skills import SKILLED, Traces, skilled, traces_of
from umwelt.life.folder.folder import Folder
from umwelt.life.saves.checkpoint import CheckpointError, NotAlike

BEYOND = (CheckpointError, NotAlike)
"""What a save raises that is damaged, or of another version."""


@part
class SavedData:
    """What the save of decision `clock` holds. traces: None where there are no skills to show."""

    clock: int
    archives: tuple[Archive, ...]
    traces: Traces | None


def read_saved(folder: Folder) -> SavedData | None:
    """Read archives and skills of a life; None where it has neither, or no save yet."""
    from umwelt.life.api import life_of
    from umwelt.life.engine import Engine
    from umwelt.life.saves.saver import Saver

    parts = parts_in(folder.description.get("life"))
    named = {name.rpartition(":")[2] for name in parts}
    keeps = bool(named & {*KEEPERS})
    # an agent of another package may have skills too, and only the agent itself can say
    foreign = any(name.partition(":")[0].partition(".")[0] != "umwelt" for name in parts)
    if not keeps and not named & {*SKILLED} and not foreign:
        return None
    life = life_of(folder)
    saver = Saver(folder.checkpoints, Engine(life))
    if saver.checkpoints.latest() is None or (not keeps and skilled(life.agent) is None):
        return None
    clock, values = saver.read()
    archives = [archives_of(life, value, life.seed + index) for index, value in enumerate(values)]
    traces = traces_of(life, values[0][1].agent, life.seed)
    return SavedData(clock=clock, archives=tuple(each for found in archives for each in found), traces=traces)


def parts_in(written: Any) -> set[str]:
    """The names of all parts in an expression of recipe.json, such as `umwelt.worlds:Pendulum`."""
    if isinstance(written, list):
        return {name for each in written for name in parts_in(each)}
    if not isinstance(written, dict):
        return set()
    own = {str(written["part"])} if "part" in written else set()
    return own | {name for each in written.values() for name in parts_in(each)}
