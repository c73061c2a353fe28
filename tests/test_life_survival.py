"""A kill at any moment and a full disk cost a life nothing that was saved."""

import random
import shutil
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from umwelt.life.chronicle.chronicle import Chronicle
from umwelt.life.saves.checkpoint import Checkpoints
from umwelt.life.saves.digest import digest

LIMITED = """
import resource, sys
import numpy as np
from umwelt.life.saves.checkpoint import Checkpoints, DiskFull

kept = Checkpoints(sys.argv[1])
kept.save(1, {"a": np.arange(1000.0)})
resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 17, 1 << 17))
try:
    kept.save(2, {"a": np.random.default_rng(0).normal(size=100_000)})
except DiskFull as full:
    print(full)
"""


def test_a_write_that_the_system_refuses_is_a_full_disk_and_the_last_one_survives(tmp_path):
    said = subprocess.run([sys.executable, "-c", LIMITED, str(tmp_path)], check=True, capture_output=True, text=True)
    assert said.stdout.startswith(f"no room left to write {tmp_path}")
    assert "Error" not in said.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["000000000001"]
    assert np.array_equal(Checkpoints(tmp_path).load({"a": np.zeros(1000)})[1]["a"], np.arange(1000.0))


SMALL_DISK = """
import os, sys
import numpy as np
from umwelt.core import Metric
from umwelt.life.saves.checkpoint import Checkpoints
from umwelt.life.chronicle.chronicle import Chronicle, DiskFull

root = sys.argv[1]
value = {"a": np.random.default_rng(0).normal(size=40_000)}
kept = Checkpoints(root + "/checkpoints", keep=5)
chronicle = Chronicle(root + "/chronicle.db")
chronicle.declare([Metric(name="loss", unit="", meaning="")])
for saved in range(100):
    try:
        kept.save(saved, value)
    except DiskFull:
        break
clock, found = kept.load(value)
assert clock == saved - 1 >= 1 and np.array_equal(found["a"], value["a"]) and not kept.notes
written = 0
try:
    while True:
        chronicle.write(0, written + np.arange(1000), {"loss": np.ones(1000)})
        written += 1000
except DiskFull:
    assert chronicle.series("loss")["clock"].tolist() == list(range(written))
os.remove(root + "/ballast")
kept.save(saved, value)
chronicle.write(0, written + np.arange(1000), {"loss": np.ones(1000)})
print("went on")
"""


def test_on_a_disk_that_really_is_full_nothing_is_lost_and_life_goes_on_when_there_is_room(tmp_path):
    mount = f"mount -t tmpfs -o size=2m tmpfs {tmp_path} && dd if=/dev/zero of={tmp_path}/ballast bs=1k count=600 status=none"
    inside = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c"]
    if not shutil.which("unshare") or subprocess.run([*inside, mount], capture_output=True, check=False).returncode:
        pytest.skip("this system does not let a test mount a small disk of its own")
    run = [*inside, f'{mount} && exec "$@"', "sh", sys.executable, "-c", SMALL_DISK, str(tmp_path)]
    done = subprocess.run(run, capture_output=True, text=True, check=False)
    assert done.stdout == "went on\n", done.stderr


LIFE = """
import sys
import numpy as np
from umwelt.core import Metric
from umwelt.life.saves.checkpoint import Checkpoints
from umwelt.life.chronicle.chronicle import Chronicle

kept, end = Checkpoints(sys.argv[1] + "/checkpoints"), int(sys.argv[2])
like = {"sum": np.float64(0), "ring": np.zeros(30_000)}
with Chronicle(sys.argv[1] + "/chronicle.db") as chronicle:
    chronicle.declare([Metric(name="sum", unit="", meaning="")])
    clock, value = kept.load(like) if kept.latest() is not None else (0, like)
    chronicle.rewind(clock)
    print("ready", flush=True)
    while clock < end:
        ring = np.roll(value["ring"], 1)
        ring[0] = clock
        value = {"sum": value["sum"] + np.sqrt(clock), "ring": ring}
        clock += 1
        chronicle.write(0, [clock], {"sum": [value["sum"]]})
        chronicle.sync()
        kept.save(clock, value)
"""


def test_a_running_life_can_be_looked_at_while_it_saves_and_forgets(tmp_path):
    like = {"sum": np.float64(0), "ring": np.zeros(30_000)}
    kept, clocks = Checkpoints(tmp_path / "checkpoints"), []
    with subprocess.Popen([sys.executable, "-c", LIFE, str(tmp_path), str(10**9)], stdout=subprocess.PIPE) as life:
        assert life.stdout.readline() == b"ready\n"
        while kept.latest() is None:
            time.sleep(0.01)
        for _ in range(40):
            clock, value = kept.load(like)
            assert kept.notes == []
            assert value["ring"][0] == clock - 1
            clocks.append(clock)
        life.send_signal(signal.SIGKILL)
    assert clocks == sorted(clocks)
    assert clocks[-1] > clocks[0]


def test_a_life_killed_four_times_becomes_what_it_would_have_become(tmp_path):
    """Killed while it saves or writes, again and again: the value and the chronicle end as if nothing had been."""
    moments, end = random.Random(1), 5
    like = {"sum": np.float64(0), "ring": np.zeros(30_000)}
    broken = tmp_path / "broken"
    broken.mkdir()
    reached, longest = 0, 0.6
    for _ in range(4):
        life = subprocess.Popen([sys.executable, "-c", LIFE, str(broken), str(10**9)], stdout=subprocess.PIPE)
        with life:
            assert life.stdout.readline() == b"ready\n"
            time.sleep(moments.uniform(0.0, longest))
            life.send_signal(signal.SIGKILL)
        kept = Checkpoints(broken / "checkpoints")
        with Chronicle.read(broken / "chronicle.db") as chronicle:
            written = chronicle.last_clock()
        if kept.latest() is None:
            assert written <= 1
            longest *= 2  # a busy machine needs more time for its first save
            continue
        clock, value = kept.load(like)
        assert kept.notes == []
        assert clock >= reached
        assert written in (clock, clock + 1)
        assert value["ring"][: min(clock, 5)].tolist() == list(range(clock - 1, max(clock - 6, -1), -1))
        reached = clock
    assert reached > 0
    end += reached
    straight = tmp_path / "straight"
    straight.mkdir()
    for folder in (broken, straight):
        subprocess.run([sys.executable, "-c", LIFE, str(folder), str(end)], check=True, capture_output=True)
    found = [Checkpoints(folder / "checkpoints").load(like) for folder in (broken, straight)]
    assert [clock for clock, _ in found] == [end, end]
    assert digest(found[0][1]) == digest(found[1][1])
    digests = []
    for folder in (broken, straight):
        with Chronicle.read(folder / "chronicle.db") as chronicle:
            digests.append(chronicle.digest())
        assert not list((folder / "checkpoints").glob(".tmp*"))
    assert digests[0] == digests[1]
