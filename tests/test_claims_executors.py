"""Jobs in turn, on processes and on Ray: the same lives, whatever is killed."""

import os
from pathlib import Path

import numpy as np
import pytest
from tiny_claims import LIVED, Killer

from umwelt.claims import varied
from umwelt.claims.executors import Executor, InTurn, OnRay, Processes
from umwelt.claims.trial import run_arms
from umwelt.life.api import fingerprints

ARMS = {"short": varied(LIVED, {"steps": 200}), "long": varied(LIVED, {"steps": 600})}
SEEDS = (0, 1)


@pytest.fixture(scope="module")
def in_turn(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, dict[str, np.ndarray]], dict[str, object]]:
    """Values and fingerprints of both arms as they are in turn."""
    work = tmp_path_factory.mktemp("in-turn")
    values, _ = run_arms(ARMS, SEEDS, work, executor=InTurn())
    return values, lives_in(work)


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache of compiled programs for the workers alone: one that is killed may leave half an entry."""
    return tmp_path_factory.mktemp("cache")


def lives_in(work: Path) -> dict[str, object]:
    folders = {name: work / arm.key / "seeds-0-1" for name, arm in ARMS.items()}
    return {name: fingerprints(folder) for name, folder in folders.items() if folder.exists()}


# Ray starts its own programs by a fork, of which JAX warns, and lance where a test before this one read a table of it
@pytest.mark.filterwarnings("ignore:os.fork:RuntimeWarning", "ignore:lance is not fork-safe:UserWarning")
@pytest.mark.parametrize("executor", [Processes(number=2), OnRay(workers=2)], ids=["processes", "ray"])
def test_one_whose_worker_is_killed_ends_with_the_same_life(
    executor: Executor, in_turn: tuple, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if isinstance(executor, OnRay):
        pytest.importorskip("ray")
    monkeypatch.setenv("XDG_CACHE_HOME", str(cache))
    killer = Killer(tmp_path, times=1)
    arms = {"long": ARMS["long"]} if isinstance(executor, OnRay) else ARMS  # to begin another process takes Ray seconds
    values, spent = run_arms(arms, SEEDS, tmp_path, executor=executor, on_arms=killer)
    assert len(killer.killed) == 1
    assert os.getpid() not in killer.killed
    assert lives_in(tmp_path) == {arm: in_turn[1][arm] for arm in arms}
    for arm in arms:
        np.testing.assert_array_equal(values[arm]["final_return"], in_turn[0][arm]["final_return"])
    assert len(spent) == len(arms)
    assert all(seconds > 0 for seconds in spent.values())
