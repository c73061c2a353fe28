"""To live, to resume, to examine: what the command line does, for use from Python."""

import os
import platform
import sys
from importlib import metadata
from pathlib import Path
from typing import Any

import jax

from umwelt.evaluation.exam import Proctor
from umwelt.evaluation.knowledge import Knowledge
from umwelt.life.chronicle.chronicle import Chronicle
from umwelt.life.composition import Life
from umwelt.life.engine import Engine
from umwelt.life.exams.cost import dissect
from umwelt.life.exams.examine import Probe, chosen, examine, examine_model, panel_of
from umwelt.life.folder import expression
from umwelt.life.folder.folder import Folder, slug
from umwelt.life.saves.saver import Saver
from umwelt.life.session import Hear, Living, Watch
from umwelt.worlds.batch import with_batch

PACKAGES = ("umwelt", "jax", "jaxlib", "numpy", "optax", "equinox", "gymnasium", "mujoco", "dm_control")


def live(
    life: Life,
    *,
    steps: int,
    name: str | None = None,
    lives: str | Path = "lives",
    stem: str = "life",
    command: str = "",
    watch: Watch | None = None,
    hear: Hear | None = None,
) -> Living:
    """Begin a life in the folder `lives/name` and live `steps` decisions.

    Stops early on SIGINT and SIGTERM with `Stopped`, when all is saved. The folder tells the rest. watch: is shown how
    the life stands. hear: is asked for events to write down (`umwelt.export.log.Log` has both).
    """
    Engine(life).rehearse()
    rows = life.world.spec.batch * life.seeds
    end = -(-steps // rows)
    description = {
        "life": expression.write(life),
        "end": end,
        "rows": rows,
        "repeat": life.world.spec.repeat,
        "command": command,
        "versions": versions(),
        "machine": machine(),
    }
    with Folder.create(name, description, lives=lives, stem=slug(stem)) as folder:
        living = Living(life, folder, end, watch, hear)
        living.run()
        return living


def resume(
    path: str | Path,
    *,
    steps: int | None = None,
    lives: str | Path = "lives",
    watch: Watch | None = None,
    hear: Hear | None = None,
) -> Living:
    """Go on with a life from its last good save; with `steps`, to that many decisions in all."""
    with Folder.open(path, lives=lives) as folder:
        life, end = life_of(folder), folder.description["end"]
        if steps is not None:
            end = -(-steps // (life.world.spec.batch * life.seeds))
            folder.describe({**folder.description, "end": end})
        living = Living(life, folder, end, watch, hear)
        living.run()
        return living


def life_of(folder: Folder) -> Life:
    """The life that a folder describes."""
    return expression.read(folder.description["life"])


def probe(
    path: str | Path, *, episodes: int = 10, tasks: tuple[str, ...] = (), lives: str | Path = "lives"
) -> dict[int, list[Probe]]:
    """Examine the last save of a life on its panel, or on `tasks`: seed -> probes. Nothing is written."""
    life, minds, proctor = _examination(path, lives)
    panel = chosen(life.world.tasks(), tasks) if tasks else panel_of(life)
    return {seed: examine(proctor, agent, panel, episodes) for seed, agent in minds.items()}


def probe_model(
    path: str | Path, *, episodes: int = 10, tasks: tuple[str, ...] = (), lives: str | Path = "lives"
) -> dict[int, dict[str, Knowledge]]:
    """What the world model of a life's last save knows: seed -> task -> figures. Nothing is written."""
    life, minds, proctor = _examination(path, lives)
    panel = chosen(life.world.tasks(), tasks) if tasks else panel_of(life)
    return {seed: examine_model(proctor, life, agent, panel, episodes) for seed, agent in minds.items()}


def probe_decision(path: str | Path, *, lives: str | Path = "lives") -> dict[str, float]:
    """What a decision of a life's last save costs: part -> seconds (`umwelt.life.exams.cost`). Nothing is written."""
    folder = Folder.read(path, lives=lives)
    life = life_of(folder)
    return dissect(life, Saver(folder.checkpoints, Engine(life)).load_minds()[0])


def _examination(path: str | Path, lives: str | Path) -> tuple[Life, dict[int, Any], Proctor]:
    """A life, the state of its agent for each seed, and who examines them."""
    folder = Folder.read(path, lives=lives)
    life = life_of(folder)
    found = Saver(folder.checkpoints, Engine(life)).load_minds()
    proctor = Proctor(life.agent, lambda rows: with_batch(life.world, rows), not life.world.spec.hosted)
    return life, {life.seed + index: mind.agent for index, mind in enumerate(found)}, proctor


def fingerprints(path: str | Path, *, lives: str | Path = "lives") -> dict[str, Any]:
    """clock, and sha256 of the whole value and of the chronicle's metrics, at the last save."""
    folder = Folder.read(path, lives=lives)
    clock, value = Saver(folder.checkpoints, Engine(life_of(folder))).fingerprint()
    with Chronicle.read(folder.chronicle) as chronicle:
        return {"clock": clock, "value": value, "chronicle": chronicle.digest(until=clock)}


def machine() -> dict[str, str]:
    """What a life was lived on."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    devices = [device.device_kind for device in jax.devices()]
    return {"cores": str(os.cpu_count()), "memory": f"{memory:.0f} GiB", "devices": ", ".join(devices)}


def versions() -> dict[str, str]:
    """What a life was lived with."""
    found = {"python": platform.python_version(), "system": f"{sys.platform} {platform.machine()}"}
    for package in PACKAGES:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            found[package] = "not installed"
    return found
