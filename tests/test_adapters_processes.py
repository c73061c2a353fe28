"""Rows in processes of their own: the same bits, no JAX in them, and a clean end."""

import os
import signal
import subprocess
import sys

import gymnasium
import numpy as np
import pytest
from adapters_worlds import Walk

from umwelt.core import BROKEN, MID
from umwelt.worlds import adapters
from umwelt.worlds.adapters import StaleTicket, Variant

TASK = Variant(index=np.zeros(2, np.int32))


def key(number):
    return np.array([5, number], np.uint32)


def live(world, steps):
    state, step = world.init(key(0), TASK)
    seen, rng = [step], np.random.default_rng(1)
    for number in range(steps):
        spec = world.spec.action
        action = rng.integers(0, spec.n, 2).astype(np.int32) if hasattr(spec, "n") else rng.normal(size=(2, 1)).astype(np.float32)
        state, step = world.step(key(1 + number), state, action, TASK)
        seen.append(step)
    return state, seen


@pytest.mark.parametrize("id", ["CartPole-v1", "adapters_worlds:Walk"])
def test_processes_give_the_same_bits_and_the_same_saves(id):
    inside, outside = (adapters.gymnasium(id=id, batch=2, subprocesses=way) for way in (False, True))
    one, here = live(inside, 60)
    two, there = live(outside, 60)
    for a, b in zip(here, there, strict=True):
        assert all(getattr(a, name).tobytes() == getattr(b, name).tobytes() for name in ("kind", "observation", "reward"))
    saved, other = inside.save(one), outside.save(two)
    assert all(saved[name].tobytes() == other[name].tobytes() for name in saved)
    # A save made with processes is restored without, and the other way round.
    three, step = outside.restore(saved)
    np.testing.assert_array_equal(step.observation, here[-1].observation)
    assert outside.drain(three) == []
    processes = [*two.host.crew.processes.values(), *three.host.crew.processes.values()]
    outside.close(two)
    outside.close(three)
    assert [process.returncode for process in processes] == [0] * 4
    with pytest.raises(StaleTicket, match="closed"):
        outside.save(two)


def test_workers_have_no_jax_may_print_and_ignore_ctrl_c():
    world = adapters.gymnasium(id="adapters_worlds:Report", batch=2, subprocesses=True)
    state, step = world.init(key(0), TASK)
    assert step.observation[:, 0].tolist() == [0.0, 0.0]
    processes = state.host.crew.processes
    assert step.observation[:, 1].tolist() == [processes[row].pid % 100 for row in range(2)]
    for process in processes.values():
        process.send_signal(signal.SIGINT)
    state, step = world.step(key(1), state, np.zeros((2, 1), np.float32), TASK)
    assert step.kind.tolist() == [1, 1]
    assert world.drain(state) == []
    if hasattr(os, "getsid"):
        assert all(os.getsid(process.pid) != os.getsid(0) for process in processes.values())
    world.close(state)


def test_a_killed_worker_ends_one_episode_and_is_replaced():
    world = adapters.gymnasium(id="adapters_worlds:Walk", batch=2, subprocesses=True)
    state, before = world.init(key(0), TASK)
    state.host.crew.processes[1].kill()
    state, step = world.step(key(1), state, np.ones((2, 1), np.float32), TASK)
    assert step.kind.tolist() == [MID, BROKEN]
    np.testing.assert_array_equal(step.observation[1], before.observation[1])
    (event,) = world.drain(state)
    assert (event.name, event.row) == ("world_died", 1)
    assert "SIGKILL" in event.message
    state, step = world.step(key(2), state, np.ones((2, 1), np.float32), TASK)
    assert step.kind.tolist() == [1, 0]
    world.close(state)


PARENT = """
import os, sys
import numpy as np
from umwelt.worlds import adapters
from umwelt.worlds.adapters import Variant
world = adapters.gymnasium(id="adapters_worlds:Walk", batch=2, subprocesses=True)
state, _ = world.init(np.zeros(2, np.uint32), Variant(index=np.zeros(2, np.int32)))
print(len(state.host.crew.processes), flush=True)
os.kill(os.getpid(), 9)
"""


def test_workers_end_when_their_parent_is_killed():
    # The workers hold the other end of the error pipe, so that it closes only once all of them are gone.
    paths = os.pathsep.join(filter(None, (os.path.dirname(__file__), os.environ.get("PYTHONPATH"))))
    environment = os.environ | {"PYTHONPATH": paths}
    parent = subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment)
    out, _ = parent.communicate(timeout=60)
    assert out.strip() == b"2"
    assert parent.returncode == -signal.SIGKILL


def test_a_world_that_cannot_be_sent_is_named():
    gymnasium.register("Local-v0", entry_point=lambda: Walk())
    try:
        world = adapters.gymnasium(id="Local-v0", batch=2)
        world.close(world.init(key(0), TASK)[0])
        with pytest.raises(ValueError, match="cannot be sent to a subprocess"):
            adapters.gymnasium(id="Local-v0", batch=2, subprocesses=True).init(key(0), TASK)
    finally:
        del gymnasium.registry["Local-v0"]
