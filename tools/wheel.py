"""Build the wheel, check what it holds, and let it run a first life where nothing of this repository is.

    python -m tools.wheel [--pinned] [--all] [PYTHON ...]

It takes this interpreter, or those that are named, such as python3.12. `--all` takes each of VERSIONS that is on the path or
that pyenv has. Each gets an environment of its own, with the newest versions of what it needs. With `--pinned` these are the
versions of constraints.txt.
"""

import configparser
import json
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from email.parser import Parser
from pathlib import Path

ROOT = Path(__file__).parents[1]
BUILT_FROM = ("umwelt", "pyproject.toml", "README.md", "LICENSE")
"""A build in the repository itself would also take what an earlier build left there."""
VERSIONS = ("3.11", "3.12", "3.13")
LIFE = "live --world pendulum --recipe random --steps 200 --name first --json"
READING = ("list random", "cite pets", "atlas bisimulation", "show pets_pendulum")
"""Verbs that read the data of the package: recipes, citations, the atlas, and results."""


def build(folder: Path, root: Path = ROOT) -> Path:
    """Build the wheel from a copy of the sources, `folder/source`; returns its path."""
    source = folder / "source"
    source.mkdir()
    for name in BUILT_FROM:
        if (root / name).is_dir():
            shutil.copytree(root / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(root / name, source / name)
    call([sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", str(folder), str(source)], folder)
    return next(folder.glob("*.whl"))


def faults(wheel: Path, root: Path) -> Iterator[str]:
    """Yield a sentence for each thing that the wheel lacks, or has too much, compared with the sources in `root`."""
    wanted = {path.relative_to(root).as_posix() for path in (root / "umwelt").rglob("*") if path.is_file()}
    with zipfile.ZipFile(wheel) as archive:
        held = set(archive.namelist())
        about = next((name.partition("/")[0] for name in held if name.endswith(".dist-info/METADATA")), "")
        if not about:
            yield "it has no METADATA"
            return
        metadata = Parser().parsestr(archive.read(f"{about}/METADATA").decode())
        scripts = configparser.ConfigParser()
        scripts.read_string(archive.read(f"{about}/entry_points.txt").decode() if f"{about}/entry_points.txt" in held else "")
    for name in sorted(wanted - held):
        yield f"it lacks {name}"
    for name in sorted(name for name in held - wanted if not name.startswith(f"{about}/")):
        yield f"it holds {name}, which is no file of the package"
    if f"{about}/licenses/LICENSE" not in held:
        yield "it lacks the licence"
    if metadata["Requires-Python"] != f">={VERSIONS[0]}":
        yield f"it asks for Python {metadata['Requires-Python']}, not for {VERSIONS[0]} or later"
    if not scripts.has_option("console_scripts", "umwelt"):
        yield "it has no command umwelt"


def first_life(wheel: Path, python: str, folder: Path, pinned: bool) -> str:
    """Install the wheel into an environment of its own and run a life with it; returns a sentence about it."""
    environment, away = folder / "environment", folder / "away"
    away.mkdir(parents=True)
    call([python, "-m", "venv", str(environment)], away)
    bound = ["--constraint", str(ROOT / "constraints.txt")] if pinned else []
    own = str(environment / "bin" / "python")
    call([own, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *bound, str(wheel)], away)
    where = call([own, "-c", "import umwelt; print(umwelt.__file__)"], away).strip()
    if not Path(where).is_relative_to(environment):
        raise RuntimeError(f"{python}: umwelt came from {where}, not from the wheel")
    umwelt = str(environment / "bin" / "umwelt")
    ended = json.loads(call([umwelt, *LIFE.split()], away))
    if ended["decisions"] != 200 or not (away / "lives" / "first" / "chronicle.db").exists():
        raise RuntimeError(f"{python}: the life ended after {ended['decisions']} decisions of 200")
    for words in READING:
        if not call([umwelt, *words.split()], away).strip():
            raise RuntimeError(f"{python}: `umwelt {words}` prints nothing")
    said = "import jax, platform; print('Python', platform.python_version(), 'with jax', jax.__version__)"
    return f"{call([own, '-c', said], away).strip()}: a life of {ended['decisions']} decisions"


def interpreters() -> dict[str, str]:
    """Version -> the interpreter of it on this machine, empty where there is none."""
    found = dict.fromkeys(VERSIONS, "")
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv") / "versions"
    for version in VERSIONS:
        own = shutil.which(f"python{version}")
        for path in [*([own] if own else []), *map(str, sorted(pyenv.glob(f"{version}.*/bin/python")))]:
            said = subprocess.run([path, "--version"], capture_output=True, text=True, check=False)
            if said.returncode == 0 and said.stdout.startswith(f"Python {version}."):
                found[version] = path
                break
    return found


def call(command: list[str], folder: Path) -> str:
    """Run a command in a folder, away from this repository's modules; returns what it prints, and raises with what it says."""
    outside = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "VIRTUAL_ENV")}
    done = subprocess.run(command, cwd=folder, env=outside, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)} ended with {done.returncode}: {done.stderr.strip()[-2000:]}")
    return done.stdout


def main(words: list[str]) -> int:
    """Build, check and try the wheel; 1 where it has a fault."""
    chosen = [word for word in words if not word.startswith("--")] or [sys.executable]
    if "--all" in words:
        known = interpreters()
        chosen = [path for path in known.values() if path]
        print(
            "".join(f"Python {version}: none here, so it is not tried\n" for version, path in known.items() if not path), end=""
        )
    with tempfile.TemporaryDirectory(prefix="umwelt-wheel-") as temporary:
        folder = Path(temporary)
        wheel = build(folder)
        found = list(faults(wheel, folder / "source"))
        print(f"{wheel.name}: {wheel.stat().st_size / 1e6:.1f} MB", *found, sep="\n  ")
        for number, python in enumerate(chosen):
            try:
                print(first_life(wheel, python, folder / str(number), "--pinned" in words), flush=True)
            except RuntimeError as error:
                found.append(str(error))
                print(f"  {error}", flush=True)
            shutil.rmtree(folder / str(number))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
