"""What a script or a notebook sees of a life: a view on the error stream, a picture in the folder, arrays, and a table."""

import base64
import io
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import umwelt
from umwelt.from_python import _seen
from umwelt.life.exams.outcome import Outcome


class Terminal(io.StringIO):
    """An error stream that is a terminal."""

    def isatty(self) -> bool:
        return True


def test_a_life_from_python_is_shown_and_drawn(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    life = umwelt.Life(
        world=umwelt.worlds.Pendulum(time_limit=20),
        agent=umwelt.behaviours.RandomAgent(),
        teacher=umwelt.teachers.Blocks(names=("earth", "moon"), steps=40),
        rhythm=umwelt.Rhythm(probe_every=40, probe_episodes=2, updates=0),
    )
    seen: list[Any] = []
    living = umwelt.live(life, steps=80, name="mine", lives=tmp_path, progress=True, on_progress=seen.append)
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("first action [")
    assert seen[-1].phase == "end"
    picture = (tmp_path / "mine" / "life.png").read_bytes()
    assert picture.startswith(b"\x89PNG")
    assert living.outcome.picture == picture
    assert base64.b64encode(picture).decode() in living._repr_html_()
    assert f"<td>moon</td><td>{living.outcome.final['moon'].mean():.1f}</td>" in living._repr_html_()

    def again(look: Any) -> Any:
        look(seen[-1])
        return living

    for shows, progress in ((False, None), (True, True), (False, False)):
        _seen(again, progress, None)
        assert bool(capsys.readouterr().err) == shows
    for shows, progress in ((True, None), (True, True), (False, False)):
        monkeypatch.setattr(sys, "stderr", terminal := Terminal())
        _seen(again, progress, None)
        assert ("80/80" in terminal.getvalue()) == shows


def test_a_table_for_a_notebook_by_hand() -> None:
    clock, task, mean = (np.array(column, object) for column in ([0, 9, 9, 9], ["a", "a", "<b>", "c"], [1.0, 2.25, -3.0, np.nan]))
    found = Outcome(probes={"clock": clock, "task": task, "mean": mean}, episodes={}, kept={"retention": {"a": 0.5, "<b>": None}})
    rows = "<tr><td>a</td><td>2.2</td><td>0.50</td></tr><tr><td>&lt;b&gt;</td><td>-3.0</td><td>-</td></tr>"
    assert rows + "<tr><td>c</td><td>-</td><td>-</td></tr></table>" in found._repr_html_()
    assert "<img" not in found._repr_html_()
