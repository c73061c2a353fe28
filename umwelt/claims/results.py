"""What a claim came to, as one JSON file with everything that is needed to judge it again."""

import json
import os
import re
import time
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from umwelt.claims.arms import Arm, Values, digest
from umwelt.claims.claim import Claim, ClaimError
from umwelt.claims.judging import Gain, Verdict, judge, together
from umwelt.core import part
from umwelt.life.api import machine, versions
from umwelt.life.folder import expression

STORED = Path(str(files("umwelt.claims") / "results"))
"""The results that the package ships."""


@part
class Result:
    """One claim's result. values: arm -> measure -> one number a seed. hashes: arm -> hash of its expression."""

    claim: str
    command: str
    date: str
    minutes: float
    seeds: tuple[int, ...]
    tries: int
    hashes: Mapping[str, str]
    values: Mapping[str, Mapping[str, tuple[float, ...]]]
    machine: Mapping[str, Any]
    versions: Mapping[str, str]


@part
class Judged:
    """A claim beside its result. gains: one for each comparison; empty where nothing was run."""

    claim: Claim
    result: Result | None
    gains: tuple[Gain, ...]
    verdict: Verdict

    @property
    def sentence(self) -> str:
        """Return what the claim says, with its numbers; where it was not run, with dots for numbers."""
        if not self.gains:
            return re.sub(r"\{(gain|low|high)[^}]*\}", "...", self.claim.says)
        numbers: dict[str, float] = {}
        for index, gain in enumerate(self.gains):
            tail = f"_{index + 1}" if index else ""
            numbers |= {f"gain{tail}": gain.mean, f"low{tail}": gain.low, f"high{tail}": gain.high}
        return re.sub(r"\[nan[^\]]*\]", "(no interval)", self.claim.sentence(numbers))


def hash_of(arm: Arm) -> str:
    """Return the hash of an arm's expression: what it runs, and what it measures."""
    read = [expression.write(measure) for measure in arm.measures]
    return digest({"key": arm.key, "measures": read})


def made(claim: Claim, values: Mapping[str, Values], minutes: float, command: str) -> Result:
    """Make the result of what was run now, on this machine."""
    table = {arm: {name: tuple(_round(each)) for name, each in found.items()} for arm, found in values.items()}
    return Result(
        claim=claim.name,
        command=command,
        date=time.strftime("%Y-%m-%d"),
        minutes=round(minutes, 2),
        seeds=claim.seeds,
        tries=claim.tries,
        hashes={name: hash_of(arm) for name, arm in claim.arms.items()},
        values=table,
        machine={**machine(), "gflops": gflops()},
        versions={name: version for name, version in versions().items() if version != "not installed"},
    )


def judged(claim: Claim, result: Result | None, level: float = 0.95) -> Judged:
    """Judge a claim by its result. A result of another expression is stale."""
    if result is None:
        return Judged(claim=claim, result=None, gains=(), verdict="not run")
    gains = []
    try:
        for expect in claim.expects:
            arm = np.array(result.values[expect.arm][expect.measure])
            over = np.array(result.values[expect.over][expect.measure]) if isinstance(expect.over, str) else expect.over
            gains.append(judge(expect, claim.measure(expect), arm, over, level))
    except (KeyError, ValueError):  # another arm or measure than it has, or values that no longer go in pairs
        return Judged(claim=claim, result=result, gains=(), verdict="stale")
    fresh = dict(result.hashes) == {name: hash_of(arm) for name, arm in claim.arms.items()}
    verdict = together([gain.verdict for gain in gains]) if fresh and result.seeds == claim.seeds else "stale"
    return Judged(claim=claim, result=result, gains=tuple(gains), verdict=verdict)


def write(result: Result, folder: Path) -> Path:
    """Write `folder/CLAIM.json`, whole or not at all."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{result.claim}.json"
    fields = {name: getattr(result, name) for name in Result.__dataclass_fields__}
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.write_text(json.dumps(fields, indent=1, allow_nan=True) + "\n")
    draft.replace(path)
    return path


def read(name: str, folder: Path = STORED) -> Result | None:
    """Read the result of a claim; None where there is none. A damaged file is a `ClaimError` that names it."""
    path = folder / f"{name}.json"
    if not path.exists():
        return None
    try:
        fields = json.loads(path.read_text())
        values = {arm: {key: tuple(map(float, each)) for key, each in found.items()} for arm, found in fields["values"].items()}
        tables = {table: dict(fields[table]) for table in ("hashes", "machine", "versions")}
        return Result(
            **{**fields, **tables, "seeds": tuple(fields["seeds"]), "minutes": float(fields["minutes"]), "values": values}
        )
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise ClaimError(
            f"{path}: this is no result of a claim ({error}); run `umwelt show {name} --run --store` again"
        ) from error


def gflops(size: int = 1024, times: int = 5) -> float:
    """Measure how many billion operations a second this machine multiplies matrices with."""
    matrix = jnp.ones((size, size), jnp.float32)
    product = jax.jit(lambda left: left @ left)
    product(matrix).block_until_ready()
    best = np.inf
    for _ in range(times):
        began = time.perf_counter()
        product(matrix).block_until_ready()
        best = min(best, time.perf_counter() - began)
    return round(2 * size**3 / best / 1e9, 1)


def _round(values: np.ndarray) -> list[float]:
    """Nine digits are more than any comparison needs, and keep the file short."""
    return [float(f"{value:.9g}") for value in values]
