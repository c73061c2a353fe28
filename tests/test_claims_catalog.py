"""Every claim of the catalogue can be judged and run, and cites what the library knows."""

import re
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from umwelt.claims import Claim, Lived, claims, load, names, results, show
from umwelt.claims.claim import ClaimError
from umwelt.claims.judging import LEAST
from umwelt.life.engine import Engine
from umwelt.recipes import ALL
from umwelt.worlds import normalised

KEYS = set(re.findall(r"@\w+\{([^,]+),", (files("umwelt.recipes") / "references.bib").read_text(encoding="utf8")))
LONG = 30.0
"""Minutes that a claim may take which was never run."""
FRESH = {
    "burstiness": 3,
    "csd": 17,
    "dhal": 4,
    "diffusion_bc": 3,
    "langevin": 6,
    "maxinforl": 3,
    "mbma": 5,
    "meta_dt": 3,
    "rpg": 4,
    "serene": 3,
    "uwm": 4,
}
"""Claims of more than two settings that are judged on seeds which none of their settings had met."""
EARLIER = {"dqn_cartpole": 3, "losse_dyna_cartpole": 3, "pets_pendulum": 3, "losse_mpc_mountain_car": 5}
"""Claims whose settings were chosen among more than two, before there were claims."""
QUICK = 1.0
"""Minutes of a claim that is cheap enough to run here."""


def lives() -> Iterator[tuple[str, Lived, tuple[int, ...]]]:
    """Every life that a claim runs, once, with the seeds of its first program."""
    known = set()
    for claim in claims().values():
        for name, arm in claim.arms.items():
            if isinstance(arm, Lived) and arm.key not in known:
                known.add(arm.key)
                yield f"{claim.name}, {name}", arm, arm.groups(claim.seeds)[0]


@pytest.mark.parametrize("claim", claims().values(), ids=lambda claim: claim.name)
def test_a_claim_is_well_made(claim: Claim) -> None:
    claim.check()
    assert set(claim.cites) <= KEYS, "a key of references.bib is missing"
    stored = results.read(claim.name)
    assert 0 < claim.minutes <= LONG or stored is not None, "what takes longer than that is run before it stands here"
    tries = (EARLIER | FRESH).get(claim.name, 2)
    shown = results.judged(claim, stored).verdict == "shown"
    assert claim.tries >= 1, "the setting that is judged counts"
    assert claim.tries <= tries or not shown, "more than two settings show nothing: one of them may be luck"
    assert claim.recipe == "" or claim.recipe in ALL
    assert len(claim.seeds) >= LEAST or "seed" in claim.not_shown, "there is no interval below three seeds, and it must say so"
    assert claim.name == load(claim.name).name in names()
    hashes = {name: results.hash_of(arm) for name, arm in claim.arms.items()}
    assert len(set(hashes.values())) == len(hashes), "two arms are the same"


def test_stored_results_belong_to_claims_and_say_what_was_tried() -> None:
    for path in sorted(results.STORED.glob("*.json")):
        found = results.judged(load(path.stem), results.read(path.stem))
        assert found.verdict in ("shown", "open", "refuted", "stale")
        if found.verdict in ("open", "refuted"):
            assert found.claim.tried, f"{path.stem} is {found.verdict}, and `tried` does not say what was tried"


# simulators warn of displays that are missing, and of what they will change
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", ["maxinforl", "two_signs"])
def test_units_that_are_written_down_are_those_that_are_measured(name: str) -> None:
    for arm in load(name).arms.values():
        assert isinstance(arm, Lived)
        world: Any = arm.life.world
        layer = normalised(world.world).layer
        np.testing.assert_allclose((world.layer.mean, world.layer.deviation), (layer.mean, layer.deviation), rtol=1e-3)
        assert world.layer.clip == layer.clip


def test_the_parts_of_every_life_fit_together() -> None:
    faults = []
    for name, arm, seeds in lives():
        try:
            Engine(replace(arm.life, seed=seeds[0], seeds=len(seeds))).check()
        except ValueError as error:
            faults.append(f"{name}: {error}")
    assert not faults


def test_one_cheap_claim_really_runs(tmp_path: Path) -> None:
    cheap = [claim for claim in claims().values() if claim.minutes <= QUICK]
    # another one with each commit
    git = ["git", "-C", str(Path(__file__).parent), "rev-parse", "HEAD"]
    commit = subprocess.run(git, capture_output=True, text=True, check=False).stdout.strip() or "0"
    claim = cheap[int(commit, 16) % len(cheap)]
    found = show(replace(claim, seeds=claim.seeds[:3]), work=tmp_path)
    assert len(found.gains) == len(claim.expects)
    assert found.verdict in ("shown", "open", "refuted")
    assert found.result is not None
    for arm, measures in found.result.values.items():
        for measure, values in measures.items():
            assert np.isfinite(values).all(), f"{claim.name}: {measure} of {arm} is {values}"


def test_an_unknown_claim_and_a_number_that_nothing_fills_are_named() -> None:
    claim = load("losse_mpc")
    with pytest.raises(KeyError, match="did you mean losse_mpc"):
        load("losse_mpk")
    with pytest.raises(ClaimError, match="gain_2"):
        replace(claim, says="gains {gain_2:.1f}").check()
