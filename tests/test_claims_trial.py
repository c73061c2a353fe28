"""Whole claims: they run, go on where they were broken off, and their results are kept whole."""

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tiny_claims import COST, DRAWN, SCORE, Counted, compared

from umwelt.claims import Claim, Computed, Lived, Published, Recorded, results, show, varied
from umwelt.claims.arms import code_of
from umwelt.claims.differences import differences
from umwelt.claims.executors import InTurn, JobFailed, Processes, _start
from umwelt.claims.jobs import Job
from umwelt.claims.trial import forget, pieces_of, run_arms
from umwelt.life.folder import expression
from umwelt.life.folder.moved import LATER
from umwelt.life.signals import Stopped
from umwelt.recipes.losse_mpc import losse_mpc
from umwelt.worlds import Pendulum

SEEDS = (3, 0, 1)


def counted(marks: Path, **more: object) -> Computed:
    return Computed(function=varied(Counted(marks=str(marks)), more), measures=(SCORE,))


def called(marks: Path) -> list[int]:
    return [int(line.split()[0]) for line in (marks / "calls").read_text().splitlines()]


@pytest.mark.parametrize(
    ("more", "verdict"),
    [
        ({"level": 1.0}, "shown"),
        ({"level": 1.0, "measure": "cost", "by": 1.5}, "shown"),
        ({"over": "idea"}, "open"),
        ({"over": "idea", "by": 0.1}, "refuted"),
        ({"level": -1.0}, "refuted"),
        ({"over": -3.0}, "shown"),
    ],
)
def test_a_claim_comes_out_as_its_arms_were_made(more: dict, verdict: str, tmp_path: Path) -> None:
    claim = compared(**more)
    # the arms draw the same noise, so that the gain is exactly twice or once the level
    claim = replace(claim, arms={**claim.arms, "idea": varied(DRAWN, {"function.level": more.get("level", 0.0)})})
    found = show(claim, work=tmp_path)
    assert found.verdict == verdict
    if more.get("over", "control") == "control":
        assert found.gains[0].mean == pytest.approx(2 * more["level"])
    assert found.result is not None
    assert len(found.result.values["idea"]["score"]) == len(claim.seeds)


def test_arms_of_one_expression_run_once_and_seeds_keep_their_order(tmp_path: Path) -> None:
    arm = counted(tmp_path)
    both = {"first": arm, "second": replace(arm, measures=(COST, SCORE)), "third": arm}
    shares: list[dict[str, float]] = []
    values, _ = run_arms(both, SEEDS, tmp_path, on_arms=shares.append)
    assert called(tmp_path) == [3, 0, 1]
    assert shares[-1] == dict.fromkeys(both, 1.0)
    for each in values.values():
        np.testing.assert_array_equal(each["score"], SEEDS)
    np.testing.assert_array_equal(values["second"]["cost"], [1.0, 1.0, 1.0])
    run_arms(both, (0, 1, 2), tmp_path)
    assert called(tmp_path) == [3, 0, 1, 2]
    forget(replace(compared(), arms=both), tmp_path)
    run_arms(both, (0,), tmp_path)
    assert called(tmp_path) == [3, 0, 1, 2, 0]


def test_neighbours_of_a_pure_world_share_a_program_and_hosted_ones_do_not() -> None:
    arm = Lived(life=losse_mpc(Pendulum()), steps=10, measures=())
    assert arm.groups((4, 0, 1, 7, 2)) == [(0, 1, 2), (4,), (7,)]
    assert pieces_of(arm, (4, 0, 1, 7, 2)) == [(0, 1, 2), (4,), (7,)]
    assert pieces_of(arm, (4, 0, 1, 7, 2), together=2) == [(0, 1), (2,), (4,), (7,)]
    assert pieces_of(arm, (0, 1, 2, 3, 4, 5), together=2)[:2] == pieces_of(arm, (0, 1, 2, 3), together=2), "more seeds keep them"
    assert varied(arm, {"life.driver": "host"}).groups((1, 0)) == [(0,), (1,)]
    assert DRAWN.groups((5, 1)) == [(5, 1)]


def test_seeds_of_one_program_find_the_same_side_by_side_and_in_turn(tmp_path: Path) -> None:
    # folders of their own: arms of one function are one to a run
    beside, _ = run_arms({"arm": DRAWN}, SEEDS, tmp_path / "beside")
    in_turn, _ = run_arms({"arm": replace(DRAWN, in_turn=True)}, SEEDS, tmp_path / "in turn")
    np.testing.assert_allclose(in_turn["arm"]["score"], beside["arm"]["score"], rtol=1e-6)
    assert len(set(in_turn["arm"]["score"].tolist())) == 3
    with pytest.raises(ValueError, match="set together=True"):
        replace(DRAWN, in_turn=True, together=False)


def test_what_a_job_raises_is_a_sentence_with_the_place_of_its_log(tmp_path: Path) -> None:
    broken = {"broken": counted(tmp_path, fault="the well is dry")}
    with pytest.raises(JobFailed, match=r"broken seeds-0-0: RuntimeError: the well is dry; all that it wrote is in .*log\.txt"):
        run_arms(broken, (0,), tmp_path, executor=Processes(number=1))
    assert called(tmp_path) == [0], "an error is no death, and is not tried again"
    with pytest.raises(RuntimeError, match="the well is dry"):
        run_arms(broken, (0,), tmp_path, executor=InTurn())


def test_a_signal_lets_workers_end_and_the_next_run_goes_on(tmp_path: Path) -> None:
    arms = {"slow": counted(tmp_path, sleep=3600.0), "quick": counted(tmp_path)}

    def interrupt(shares: dict[str, float]) -> None:
        if (tmp_path / "calls").exists() and len(called(tmp_path)) == 2 and shares["quick"] == 1:
            os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(Stopped, match="SIGINT"):
        run_arms(arms, (0,), tmp_path, executor=Processes(number=2), on_arms=interrupt)
    for line in (tmp_path / "calls").read_text().splitlines():
        assert not Path(f"/proc/{line.split()[1]}/cmdline").exists()
    run_arms({"quick": arms["quick"]}, (0,), tmp_path)
    assert len(called(tmp_path)) == 2


def test_a_worker_ends_with_its_parent(tmp_path: Path) -> None:
    job = Job(arm=counted(tmp_path, sleep=3600.0), seeds=(0,)).write(tmp_path)
    worker = _start(job)
    assert worker.stdin is not None
    with worker.stdin:  # closed, as by the end of a parent
        while not (tmp_path / "calls").exists():
            assert worker.poll() is None
            time.sleep(0.1)
    assert worker.wait(60) == -signal.SIGTERM


def test_a_changed_expression_measure_or_seed_makes_a_result_stale(tmp_path: Path) -> None:
    claim = compared(level=1.0)
    kept = show(claim, work=tmp_path).result
    results.write(kept, tmp_path)
    found = results.read("tiny", tmp_path)
    assert found == kept
    assert results.judged(claim, found).verdict == "shown"
    arms = dict(claim.arms)
    changed = [
        replace(claim, arms=arms | {"control": varied(DRAWN, {"function.level": 0.5})}),
        replace(claim, arms=arms | {"idea": replace(DRAWN, measures=(replace(SCORE, unit="points"), COST))}),
        replace(claim, arms=arms | {"more": DRAWN}),
        replace(claim, seeds=(0, 1, 2)),
    ]
    assert [results.judged(each, found).verdict for each in changed] == ["stale"] * 4
    assert results.judged(claim, None).sentence == "... [..., ...]"
    # another bar is judged by the same numbers
    assert results.judged(replace(claim, expects=(replace(claim.expects[0], by=99.0),)), found).verdict == "refuted"


def test_a_field_that_came_later_and_changes_nothing_leaves_a_result_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    part = expression.write(DRAWN.function)["part"]
    before = replace(DRAWN).key
    monkeypatch.setitem(LATER, part, {"level": 7.0})
    assert varied(DRAWN, {"function.level": 0.5}).key != DRAWN.key
    assert "level" not in expression.identity(replace(DRAWN.function, level=7.0))["fields"]
    assert DRAWN.key == before  # its level is another one, so it still counts


def one(self: object, seed: int) -> int:
    """Words that do not count."""
    return seed + 1  # nor do comments


def test_code_counts_without_its_words_and_layout() -> None:
    plain = code_of(one)
    assert "Words" not in plain
    assert "Constant(value=1)" in plain
    assert code_of(Counted(marks="a")) == code_of(Counted(marks="b"))


@pytest.mark.parametrize("damage", ["", "{", "[]", '{"claim": "tiny"}', '{"values": {"idea": [1]}}'])
def test_a_damaged_result_is_a_sentence(damage: str, tmp_path: Path) -> None:
    (tmp_path / "tiny.json").write_text(damage)
    with pytest.raises(ValueError, match=r"tiny\.json: this is no result of a claim"):
        results.read("tiny", tmp_path)
    assert results.read("other", tmp_path) is None


KILLED = """
import json, os, signal, sys
from pathlib import Path
from umwelt.claims import results
found = results.read("tiny", Path(sys.argv[1]))
dump = json.dumps

def half(*arguments, **options):
    text = dump(*arguments, **options)

    class Cut(str):
        def __add__(self, more):
            return self
    return Cut(text[: len(text) // 2])

json.dumps = half
Path.replace = lambda self, target: os.kill(os.getpid(), signal.SIGKILL)
results.write(found, Path(sys.argv[1]))
"""


def test_a_kill_while_a_result_is_written_leaves_the_old_one(tmp_path: Path) -> None:
    kept = show(compared(), work=tmp_path).result
    results.write(kept, tmp_path)
    done = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path)], check=False)
    assert done.returncode == -signal.SIGKILL
    assert results.read("tiny", tmp_path) == kept


def test_arms_differ_by_the_fields_that_were_changed() -> None:
    first = Lived(life=losse_mpc(Pendulum()), steps=10, measures=(SCORE,))
    other = varied(first, {"life.agent.objective.doubt": 0.0, "steps": 20})
    assert sorted(differences(first, other)) == [("life.agent.objective.doubt", "0.5", "0.0"), ("steps", "10", "20")]
    assert differences(first, first) == []


def test_published_and_recorded_arms_are_compared_as_they_stand(tmp_path: Path) -> None:
    numbers = Published(values={"score": -2.0}, source="table 1")
    claim = replace(compared(over="paper"), arms={"idea": DRAWN, "paper": numbers})
    found = show(claim, work=tmp_path)
    assert found.verdict == "shown"
    assert found.result is not None
    assert found.result.values["paper"] == {"score": (-2.0,) * 5}
    recorded = Recorded(file="none.csv", command="other", measures=(SCORE,))
    with pytest.raises(ValueError, match="paired=False"):
        replace(claim, arms={"idea": DRAWN, "paper": recorded}).check()


def test_parts_of_claims_keep_their_import_path() -> None:
    written = expression.write(Claim(**vars(replace(compared(), arms=()))))  # pyright: ignore[reportArgumentType]
    assert written["part"] == "umwelt.claims.claim:Claim"
