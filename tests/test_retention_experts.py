"""Experts for a world that changes, against one model that has to be right about all of it at once."""

from dataclasses import replace
from functools import cache

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import umwelt.check
from umwelt.core import FIRST, MID, Box, Experience, TimeStep, WorldSpec
from umwelt.life.api import live
from umwelt.life.chronicle.chronicle import Chronicle
from umwelt.life.composition import Life
from umwelt.models import Ensemble, Losse
from umwelt.models.linear.encoder import Encoder
from umwelt.recipes.losse_experts import losse_experts
from umwelt.retention import Cusum, Experts, Prune
from umwelt.teachers import Blocks
from umwelt.worlds import Pendulum

SPEC = WorldSpec(
    name="turning", observation=Box(shape=(2,), low=-2.0, high=2.0), action=Box(shape=(1,), low=-1.0, high=1.0), task=Box()
)
LEADER = Losse(encoder=Encoder(grids=6, bins=4, axes=2), warm_up=40)
KEY = jax.random.key(0)


def turning(turn: float, ticks: int, seed: int) -> Experience:
    """Experience [ticks, 1] of a point that turns about the middle, by so much in each step, and is pushed."""
    random, cos, sin = np.random.default_rng(seed), np.cos(turn), np.sin(turn)
    position, positions, pushes = np.array([1.0, 0.0]), [np.array([1.0, 0.0])], random.uniform(-1, 1, (ticks, 1))
    for push in pushes:
        position = (
            0.97 * np.array([[cos, -sin], [sin, cos]]) @ position + np.array([0.15, 0.05]) * push + random.normal(0, 0.01, 2)
        )
        positions.append(position)
    kind = np.full((ticks + 1, 1), MID, np.int8)
    kind[0] = FIRST
    steps = TimeStep(kind=kind, observation=np.array(positions, np.float32)[:, None], reward=np.zeros((ticks + 1, 1), np.float32))
    before, after = (jax.tree.map(lambda leaf, cut=cut: leaf[cut], steps) for cut in (slice(-1), slice(1, None)))
    return Experience(step=before, action=np.float32(pushes)[:, None], next=after, origin=np.zeros((ticks, 1), np.int8))


@cache
def learner(model):
    """(state, experience, sure) -> the state after it, and what the model reports: one program for each model."""

    def run(state: object, some: Experience, sure: float) -> tuple[object, dict]:
        at = replace(model, sure=sure) if isinstance(model, Experts) else model
        return jax.lax.scan(lambda now, one: at.learn(KEY, now, one), state, some)

    return jax.jit(run)


@cache
def born(model):
    return jax.jit(lambda key: model.init(key, SPEC))(KEY)


def taught(model, pieces: list[Experience], sure: float = 0.2) -> tuple[object, list[np.ndarray]]:
    """The state after all pieces, and in each the expert in use."""
    state, used = born(model), []
    for piece in pieces:
        state, info = learner(model)(state, piece, sure)
        used.append(np.asarray(info.get("expert", np.zeros(1))))
    return state, used


@cache
def prober(model):
    """(state, experience) -> the surprise about each transition, without learning from it."""

    def one(state: object, step: Experience) -> jax.Array:
        belief, _ = model.observe(KEY, state, model.start(state, 1), step.action, step.step)
        return model.observe(KEY, state, belief, step.action, step.next)[1]["surprise"][0]

    return jax.jit(jax.vmap(one, (None, 0)))


def error(model, state, some: Experience) -> float:
    """The mean surprise about experience, without learning from it."""
    return float(np.nanmean(np.asarray(prober(model)(state, some))[2:]))


def test_a_world_that_changes_and_comes_back_is_known() -> None:
    there, back = 0.4, -0.4
    pieces = [turning(turn, 300, seed) for seed, turn in enumerate((there, back, there, back))]
    model = Experts(model=LEADER, most=4)
    state, used = taught(model, pieces)
    assert [expert[-1] for expert in used] == [0, 1, 0, 1]
    late = [int(np.argmax(expert == expert[-1])) for expert in used[1:]]
    assert max(late) <= 40, "detected, waited for and chosen"
    assert int(state.known) == 2
    alone, _ = taught(LEADER, pieces)
    probe = turning(back, 200, 9)
    assert error(model, state, probe) < 0.25 * error(LEADER, alone, probe)


def test_a_world_that_stays_has_one_expert() -> None:
    whole = turning(0.4, 3000, 3)
    pieces = [jax.tree.map(lambda leaf, at=at: leaf[at : at + 300], whole) for at in range(0, 3000, 300)]
    state, used = taught(Experts(model=LEADER, most=4), pieces)
    assert int(state.known) == 1
    assert not np.concatenate(used).any()


def test_surprise_under_doubt_is_no_sign_of_a_change() -> None:
    pieces = [turning(turn, 300, seed) for seed, turn in enumerate((0.4, -0.4))]
    assert int(taught(Experts(model=LEADER, most=4), pieces)[0].known) == 2
    assert int(taught(Experts(model=LEADER, most=4), pieces, sure=0.0)[0].known) == 1, "no doubt lies below zero"


@pytest.mark.parametrize("prune", [None, Prune()])
def test_remembering_writes_in_place_and_copies_no_expert(prune: Prune | None) -> None:
    # statistics far above what a program needs anyway
    leader = replace(LEADER, encoder=replace(LEADER.encoder, grids=12))
    agent = replace(losse_experts.agent, model=Experts(model=leader, most=8, prune=prune))
    some = turning(0.4, 10, 0)

    def remember(state: object, one: Experience) -> tuple[object, object]:
        return agent.remember(KEY, state, one)

    begun = jax.jit(lambda key: agent.init(key, SPEC))(KEY)
    run = jax.jit(lambda state: jax.lax.scan(remember, state, some), donate_argnums=0)
    scratch = run.lower(begun).compile().memory_analysis().temp_size_in_bytes
    assert scratch < begun.model.inner.statistics.gram.nbytes


def test_when_all_have_begun_the_least_surprised_is_taken() -> None:
    turns = (0.4, -0.4, 1.2, -1.2)
    state, used = taught(Experts(model=LEADER, most=2), [turning(turn, 300, seed) for seed, turn in enumerate(turns)])
    assert int(state.known) == 2
    assert all(expert.max() <= 1 for expert in used)


def test_a_new_world_replaces_the_expert_that_was_used_longest_ago() -> None:
    """Two places and worlds A B A C: C takes the place of B, and A is still known."""
    turns = (0.4, -0.4, 0.4, 1.2)
    pieces = [turning(turn, 300, seed) for seed, turn in enumerate(turns)]
    model = Experts(model=LEADER, most=2, prune=Prune())
    state, used = taught(model, pieces)
    assert [expert[-1] for expert in used] == [0, 1, 0, 1]
    assert int(state.known) == 2
    # a probe of single steps trusts the expert in use
    wrong = {
        (now, turn): error(model, replace(state, now=np.int32(now)), turning(turn, 200, 9))
        for now in (0, 1)
        for turn in (0.4, 1.2)
    }
    assert wrong[0, 0.4] < 0.25 * wrong[1, 0.4]
    assert wrong[1, 1.2] < 0.25 * wrong[0, 1.2]


def test_prune_drops_the_expert_whose_world_another_knows() -> None:
    """Of three, expert 1 was in use longest ago, but in the world of expert 2, expert 0 is hardly more surprised."""
    prune = Prune(alike=1.5, patience=10)
    state, worlds = prune.init(3), ((1, (9.0, 1.0, 9.0)), (2, (1.2, 9.0, 1.0)), (0, (1.0, 9.0, 9.0)))
    for moment, (now, surprise) in enumerate(worlds):
        state = prune.watch(state, jnp.array(now), jnp.log(jnp.array(surprise)), jnp.array(True), jnp.array(moment))
    assert int(prune.victim(state, jnp.array(0))) == 2
    assert int(replace(prune, alike=1.1).victim(state, jnp.array(0))) == 1
    assert int(replace(prune, alike=0.0).victim(state, jnp.array(1))) == 2, "the one in use stays"
    after = prune.forget(state, jnp.array(2), jnp.array(True), jnp.array(3))
    assert int(prune.victim(after, jnp.array(0))) == 1, "a new one has no surprise yet, and no other replaces it"


def test_experts_keep_the_contract_of_a_model() -> None:
    umwelt.check.model(Experts(model=Losse(encoder=Encoder(grids=8, axes=2), warm_up=20), most=2), steps=200).raise_if_broken()


def test_a_model_that_replays_is_refused() -> None:
    with pytest.raises(ValueError, match="model=Ensemble replays"):
        Experts(model=Ensemble()).init(KEY, SPEC)


def test_a_life_records_when_another_expert_takes_over(tmp_path) -> None:
    """The motor is wired the wrong way round from decision 400 to decision 800. All decisions are drawn, which compiles no
    plan; the detector is a more sensitive one, because a pendulum that is pushed at random swings little."""
    detector = Cusum(threshold=8.0, warm=0)
    model = Experts(model=Losse(encoder=Encoder(grids=8), warm_up=40), most=3, detector=detector, patience=80)
    agent = replace(losse_experts.agent, model=model)
    agent = replace(agent, planner=replace(agent.planner, samples=8, elites=4, iterations=1, horizon=3))
    teacher = Blocks(names=("earth", "mirrored", "earth"), steps=400)
    rhythm = replace(losse_experts.rhythm, random=900, probe_episodes=0)
    life = Life(world=Pendulum(time_limit=50), agent=agent, teacher=teacher, rhythm=rhythm, seed=1)
    living = live(life, steps=900, name="one", lives=tmp_path)
    with Chronicle.read(living.folder.path / "chronicle.db") as chronicle:
        events, ends = chronicle.events(), chronicle.episodes()
    events = [
        (clock, message)
        for clock, name, message in zip(events["clock"], events["name"], events["message"], strict=True)
        if name == "expert"
    ]
    turned = int(ends["begin"][np.argmax(ends["task"] == "mirrored")])
    assert turned < events[0][0] < turned + 60
    assert events[0][1] == "the world is another one: expert 1 takes over"
    assert any(clock > 800 and "expert 0 takes over" in message for clock, message in events)
