"""What measures read from the folder of a life, on lives with hand-made numbers."""

from pathlib import Path

import numpy as np
import pytest
import report_lives

from umwelt.claims import measures
from umwelt.claims.studies.endurance import calm_after, steadiness
from umwelt.life.chronicle.chronicle import Chronicle


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A life that is born with -8 and 0, learns 8 and then 9, and keeps 4 of the 8."""
    monkeypatch.setitem(report_lives.RETURNS, 0, (-8.0, 0.0))
    monkeypatch.setitem(report_lives.RETURNS, 300, (4.0, 9.0))
    return report_lives.write_life(tmp_path, "one", tasks=("a", "b"))


@pytest.mark.parametrize(
    ("measure", "expected"),
    [
        (measures.FINAL_RETURN, (4 + 9) / 2),
        (measures.MEAN_RETURN, (8 + 1 + 6 + 9 + 4 + 9) / 6),
        (measures.RETENTION, ((4 + 8) / (8 + 8) + 1) / 2),
        (measures.WORST_RETENTION, (4 + 8) / (8 + 8)),
        (measures.RETENTION_OF_REWARD, (4 / 8 + 1) / 2),
        (measures.FORGETTING, 0.0),  # the task that fell was learned last
        (measures.ERROR_GROWTH, np.sqrt((0.15 / 0.1) * (0.2 / 0.2))),
        (measures.MODEL_ERROR, (0.15 + 0.2) / 2),
        (measures.SECONDS, 4.0 + 3.0),  # resumed after 4 seconds; probes do not count
    ],
    ids=lambda value: getattr(value, "name", ""),
)
def test_a_measure_reads_what_was_lived(folder: Path, measure: measures.Measure, expected: float) -> None:
    assert measure.read is not None
    assert measure.read(folder, 1) == pytest.approx(expected)


def test_calm_begins_with_a_whole_window_of_small_surprise() -> None:
    """High until 300: a window of five with one such value has a mean of (e^2 + 4) / 5 = 2.3, above 1.5."""
    clock = np.arange(10, 1001, 10)
    surprise = np.where(clock <= 300, 5.0, 0.0)
    assert calm_after(clock, surprise, 0, 1000) == 350
    assert calm_after(clock, np.where(clock % 40 == 0, 5.0, 0.0), 200, 400) == 200, "one in each window: never calm"


def test_a_life_of_half_the_speed_at_its_end_is_half_as_steady(tmp_path: Path) -> None:
    clocks = np.arange(0, 1001, 50)
    seconds = np.where(clocks <= 900, clocks / 100, 9 + (clocks - 900) / 50)
    with Chronicle(tmp_path / "chronicle.db") as chronicle:
        for clock, value in zip(clocks, seconds, strict=True):
            chronicle.write_timing(int(clock), {"living": float(value)})
    assert steadiness(tmp_path, 0) == pytest.approx(0.5)
