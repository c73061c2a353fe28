"""Seeds over devices: how they are shared, that eight devices run what one does, and that saves go from one to the other."""

import json
import os
import subprocess
import sys
from pathlib import Path

from spread_lives import ALL, FIRST, LIFE

from umwelt.life.api import fingerprints, live, resume
from umwelt.life.spreading import share

HERE = Path(__file__).parent


def test_as_many_devices_take_part_as_can_have_equally_many_seeds() -> None:
    expected = {(64, 8): 8, (8, 8): 8, (6, 4): 3, (7, 4): 1, (2, 8): 2, (1, 8): 1, (12, 5): 4, (5, 1): 1}
    assert {case: share(*case) for case in expected} == expected


def test_eight_devices_run_the_bits_of_one_and_saves_go_both_ways(tmp_path: Path) -> None:
    live(LIFE, steps=FIRST, name="by-one", lives=tmp_path)
    begun = fingerprints("by-one", lives=tmp_path)
    flags = f"{os.environ.get('XLA_FLAGS', '')} --xla_force_host_platform_device_count=8"
    paths = os.pathsep.join([str(HERE.parent), str(HERE)])
    done = subprocess.run(
        [sys.executable, "-c", f"import pathlib, spread_lives; spread_lives.main(pathlib.Path({str(tmp_path)!r}))"],
        env={**os.environ, "XLA_FLAGS": flags, "PYTHONPATH": paths},
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["devices"] == [8]
    assert found["sentence"] == "8 seeds run on 8 devices"
    assert (found["seed 5"], found["first"]) == ("", "")
    assert found["on"] == [0]
    assert not any(found["placed"])
    assert found["kept"], "what lies on its devices is not copied"
    assert found["alone"] == "None", "a default device runs all seeds"
    assert found["begun"] == begun
    resume("by-eight", steps=ALL, lives=tmp_path)
    assert fingerprints("by-eight", lives=tmp_path) == found["ended"]
    assert found["ended"] != begun
