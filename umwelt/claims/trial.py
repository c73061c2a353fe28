"""Runs a claim: what is missing of its arms, then the verdict."""

import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np

from umwelt.claims.arms import Arm, Published, Recorded, Values, named
from umwelt.claims.claim import Claim
from umwelt.claims.executors import Executor, InTurn
from umwelt.claims.jobs import Job, outcome
from umwelt.claims.results import Judged, judged, made

WORK = Path("build/claims")
"""Where claims run: their lives, and what was computed."""
OnArms = Callable[[dict[str, float]], None]
"""Receives arm -> the share that is done."""


def show(
    claim: Claim,
    *,
    work: Path = WORK,
    executor: Executor | None = None,
    on_arms: OnArms | None = None,
    command: str = "",
) -> Judged:
    """Run what is missing of a claim and judge it. A claim that was broken off goes on where it stopped."""
    claim.check()
    runs = {name: arm for name, arm in claim.arms.items() if not isinstance(arm, Published | Recorded)}
    found, spent = run_arms(runs, claim.seeds, work, executor=executor, on_arms=on_arms)
    values = {name: found[name] if name in found else arm.run(claim.seeds, work, _ignore) for name, arm in claim.arms.items()}
    return judged(claim, made(claim, values, sum(spent.values()) / 60, command or f"umwelt show {claim.name} --run"))


def run_arms(
    arms: Mapping[str, Arm],
    seeds: tuple[int, ...],
    work: Path,
    *,
    executor: Executor | None = None,
    on_arms: OnArms | None = None,
    places: Mapping[str, str] | None = None,
    together: int = 0,
) -> tuple[dict[str, Values], dict[Path, float]]:
    """Run what is missing of some arms: the values of each, and the seconds of each piece that was run for them.

    places: arm -> its folder under `work`, where that is not the arm's key. together: as `pieces_of` takes it.
    """
    jobs: dict[str, list[tuple[tuple[int, ...], Path]]] = {}
    for name, arm in arms.items():
        within = (places or {}).get(name, "")
        jobs[name] = [(group, Job(arm=arm, seeds=group, place=within).write(work)) for group in pieces_of(arm, seeds, together)]
    # two arms may share a job; it runs once, under the first one's name
    once: dict[Path, str] = {}
    for name, own in jobs.items():
        for group, folder in own:
            once.setdefault(folder, f"{name} {named(group)}")

    def on_jobs(shares: dict[str, float]) -> None:
        if on_arms is not None:
            on_arms({name: sum(shares[once[folder]] for _, folder in own) / len(own) for name, own in jobs.items()})

    (executor or InTurn()).run({name: folder for folder, name in once.items()}, on_jobs)
    values: dict[str, Values] = {}
    spent: dict[Path, float] = {}
    for name, own in jobs.items():
        pieces: list[Values] = []
        for group, folder in own:
            piece, seconds = outcome(folder)
            pieces.append(piece)
            place = folder.parent / named(group)
            spent[place] = max(seconds, spent.get(place, 0.0))
        values[name] = _joined(pieces, [seed for group, _ in own for seed in group], seeds)
    return values, spent


def pieces_of(arm: Arm, seeds: tuple[int, ...], together: int = 0) -> list[tuple[int, ...]]:
    """Return the seeds of each piece that an arm runs in, at most `together` of them; 0 for as many as it can."""
    groups = arm.groups(seeds)
    return (
        [group[first : first + together] for group in groups for first in range(0, len(group), together)] if together else groups
    )


def forget(claim: Claim, work: Path = WORK) -> None:
    """Delete what was run of a claim, so that it begins from nothing."""
    for arm in claim.arms.values():
        shutil.rmtree(work / arm.key, ignore_errors=True)


def _joined(pieces: list[Values], ran: list[int], seeds: tuple[int, ...]) -> Values:
    """The values of all pieces, in the order of the seeds."""
    order = [ran.index(seed) for seed in seeds]
    return {name: np.concatenate([piece[name] for piece in pieces])[order] for name in pieces[0]}


def _ignore(share: float) -> None:
    """Take no notice."""
