"""What a report reads of a life's last save: archives, skills, and how it stands to shown data. The save is only read.

A life without such parts is not loaded at all, because loading takes longer than all the rest of a report.
"""

from typing import Any

from umwelt.core import part
from umwelt.life.exams.archives import KEEPERS, Archive, archives_of
from umwelt.life.exams.offline import Offline, offline_of
from umwelt.life.exams.skills import SKILLED, Traces, skilled, traces_of
from umwelt.life.folder.folder import Folder
from umwelt.life.saves.checkpoint import CheckpointError, NotAlike

BEYOND = (CheckpointError, NotAlike)
"""What a save raises that is damaged, or of another version."""


@part
class SavedData:
    """What the save of decision `clock` holds. traces: None where there are no skills to show. offline: None where nothing was
    shown; where the data cannot be read again, `missing` says so."""

    clock: int
    archives: tuple[Archive, ...]
    traces: Traces | None
    offline: Offline | None = None
    missing: str = ""


def read_saved(folder: Folder) -> SavedData | None:
    """Read archives, skills and shown data of a life; None where it has none of them, or no save yet."""
    from umwelt.life.api import life_of
    from umwelt.life.engine import Engine
    from umwelt.life.saves.saver import Saver

    parts = parts_in(folder.description.get("life"))
    named = {name.rpartition(":")[2] for name in parts}
    keeps = bool(named & {*KEEPERS})
    # an agent of another package may have skills too, and only the agent itself can say
    foreign = any(name.partition(":")[0].partition(".")[0] != "umwelt" for name in parts)
    shown = bool(folder.description.get("life", {}).get("fields", {}).get("shown"))
    if not keeps and not named & {*SKILLED} and not foreign and not shown:
        return None
    life = life_of(folder)
    saver = Saver(folder.checkpoints, Engine(life))
    if saver.checkpoints.latest() is None or (not keeps and skilled(life.agent) is None and not life.shown):
        return None
    clock, values = saver.read()
    archives = [archives_of(life, value, life.seed + index) for index, value in enumerate(values)]
    traces = traces_of(life, values[0][1].agent, life.seed)
    offline, missing = None, ""
    try:
        offline = offline_of(life, values[0][1].agent, life.seed)
    except (ValueError, OSError, ImportError) as error:  # a file may have gone since
        missing = str(error)
    found = tuple(each for some in archives for each in some)
    return SavedData(clock=clock, archives=found, traces=traces, offline=offline, missing=missing)


def parts_in(written: Any) -> set[str]:
    """The names of all parts in an expression of recipe.json, such as `umwelt.worlds:Pendulum`."""
    if isinstance(written, list):
        return {name for each in written for name in parts_in(each)}
    if not isinstance(written, dict):
        return set()
    own = {str(written["part"])} if "part" in written else set()
    return own | {name for each in written.values() for name in parts_in(each)}
