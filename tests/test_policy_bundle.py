"""An exported policy acts as `umwelt.load`, bit for bit, where Umwelt cannot be imported."""

import json
import subprocess
import sys
import zipfile
from dataclasses import replace
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from policy_lives import Plain, planned, showing

from umwelt.behaviours import ActorCritic
from umwelt.cli.main import main
from umwelt.core import LIVED, Experience, TimeStep, spaces
from umwelt.export.extras import ExportError
from umwelt.models import Doubted, Ensemble, Implicit, Losse, Rssm
from umwelt.models.linear.encoder import Encoder
from umwelt.planners import CEM, ICEM, MPPI
from umwelt.policy.bundle import bundle, module_of
from umwelt.policy.describing import describe
from umwelt.policy.policy import Policy
from umwelt.policy.program import Learned
from umwelt.recipes import load as recipe
from umwelt.worlds import Cartpole, Pendulum

STEPS = 5
TINY = {
    "pets": {"model": Ensemble(units=16), "planner": CEM(samples=8, horizon=3, iterations=1, elites=2)},
    "losse_mpc": {
        "model": Losse(encoder=Encoder(grids=3, axes=2), warm_up=8),
        "planner": ICEM(samples=8, horizon=3, iterations=1, elites=3),
    },
    "tdmpc2": {
        "model": Doubted(model=Implicit(latent=16, units=16, encoder_units=16), members=2, units=16),
        "planner": MPPI(samples=16, horizon=2, iterations=1, elites=4, proposed=0.25),
    },
    "dreamer_v3": {
        "model": Doubted(model=Rssm(deterministic=16, groups=2, classes=4, units=16, depth=2), members=2, units=16),
        "policy": ActorCritic(units=16, layers=1),
    },
    "sac": {},
    "dqn": {},
}


def taught(name):
    """What an agent of this recipe knows after some random experience, its weights disturbed so that none is zero."""
    world = Cartpole() if name == "dqn" else Pendulum()
    agent = recipe(name)(world).agent
    agent = replace(agent, **TINY[name])
    if hasattr(agent, "learner"):
        agent = replace(agent, learner=replace(agent.learner, units=16))
    if name == "losse_mpc":  # statistics, which noise would break, so it learns in earnest
        state = jax.jit(agent.init, static_argnums=1)(jax.random.key(1), world.spec)
        remember = jax.jit(agent.remember)
        for index in range(30):
            state, _ = remember(jax.random.key(index), state, transition(world.spec, index))
        return Learned(agent=agent, state=state, world=world)
    # the compiler makes no memory where nothing reads it
    state = jax.jit(lambda key: replace(agent.init(key, world.spec), memory=None))(jax.random.key(1))
    leaves, tree = jax.tree.flatten(state)
    random = np.random.default_rng(3)
    noise = 1.0 if name == "dqn" else 0.1  # enough for both choices
    noisy = [
        np.asarray(leaf) + random.normal(0, noise, leaf.shape).astype(np.float32) if leaf.dtype == jnp.float32 else leaf
        for leaf in leaves
    ]
    # arrays of a device, as those of a life are
    noisy = jax.device_put(noisy, jax.devices()[0])
    return Learned(agent=agent, state=jax.tree.unflatten(tree, noisy), world=world)


def transition(spec, index):
    """One random transition."""
    random = np.random.default_rng(index)
    before, after = (
        TimeStep(
            kind=np.full(1, 1, np.int8),
            observation=random.normal(size=(1, *spec.observation.shape)).astype(np.float32),
            reward=random.normal(size=1).astype(np.float32),
        )
        for _ in range(2)
    )
    action = spaces.sample(jax.random.key(index), spec.action, 1)
    return Experience(step=before, action=action, next=after, origin=np.full(1, LIVED, np.int8), surprise=np.zeros(1, np.float32))


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """The folder of all zips, what umwelt.load does, and what each zip does in a process without Umwelt."""
    folder, expected = tmp_path_factory.mktemp("policies"), {}
    for name in TINY:
        learned = taught(name)
        bundle(learned, name, folder / f"{name}.zip")
        random = np.random.default_rng(0)
        given = {
            "observation": random.normal(size=(STEPS, *learned.world.spec.observation.shape)),
            "reward": random.normal(size=STEPS),
            "ended": np.arange(STEPS) == 2,
        }
        np.savez(folder / f"{name}.npz", **given)
        policy = Policy(learned, describe(learned.world), seed=5)
        found = b""
        for observation, reward, ended in zip(*given.values(), strict=True):
            action = policy(observation)
            assert np.isfinite(action).all()
            found += np.asarray(action).tobytes() + np.float32(policy.doubt).tobytes()
            policy.tell(reward, terminated=bool(ended))
        expected[name] = found.hex()
    script = Path(__file__).with_name("use_policies.py")
    ran = subprocess.run([sys.executable, "-I", str(script), str(folder)], capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    return folder, expected, {line["name"]: line for line in map(json.loads, ran.stdout.splitlines())}


@pytest.mark.parametrize("name", TINY)
def test_an_export_acts_bit_for_bit_as_the_life_loaded(exported, name):
    _, expected, found = exported
    assert found[name]["found"] == expected[name]
    assert found[name]["again"], "after a reset it acts as before"
    size = len(expected[name]) // STEPS
    assert len({expected[name][step * size : (step + 1) * size] for step in range(STEPS)}) > 1, "it is no constant"


def test_a_zip_says_how_it_is_used_and_holds_no_memory(exported):
    folder, _, _ = exported
    with zipfile.ZipFile(folder / "sac.zip") as held:
        words = held.read("README.md").decode()
        assert "from sac_policy import Policy" in words
        assert 'sys.path.insert(0, "sac.zip")' in words
        arrays = np.load(held.open("sac_policy/arrays.npz"))
        weights = sum(arrays[name].size for name in arrays.files)
    assert weights < 1000, "the policy alone, without critics and optimisers"


def test_it_is_written_whole_or_not_at_all(tmp_path, monkeypatch):
    target = tmp_path / "mine.zip"
    bundle(showing(), "mine", target)
    before = target.read_bytes()

    def full(*arguments, **named):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(zipfile.ZipFile, "writestr", full)
        with pytest.raises(Exception, match=r"no room left to write .*mine\.zip"):
            bundle(showing(), "mine", target)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.zip"]
    assert target.read_bytes() == before
    (tmp_path / "other.zip").write_text("something else")
    with pytest.raises(ExportError, match="is not an exported policy"):
        bundle(showing(), "mine", tmp_path / "other.zip")
    with pytest.raises(ExportError, match=r"does not end in \.zip"):
        bundle(showing(), "mine", tmp_path / "mine.pkl")


def test_a_batch_is_exported_with_its_rows(tmp_path, monkeypatch):
    bundle(showing(Plain()), "2 rows", tmp_path / "rows.zip", rows=2)
    monkeypatch.syspath_prepend(str(tmp_path / "rows.zip"))
    from _2_rows_policy import Policy as Exported

    policy = Exported()
    assert policy(np.array([[1.0, 0, 0], [2.0, 0, 0]])).tolist() == [[1, 0, 0, 1], [1, 0, 0, 2]]
    policy.tell([1.0, 2.0], terminated=[False, True])
    assert policy(np.zeros((2, 3))).tolist() == [[0, 1, 1, 0], [1, 0, 0, 0]]
    assert policy.doubt[0] == 1
    with pytest.raises(ValueError, match=r"expected numbers of shape \[2, 3\]"):
        policy(np.zeros(3))


def test_types_that_numpy_files_lack_come_back(tmp_path, monkeypatch):
    learned = showing()
    learned = replace(learned, state=replace(learned.state, weight=jnp.full((), 0.5, jnp.bfloat16)))
    bundle(learned, "short", tmp_path / "short.zip")
    monkeypatch.syspath_prepend(str(tmp_path / "short.zip"))
    from short_policy import Policy as Exported

    assert Exported()([1.0, 2.0, 3.0]).tolist() == [0.5, 0, 0, 3]


def test_modules_are_named_after_lives():
    assert [module_of(name) for name in ("mine", "pets-pendulum-1", "3.b")] == [
        "mine_policy",
        "pets_pendulum_1_policy",
        "_3_b_policy",
    ]


def test_the_command_exports_and_says_how_it_is_used(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    planned(tmp_path / "lives")
    assert main(["export", "lives/planned", "--format", "policy"]) == 0
    words = capsys.readouterr().out
    assert "from planned_policy import Policy" in words
    assert "exports/planned-policy.zip" in words
    for arguments, sentence in (
        (["plannd"], "there is no life at"),
        (["planned", "--which", "3"], "has 1 seeds"),
        (["planned", "--out", "folder"], "does not end in .zip"),
        (["planned", "--rows", "-1"], "--rows"),
    ):
        with pytest.raises(SystemExit) as ended:
            main(["export", *arguments, "--format", "policy"])
        assert ended.value.code == 2
        assert sentence in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main(["export", "--help"])
    assert "policy" in capsys.readouterr().out
