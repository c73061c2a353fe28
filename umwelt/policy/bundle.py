"""Write a policy into one zip that Python can import from, without Umwelt: `umwelt export --format policy`."""

import contextlib
import io
import json
import keyword
import os
import re
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jax
import numpy as np
from jax import export

from umwelt.export.extras import ExportError
from umwelt.life.saves.disk import NO_ROOM, DiskFull
from umwelt.policy.bundled import ARRAYS, DESCRIPTION, PROGRAM
from umwelt.policy.describing import describe
from umwelt.policy.program import Learned, Program

FORMAT = 1
SOURCES = {"__init__.py": "bundled.py", "codec.py": "codec.py", "player.py": "player.py"}
"""Modules of the zip, and the files of this folder that they are copies of."""
README = """# What the life `{life}` learned, as a policy

Needs `pip install "jax>={jax}" numpy` and nothing else; it runs on {platform}, and reads {reads}.

    import sys; sys.path.insert(0, "{file}")
    from {module} import Policy
    policy = Policy(seed=0)
    action = policy(observation)                     # as the environment takes it
    policy.tell(reward, terminated, truncated)       # after env.step; the call after an end begins an episode
"""


def bundle(learned: Learned, life: str, target: Path, rows: int | None = None) -> dict[str, int]:
    """Write the policy of a life called `life` into the zip `target`, whole or not at all; name -> bytes of its files.

    rows: so many observations at once; None for one without a leading axis.
    """
    target = target.absolute()
    _refuse(target, rows)
    program = Program(learned, rows or 1)
    if program.exported is None:
        raise ExportError(
            f"--format policy: {type(learned.agent).__name__} is plain Python, which no program can hold;"
            " use umwelt.load where Umwelt is installed"
        )
    note = {
        "umwelt": "policy",
        "format": FORMAT,
        "life": life,
        "rows": rows,
        "codec": describe(learned.world),
        "jax": jax.__version__,
        "calling": _calling(program, program.exported),
    }
    module = module_of(life)
    reads = "one observation at a time" if rows is None else f"{rows} observations at once"
    platform = program.exported.platforms[0]
    words = {"life": life, "jax": jax.__version__, "platform": platform, "reads": reads, "file": target.name, "module": module}
    files: dict[str, bytes] = {"README.md": README.format(**words).encode()}
    files |= {f"{module}/{name}": (Path(__file__).parent / source).read_bytes() for name, source in SOURCES.items()}
    files[f"{module}/{DESCRIPTION}"] = json.dumps(note, indent=1).encode()
    files[f"{module}/{PROGRAM}"] = bytes(program.exported.mlir_module_serialized)
    files[f"{module}/{ARRAYS}"] = _packed(program)
    with _whole(target) as draft, zipfile.ZipFile(draft, "w", zipfile.ZIP_DEFLATED) as made:
        for name, content in files.items():
            made.writestr(name, content)
    return {name: len(content) for name, content in files.items()}


def module_of(life: str) -> str:
    """The name of the module inside the zip: the life's, as an identifier."""
    name = re.sub(r"\W+", "_", life, flags=re.ASCII).strip("_").lower() + "_policy"
    return f"_{name}" if name[0].isdigit() or keyword.iskeyword(name) else name


def _calling(program: Program, exported: export.Exported) -> dict[str, Any]:
    """How the program is called, for `bundled.opened`."""

    def form(leaf: Any) -> dict[str, Any]:
        return {"shape": list(leaf.shape), "dtype": str(leaf.dtype)}

    outputs, carry = [form(leaf) for leaf in exported.out_avals], len(program.begun)
    return {
        "inputs": jax.tree.map(form, list(program.given)),
        "outputs": [outputs[:carry], outputs[carry:-1], outputs[-1]],
        "platforms": list(exported.platforms),
        "kept": list(exported.module_kept_var_idx),
        "version": exported.calling_convention_version,
    }


def _packed(program: Program) -> bytes:
    held = io.BytesIO()
    named = [("constants", program.constants), ("carry", program.begun)]
    arrays: dict[str, Any] = {f"{kind}{index}": np.asarray(leaf) for kind, leaves in named for index, leaf in enumerate(leaves)}
    np.savez(held, **arrays)
    return held.getvalue()


def _refuse(target: Path, rows: int | None) -> None:
    """Refuse to replace anything but an earlier policy, and a number of rows that leaves nothing."""
    if rows is not None and rows < 1:
        raise ExportError(f"--rows: {rows} observations at once leave nothing to do; leave it out for one alone")
    if target.suffix != ".zip":
        raise ExportError(f"--out: {target} does not end in .zip, without which Python imports nothing from it; add .zip")
    if target.exists() and not _is_policy(target):
        raise ExportError(f"--out: {target} exists and is not an exported policy; give the name of a new file")


def _is_policy(path: Path) -> bool:
    try:
        with zipfile.ZipFile(path) as found:
            named = [name for name in found.namelist() if name.endswith(f"/{DESCRIPTION}")]
            return bool(named) and json.loads(found.read(named[0])).get("umwelt") == "policy"
    except (OSError, ValueError, zipfile.BadZipFile):
        return False


@contextlib.contextmanager
def _whole(target: Path) -> Iterator[Any]:
    """A file to write that takes the target's place at the end, and leaves nothing behind where that fails."""
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{target.name}-", dir=target.parent)
    draft = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        draft.chmod(0o644)
        draft.replace(target)
    except BaseException as error:
        draft.unlink(missing_ok=True)
        if isinstance(error, OSError) and error.errno in NO_ROOM:
            raise DiskFull(f"no room left to write {target}; free space on that disk, or give another --out") from error
        raise
