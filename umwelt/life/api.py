"""To run, to resume, to examine a life: what the command line does, for use from Python."""

import os
import platform
import sys
from importlib import metadata
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from umwelt.core import is_hosted, layers
from umwelt.evaluation.knowledge import Knowledge
from umwelt.evaluation.proctor import Proctor
from umwelt.life.chronicle.chronicle import Chronicle
from umwelt.life.composition import BadLife, Life
from umwelt.life.engine import Engine
from umwelt.life.exams.cost import dissect
from umwelt.life.exams.examine import Probe, examine, examine_model, panel_of
from umwelt.life.folder import expression
from umwelt.life.folder.folder import Folder, slug
from umwelt.life.saves.saver import Saver
from umwelt.life.session import Events, Living, OnProgress
from umwelt.worlds import with_batch
from umwelt.worlds.observed import leaf_names, names_of

STREAM_BYTES = 250_000_000
"""Of a model that reads all of itself at each transition: below this it waits for a few hundredths of a second."""
BYTES_PER_SECOND = 1e10
"""What two cores read from memory, about."""
PACKAGES = ("umwelt", "jax", "jaxlib", "numpy", "optax", "gymnasium", "mujoco", "dm_control")


def live(
    life: Life,
    *,
    steps: int,
    name: str | None = None,
    lives: str | Path = "lives",
    stem: str = "life",
    command: str = "",
    on_progress: OnProgress | None = None,
    events: Events | None = None,
) -> Living:
    """Begin a life in the folder `lives/name` and run it for `steps` decisions, after the study of its rhythm.

    Stops early on SIGINT and SIGTERM with `Stopped`, when all is saved. The folder holds the rest. on_progress: receives
    how the life stands. events: returns events to write down. `umwelt.export.log.Log` has both.
    """
    Engine(life).check()
    rows = life.world.spec.batch * life.seeds
    description = {
        "life": expression.write(life),
        "end": _end(life, steps),
        "rows": rows,
        "repeat": life.world.spec.repeat,
        "observation_names": names_of(life.world),
        "task_names": leaf_names(life.world.spec.task),
        "command": command,
        "versions": versions(),
        "machine": machine(),
    }
    with Folder.create(name, description, lives=lives, stem=slug(stem)) as folder:
        try:
            living = Living(life, folder, _end(life, steps), on_progress, events)
            living.run()
        except Exception:
            if not any(folder.checkpoints.iterdir()):
                folder.discard()  # it was never born, and its name is free again
            raise
        return living


def resume(
    path: str | Path,
    *,
    steps: int | None = None,
    lives: str | Path = "lives",
    on_progress: OnProgress | None = None,
    events: Events | None = None,
) -> Living:
    """Continue a life from its last good save; with `steps`, to that many decisions in all."""
    with Folder.open(path, lives=lives) as folder:
        life, end = life_of(folder), folder.description["end"]
        if steps is not None:
            end = _end(life, steps)
            folder.describe({**folder.description, "end": end})
        living = Living(life, folder, end, on_progress, events)
        living.run()
        return living


def shortfall(life: Life, steps: int) -> str:
    """A sentence where `steps` decisions are over before the agent learns; empty where they are not, or it never does."""
    learns = any(getattr(layer, "model", None) or getattr(layer, "memory", None) for layer in layers(life.agent))
    return life.rhythm.shortfall(_end(life, steps)) if learns else ""


def burden(life: Life) -> str:
    """A sentence where the agent's state is large for this machine, with bytes and seconds; empty where it is not."""
    if is_hosted(life.agent):
        return ""
    state = jax.eval_shape(lambda key: life.agent.init(key, life.world.spec), jax.random.key(0))
    size, room = life.seeds * _bytes(state), os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    if size > room / 8:
        return (
            f"the agent's state is {size / 1e9:.1f} GB, and saves and programs hold copies of it;"
            f" this machine has {room / 1e9:.0f} GB"
        )
    models = [layer for layer in layers(life.agent) if getattr(layer, "model", None)]
    size = life.seeds * _bytes(state.model) if models and hasattr(state, "model") else 0
    if models and models[0].model.diet == "stream" and size > STREAM_BYTES:
        seconds = size / BYTES_PER_SECOND
        return (
            f"the model is {size / 1e9:.1f} GB, and each transition reads all of it, which takes {seconds:.2f} s or more;"
            " give it fewer features"
        )
    return ""


def _bytes(state: Any) -> int:
    """Of all arrays, from their shapes."""
    leaves = [leaf for leaf in jax.tree.leaves(state) if not jnp.issubdtype(leaf.dtype, jax.dtypes.prng_key)]
    return sum(int(np.prod(leaf.shape)) * leaf.dtype.itemsize for leaf in leaves)


def life_of(folder: Folder) -> Life:
    """The life that a folder describes."""
    return expression.read(folder.description["life"])


def _end(life: Life, steps: int) -> int:
    """The clock after the study and `steps` decisions of all rows and seeds."""
    end = life.rhythm.study + -(-steps // (life.world.spec.batch * life.seeds))
    if steps < 0 or end < 1:
        raise BadLife(f"steps: {steps} decisions leave nothing to do; give at least 1, or let the rhythm `study`")
    return end


def probe(
    path: str | Path, *, episodes: int = 10, tasks: tuple[str, ...] = (), lives: str | Path = "lives"
) -> dict[int, list[Probe]]:
    """Examine the last save of a life on its panel, or on `tasks`: seed -> probes. Nothing is written."""
    life, minds, proctor = examination(path, lives)
    panel = panel_of(life, tasks)
    return {seed: examine(proctor, agent, panel, episodes, seed) for seed, agent in minds.items()}


def probe_model(
    path: str | Path, *, episodes: int = 10, tasks: tuple[str, ...] = (), lives: str | Path = "lives"
) -> dict[int, dict[str, Knowledge]]:
    """What the world model of a life's last save knows: seed -> task -> figures. Nothing is written."""
    life, minds, proctor = examination(path, lives)
    panel = panel_of(life, tasks)
    return {seed: examine_model(proctor, life, agent, panel, episodes, seed) for seed, agent in minds.items()}


def probe_decision(path: str | Path, *, lives: str | Path = "lives") -> dict[str, float]:
    """What a decision of a life's last save costs: part -> seconds (`umwelt.life.exams.cost`). Nothing is written."""
    folder = Folder.read(path, lives=lives)
    life = life_of(folder)
    return dissect(life, Saver(folder.checkpoints, Engine(life)).load_minds()[0])


def examination(path: str | Path, lives: str | Path) -> tuple[Life, dict[int, Any], Proctor]:
    """A life, the state of its agent for each seed at its last save, and the proctor that examines them."""
    folder = Folder.read(path, lives=lives)
    life = life_of(folder)
    found = Saver(folder.checkpoints, Engine(life)).load_minds()
    proctor = Proctor(life.agent, lambda rows: with_batch(life.world, rows))
    return life, {life.seed + index: mind.agent for index, mind in enumerate(found)}, proctor


def fingerprints(path: str | Path, *, lives: str | Path = "lives") -> dict[str, Any]:
    """clock, and sha256 of the whole value and of the chronicle's metrics, at the last save."""
    folder = Folder.read(path, lives=lives)
    clock, value = Saver(folder.checkpoints, Engine(life_of(folder))).fingerprint()
    with Chronicle.read(folder.chronicle) as chronicle:
        return {"clock": clock, "value": value, "chronicle": chronicle.digest(until=clock)}


def machine() -> dict[str, str]:
    """What a life ran on."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    devices = [device.device_kind for device in jax.devices()]
    return {"cores": str(os.cpu_count()), "memory": f"{memory:.0f} GiB", "devices": ", ".join(devices)}


def versions() -> dict[str, str]:
    """What a life ran with."""
    found = {"python": platform.python_version(), "system": f"{sys.platform} {platform.machine()}"}
    for package in PACKAGES:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            found[package] = "not installed"
    return found
