"""Runs a claim: what is missing of its arms, then the verdict."""

from collections.abc import Callable
from pathlib import Path

from umwelt.claims.arms import Published, Recorded, Values
from umwelt.claims.claim import Claim
from umwelt.claims.executors import Executor, InTurn, prepare
from umwelt.claims.results import Judged, judged, made
from umwelt.claims.worker import Job, outcome

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
    still = {name: arm for name, arm in claim.arms.items() if isinstance(arm, Published | Recorded)}
    jobs = prepare({name: Job(arm=arm, seeds=claim.seeds) for name, arm in claim.arms.items() if name not in still}, work)
    # two arms of one key are one job
    once = {folder: name for name, folder in reversed(jobs.items())}
    (executor or InTurn()).run({name: folder for folder, name in reversed(once.items())}, on_arms or (lambda shares: None))
    values: dict[str, Values] = {}
    seconds = 0.0
    for name, arm in claim.arms.items():
        if name in still:
            values[name] = arm.run(claim.seeds, work, lambda share: None)
            continue
        values[name], spent = outcome(jobs[name])
        seconds += spent if once[jobs[name]] == name else 0.0
    ordered = made(claim, values, seconds / 60, command or f"umwelt show {claim.name} --run")
    return judged(claim, ordered)
