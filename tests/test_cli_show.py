"""`umwelt show`: verdicts, in words and as JSON, and claims that are repeated."""

import json
import signal
from pathlib import Path

import pytest
from tiny_claims import SCORE, Counted, compared

from umwelt.claims import Claim, Computed, results
from umwelt.cli import main
from umwelt.cli import show as verb


@pytest.fixture
def catalogue(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> dict[str, Claim]:
    """A catalogue of its own, and an empty folder of stored results."""
    made = {"good": compared(level=1.0, name="good", tried="one level"), "bad": compared(over="idea", by=1.0, name="bad")}
    stored = tmp_path / "stored"
    monkeypatch.setattr(verb, "claims", lambda: made)
    monkeypatch.setattr(verb, "load", lambda name: made[name])
    monkeypatch.setattr(verb, "STORED", stored)
    monkeypatch.setattr(verb, "read", lambda name: results.read(name, stored))
    monkeypatch.chdir(tmp_path)
    return made


def test_the_table_has_all_claims_and_counts_them(catalogue: dict[str, Claim], capsys: pytest.CaptureFixture[str]) -> None:
    assert main.main(["show", "good", "--run", "--store", "--json"]) == 0
    capsys.readouterr()
    assert main.main(["show"]) == 0
    said = capsys.readouterr().out
    assert "good" in said
    assert "shown" in said
    assert "2 claims: 1 shown, 1 not run." in " ".join(said.split())
    assert main.main(["show", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert {name: each["verdict"] for name, each in found.items()} == {"good": "shown", "bad": "not run"}
    assert found["good"]["gains"][0]["mean"] == pytest.approx(1.0)


def test_a_claim_is_repeated_and_its_exit_code_says_how_it_went(
    catalogue: dict[str, Claim], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert main.main(["show", "bad", "--run"]) == 1
    said = " ".join(capsys.readouterr().out.split())
    assert "bad refuted" in said
    assert "wanted a gain of 1: refuted" in said
    assert (tmp_path / "build/claims/results/bad.json").exists()
    assert not (tmp_path / "stored").exists()
    assert main.main(["show", "good", "--run", "--store", "--json"]) == 0
    capsys.readouterr()
    catalogue["good"] = compared(level=2.0, name="good")
    assert main.main(["show", "good"]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "good stale" in said
    assert "arm control: function.level is -2.0, not 0.0" in said
    kept = results.read("good", tmp_path / "stored")
    assert kept is not None
    assert kept.command == "umwelt show good --run"


def test_other_seeds_are_run_and_not_stored(
    catalogue: dict[str, Claim], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert main.main(["show", "good", "--run", "--seeds", "2", "--json"]) == 1, "two seeds give no interval"
    found = json.loads(capsys.readouterr().out)["good"]
    assert found["verdict"] == "open"
    assert len(found["values"]["idea"]["score"]) == 2
    for words in (["--run", "--store", "--seeds", "2"], ["--store"], ["--run", "--jobs", "0"], ["--run", "--seeds", "-1"]):
        with pytest.raises(SystemExit, match="2"):
            main.main(["show", "good", *words])


def test_ctrl_c_says_how_to_go_on(
    catalogue: dict[str, Claim], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def interrupted(*arguments: object, **options: object) -> None:
        signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(verb, "show", interrupted)
    # a shell lets its background jobs ignore the signal, and this test may be one
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(SystemExit) as ended:
            main.main(["show", "good", "--run", "--fresh"])
    finally:
        signal.signal(signal.SIGINT, before)
    assert ended.value.code == 128 + signal.SIGINT
    said = capsys.readouterr().err
    assert "umwelt: stopped by SIGINT; what ran is saved. Go on with: umwelt show good --run\n" in said


def test_fresh_begins_from_nothing(catalogue: dict[str, Claim], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arm = Computed(function=Counted(marks=str(tmp_path)), measures=(SCORE,))
    catalogue["good"] = compared(name="good", over=-5.0, arms={"idea": arm}, seeds=(1, 2, 3))
    for words, calls in (((), 3), ((), 3), (("--fresh",), 6)):
        assert main.main(["show", "good", "--run", "--json", *words]) == 0
        assert len((tmp_path / "calls").read_text().splitlines()) == calls
    capsys.readouterr()


def test_damaged_results_and_failed_jobs_are_sentences(
    catalogue: dict[str, Claim], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "stored").mkdir()
    (tmp_path / "stored/good.json").write_text("{")
    with pytest.raises(SystemExit, match="2"):
        main.main(["show", "good"])
    assert "good.json: this is no result of a claim" in capsys.readouterr().err
    (tmp_path / "stored/good.json").unlink()
    broken = Computed(function=Counted(marks=str(tmp_path), fault="no water"), measures=(SCORE,))
    catalogue["good"] = compared(name="good", over=0.0, arms={"idea": broken}, seeds=(1,))
    with pytest.raises(SystemExit, match="4"):
        main.main(["show", "good", "--run", "--jobs", "2"])
    assert "umwelt: idea seeds-1-1: RuntimeError: no water; all that it wrote is in" in capsys.readouterr().err


def test_an_unknown_claim_names_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main.main(["show", "losse_mpcc"])
    assert "did you mean losse_mpc" in capsys.readouterr().err
