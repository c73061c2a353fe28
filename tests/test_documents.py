"""Documents that are made from results: they agree with them, and the first page holds only verdicts that stand."""

import math
from pathlib import Path

import pytest
from tiny_claims import compared

from tools.documents import documents, main
from umwelt.claims import Claim, Computed, Expect, Judged, Measure, Result
from umwelt.claims.documents import counted, filled, page, standing, stands, wanted
from umwelt.claims.judging import Gain
from umwelt.claims.results import hash_of, judged
from umwelt.recipes import ALL
from umwelt.report.forest import plot

HOME = Path(__file__).parents[1]
SCORE = Measure(name="score", unit="points")


def good(seed: int) -> dict[str, float]:
    """Return what the idea scores."""
    return {"score": 2.0 + seed}


def poor(seed: int) -> dict[str, float]:
    """Return what the control scores."""
    return {"score": 1.0 + seed}


def tried(gains: tuple[float, ...], fresh: bool = True) -> Judged:
    """Judge a claim whose idea gains so much on each seed."""
    claim = Claim(
        name="a_claim",
        says="it | gains {gain:.1f} [{low:.1f}, {high:.1f}]",
        arms={"idea": Computed(function=good, measures=(SCORE,)), "control": Computed(function=poor, measures=(SCORE,))},
        expects=(Expect(measure="score", arm="idea", over="control"),),
        seeds=tuple(range(len(gains))),
        minutes=1,
        not_shown="much",
    )
    result = Result(
        claim=claim.name,
        command="umwelt show a_claim --run",
        date="2026-11-29",
        minutes=1.5,
        seeds=claim.seeds,
        tries=1,
        hashes={name: hash_of(arm) if fresh else "other" for name, arm in claim.arms.items()},
        values={"idea": {"score": tuple(7 + gain for gain in gains)}, "control": {"score": (7.0,) * len(gains)}},
        machine={"cores": 2, "gflops": 50.0},
        versions={"umwelt": "1.0", "jax": "0.10"},
    )
    return judged(claim, result)


def test_the_documents_agree_with_the_results() -> None:
    differing = [name for name, text in documents().items() if (HOME / name).read_text(encoding="utf8") != text]
    assert not differing, "run `python -m tools.documents`"


def test_a_changed_number_is_found_and_written_over(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "docs").mkdir()
    marked = "before\n<!-- claims:begin counts -->\n999 claims: 999 shown.\n<!-- claims:end -->\nafter\n"
    (tmp_path / "README.md").write_text(marked)
    assert main(["--check"], tmp_path) == 1
    assert "README.md disagrees" in capsys.readouterr().out
    assert (tmp_path / "README.md").read_text() == marked
    assert main([], tmp_path) == 0
    text = (tmp_path / "README.md").read_text()
    assert "999" not in text
    assert text.startswith("before\n")
    assert text.endswith("\nafter\n")
    assert main(["--check"], tmp_path) == 0


def test_a_marker_of_no_table_is_refused() -> None:
    with pytest.raises(KeyError, match="nothing"):
        filled("<!-- claims:begin nothing -->\n<!-- claims:end -->", {"counts": lambda: ""})


def test_the_first_page_holds_what_stands_on_many_seeds_or_on_a_sure_interval() -> None:
    # t at 97.5 % and 99.5 % with 4 degrees of freedom: 2.776 and 4.604
    deviation = math.sqrt(5)
    doubtful = tried(tuple(3.5 + deviation * each for each in (-1.2649, -0.6325, 0.0, 0.6325, 1.2649)))
    low = 3.5 - 2.776 * deviation / deviation
    assert doubtful.gains[0].low == pytest.approx(low, abs=2e-3)
    assert 3.5 - 4.604 < 0 < low
    sure, many = tried((5.0, 5.1, 4.9, 5.0, 5.0)), tried((1.0, 0.1, 0.9, 2.0, 0.2, 0.5, 0.6, 0.4))
    stale, one, wrong = tried((5.0,) * 8, fresh=False), tried((5.0,)), tried((-5.0, -5.1, -4.9))
    assert [each.verdict for each in (doubtful, sure, many, stale, one, wrong)] == [
        "shown", "shown", "shown", "stale", "open", "refuted",
    ]  # fmt: skip
    assert [stands(each) for each in (doubtful, sure, many, stale, one, wrong)] == [False, True, True, False, False, True]
    table = standing([stale, doubtful, one])
    assert "a_claim" not in table
    assert standing([sure]).count("\n") == 3
    assert "it \\| gains 5.0 [4.9, 5.1]" in standing([sure])


def test_the_page_of_claims_has_every_seed_and_what_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    each = tried((1.25, 0.5, 2.0))
    monkeypatch.setattr("umwelt.claims.documents.own", lambda: {"a_claim": (each.claim, "a_file")})
    text = page([each])
    assert "8.25 7.5 9" in text
    assert "| not shown | much |" in text
    assert "../umwelt/claims/catalog/a_file.py" in text
    assert "(no interval)" in page([tried((1.0,))])


def test_counts_say_how_many_verdicts_may_be_luck() -> None:
    found = [tried((5.0, 5.1, 4.9))] * 30 + [tried((5.0, -5.0, 4.9))] * 10 + [tried((5.0,) * 3, fresh=False)] * 5
    text = counted(found)
    assert "30 shown" in text
    assert "10 open" in text
    assert "up to 1.0 of the shown" in text  # a fortieth of the forty that were judged


def test_a_plot_places_its_numbers_on_one_scale() -> None:
    expect = Expect(measure="score", arm="idea", over="control", by=1.0)
    drawn = plot(expect, Gain(mean=2.0, low=1.0, high=3.0, verdict="shown"))
    # from 0 at the left margin, 8, to 3 at the right one, 192
    assert 'cx="130.7"' in drawn
    assert 'x1="69.3" x2="192.0"' in drawn
    assert "wanted a gain of 1" in drawn
    ratio = Expect(measure="score", arm="idea", over="control", by=0.5, ratio=True)
    halved = plot(ratio, Gain(mean=0.5, low=0.25, high=1.0, verdict="shown"))
    assert 'cx="100.0"' in halved
    assert plot(expect, Gain(mean=math.nan, low=math.nan, high=math.nan, verdict="open")) == ""
    assert wanted(ratio) == "a ratio of 0.5 or less"
    # half of a measure that should rise is the least that is wanted
    assert wanted(ratio, compared(level=1.0)) == "a ratio of 0.5 or more"


def test_a_recipe_says_no_figures_of_its_own() -> None:
    assert not [name for name, recipe in ALL.items() if hasattr(recipe, "expected")]
