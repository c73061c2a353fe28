"""Recipes: found by file name, each fits the worlds that its card names, and one life of each family is run."""

import re
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import jax
import numpy as np
import pytest

from umwelt import check, recipes
from umwelt.cli.parts import library
from umwelt.core import TERMINATED, part
from umwelt.life.composition import Life
from umwelt.life.engine import Engine
from umwelt.life.rhythm import Rhythm
from umwelt.life.saves.digest import digest
from umwelt.life.saves.saver import Saver
from umwelt.models import Losse
from umwelt.recipes import ALL, around, varied, vary
from umwelt.recipes.citations import PARTS, bibtex, entries, keys_of
from umwelt.recipes.dreamer_v3 import dreamer_v3
from umwelt.recipes.losse_mpc import losse_mpc
from umwelt.recipes.recipe import NEEDS, Recipe, lacking
from umwelt.worlds import Cartpole, CartpoleSwingup, Links, Pendulum, of, pictured

HOME = Path(recipes.__file__).parent
WORLDS = {"guard": Links(), "boxes": Pendulum(), "choices": Cartpole()}
CARDS = {name: ALL[name] for name in ALL}
SEEN = {"boxes": pictured(Pendulum()), "choices": pictured(Cartpole())}
FITS = [
    (name, kind)
    for name, card in CARDS.items()
    for kind in card.needs
    if kind in (*WORLDS, "pictures") and ("guard" not in card.needs or kind == "guard")
]
RHYTHM = Rhythm(random=0, learn_every=5, updates=1, chunk=20)
SMALL = {"planner.samples": 8, "planner.elites": 4, "planner.iterations": 1, "planner.horizon": 3, "batch": 8, "updates": 1,
         "length": 4, "memory.length": 4, "memory.bytes": 400_000, "horizon": 4, "starts": 4, "policy.units": 32,
         "learner.units": 32, "learner.window": 3, "model.units": 32, "model.model.units": 32,
         "model.model.deterministic": 32}  # fmt: skip
"""Fields of an agent that cost time and change no program but its sizes."""
SOON = {
    "sampling planner": "losse_mpc",
    "model-free": "dqn",
    "offline": "cloning",
    "on-policy": "ppo",
    "implicit planner": "tdmpc2",
    "dyna": "losse_dyna",
    "dreamer": "dreamer_v3",
    "sequences": "diffusion_bc",
}
"""Family -> the member that compiles soonest; the first by name where it does not matter."""


@pytest.mark.parametrize(("name", "kind"), FITS)
def test_a_recipe_keeps_the_contract_of_agents_in_every_world_of_its_card(name: str, kind: str) -> None:
    life = CARDS[name](SEEN[CARDS[name].needs[0]] if kind == "pictures" else WORLDS[kind])
    shown = varied(life, {"shown": ("a source",)}) if "data" in CARDS[name].needs else life
    assert lacking(CARDS[name], shown) == ""
    check.agent(life.agent, life.world.spec, depth="shapes").raise_if_broken()


@pytest.mark.parametrize("name", [name for name, card in CARDS.items() if "choices" in card.needs])
def test_a_recipe_of_choices_takes_a_simulator_or_refuses_it_in_a_sentence(name: str) -> None:
    world = of("gymnasium:CartPole-v1")
    with suppress(ValueError, TypeError):
        jax.eval_shape(lambda key: CARDS[name](world).agent.init(key, world.spec), jax.random.key(0))


@pytest.mark.parametrize("name", sorted(CARDS))
def test_a_card_is_complete_and_a_recipe_is_one_short_file(name: str) -> None:
    card, text = CARDS[name], (HOME / f"{name}.py").read_text()
    assert card.name == name
    assert card.family
    assert set(card.needs) <= set(NEEDS)
    assert {"boxes", "choices"} & set(card.needs)
    assert card.summary
    assert set(card.cites) <= set(entries())
    assert name == "random" or card.cites
    assert len(text.splitlines()) <= 40


@pytest.mark.parametrize(
    ("name", "size", "million"),
    [
        ("dreamer_v3", "0.5M", 0.5),
        ("dreamer_v3", "2M", 2.0),
        ("dreamer_v3", "12M", 12.0),
        ("dreamer_v3", "25M", 25.0),
        ("tdmpc2", "1M", 1.0),
        ("tdmpc2", "5M", 5.0),
    ],
)
def test_a_size_has_as_many_weights_as_it_says(name: str, size: str, million: float) -> None:
    world = CartpoleSwingup()
    agent = CARDS[name](world, size=size).agent
    state: Any = jax.eval_shape(lambda key: agent.init(key, world.spec), jax.random.key(0))
    # the dreamers' own count holds the predictors of their doubt; the published count of tdmpc2 has none
    dreams = name == "dreamer_v3"
    held = (state.model.inner.weights, state.model.network, state.policy.actor, state.policy.critic) if dreams else None
    weights = sum(leaf.size for leaf in jax.tree.leaves(held or state.model.inner.weights))
    assert weights / 1e6 == pytest.approx(million, rel=0.05 if dreams else 0.2)


def smaller(life: Life) -> Life:
    """The life with little to compute."""
    for path, value in SMALL.items():
        with suppress(ValueError):
            life = varied(life, {f"agent.{path}": value})
    return varied(life, {"rhythm": RHYTHM, "seeds": 2})


def learned_by(value: Any) -> list[str]:
    """Fingerprints of an agent's models, policies and learners."""
    agent = value[1].agent
    return [digest(getattr(agent, name)) for name in ("model", "policy", "learner") if hasattr(agent, name)]


@pytest.mark.parametrize("family", sorted({card.family for card in CARDS.values()}))
def test_one_life_of_a_family_learns_and_resumes_with_two_seeds(family: str, tmp_path: Path) -> None:
    name = SOON.get(family) or next(name for name, card in CARDS.items() if card.family == family)
    life = CARDS[name](Cartpole() if "boxes" not in CARDS[name].needs else Pendulum(time_limit=20))
    engine = Engine(smaller(life))
    value = engine.begin()
    before = learned_by(value)
    value, _ = engine.advance(value, RHYTHM.segment(0, 25))
    Saver(tmp_path, engine).save(20, value)
    ended, (_, learned) = engine.advance(value, RHYTHM.segment(20, 25))
    whole = digest(ended)
    assert learned_by(ended) != before or name == "random", f"{name} has learned nothing"
    found = Saver(tmp_path, engine).load()
    assert found is not None
    resumed, _ = engine.advance(found.value, RHYTHM.segment(20, 25))
    assert digest(resumed) == whole
    # the two seeds live apart, and what they learn is finite
    assert any(not np.array_equal(*np.asarray(leaf)) for leaf in jax.tree.leaves(ended[1].step.observation))
    for metric, values in learned.items():
        assert np.isfinite(values).all(), metric


def test_recipes_are_found_by_file_name_and_imported_when_they_are_asked_for() -> None:
    program = (
        "import sys, umwelt.recipes as r; found = r.names(); "
        "early = [name for name in found if f'umwelt.recipes.{name}' in sys.modules]; r.load('sac'); "
        "print(len(found), early, 'umwelt.recipes.sac' in sys.modules, 'umwelt.recipes.pets' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=120)
    assert done.stdout.split() == [str(len(CARDS)), "[]", "True", "False"], done.stderr
    assert {path.stem for path in HOME.glob("*.py")} - set(recipes.names()) == {"__init__", *recipes.TOOLS}
    assert "pet" not in ALL
    with pytest.raises(KeyError, match="pets"):
        recipes.load("pet")


def test_a_recipe_takes_a_size_of_its_own_only() -> None:
    assert CARDS["tdmpc2"](Pendulum(), size="1M").rhythm.updates == 1
    assert CARDS["tdmpc2"](Pendulum()).rhythm.updates == CARDS["tdmpc2"].rhythm.updates == 2
    with pytest.raises(ValueError, match="did you mean small"):
        CARDS["tdmpc2"](Pendulum(), size="smal")
    with pytest.raises(ValueError, match="one size"):
        CARDS["pets"](Pendulum(), size="1M")


def test_a_recipe_may_depend_on_its_world() -> None:
    learners = [type(CARDS["losse_dyna"](WORLDS[kind]).agent.learner).__name__ for kind in ("choices", "boxes")]  # type: ignore[attr-defined]
    assert learners == ["DQN", "SAC"]


# variations


def test_a_variation_changes_what_it_names_and_nothing_else_at_every_size() -> None:
    for size in dreamer_v3.sizes:
        base, changed = (CARDS[name](Pendulum(), size=size) for name in ("dreamer_v3", "harmony_dream"))
        assert changed.agent.model.model.balance == "harmony"  # type: ignore[attr-defined]
        assert varied(changed, {"agent.model.model.balance": "fixed"}) == base
    assert CARDS["harmony_dream"].family == "dreamer"
    assert CARDS["harmony_dream"].cites == ("harmony_dream_2024", *dreamer_v3.cites)


def test_a_path_leads_through_fields_and_tuples_and_names_its_neighbours() -> None:
    life = losse_mpc(Pendulum())
    assert varied(life, {"agent.planner.samples": 7}).agent.planner.samples == 7  # type: ignore[attr-defined]
    doubled = varied(life, {"agent.planner": around(lambda planner: (planner, planner)), "agent.planner.1.horizon": 3})
    assert [planner.horizon for planner in doubled.agent.planner] == [15, 3]  # type: ignore[attr-defined]
    with pytest.raises(ValueError, match=r"agent\.planner\.sample: ICEM has no field called 'sample'; did you mean samples"):
        varied(life, {"agent.planner.sample": 7})
    with pytest.raises(ValueError, match="int has no field called 'more'"):
        varied(life, {"agent.batch.more": 7})


# cards and worlds


@part
class Reached:
    """A world that says which goal an observation achieves."""

    inner: Any
    passes = ()

    @property
    def spec(self) -> Any:
        return self.inner.spec

    def achieved(self, observation: Any) -> Any:
        return observation


def test_what_a_world_lacks_is_one_sentence() -> None:
    assert "needs actions that are choices" in lacking(CARDS["dqn"], CARDS["sac"](Pendulum()))
    assert "reads no pictures" in lacking(CARDS["sac"], CARDS["sac"](pictured(Pendulum())))
    goals = vary(losse_mpc, {}, name="goals", summary="", needs=("choices", "goals"))
    assert "needs goals" in lacking(goals, goals(Cartpole()))
    assert lacking(goals, goals(Reached(inner=Cartpole()))) == ""  # type: ignore[arg-type]
    data = vary(losse_mpc, {}, name="data", summary="", needs=("boxes", "data"))
    assert "--shown" in lacking(data, data(Pendulum()))
    assert lacking(data, varied(data(Pendulum()), {"shown": ("a source",)})) == ""


# citations


def test_every_entry_has_a_title_a_year_and_a_place() -> None:
    text = (HOME / "references.bib").read_text()
    assert (Path(__file__).parents[1] / "docs" / "references.bib").read_text() == text
    assert len(entries()) == len(re.findall(r"^@", text, re.MULTILINE)) == len(set(entries()))
    for key, entry in entries().items():
        fields = dict(re.findall(r"^  (\w+) = \{(.*)\},$", entry, re.MULTILINE))
        assert fields["title"], key
        assert re.fullmatch(r"(19|20)\d\d", fields["year"]), key
        assert re.fullmatch(r"\d{4}\.\d{4,5}", fields.get("eprint", "")) or {"booktitle", "journal"} & set(fields), key
        assert entry.count("{") == entry.count("}"), key


def test_the_table_names_parts_that_exist_and_entries_that_exist() -> None:
    for path, keys in PARTS.items():
        room, _, name = path.partition(":")
        assert name in __import__(room, fromlist=["__all__"]).__all__, path
        assert set(keys) <= set(entries()), path
    for name, kind in library().items():
        assert set(vars(kind).get("cites", ())) <= set(entries()), name


@part
class Cited:
    """A part that names its own works."""

    inner: Any = Losse()
    cites = ("continuous_inspection_1954", "unknown_2099")


def test_a_recipe_cites_its_own_works_and_those_of_its_parts() -> None:
    assert keys_of(CARDS["bmpc"])[:2] == ("bmpc_2025", "tdmpc2_2024")
    assert {"plan2explore_2020", "mppi_2017"} <= set(keys_of(CARDS["bmpc"]))
    assert keys_of(CARDS["random"]) == ()
    assert keys_of(Cited()) == ("continuous_inspection_1954", "unknown_2099", "losse_2024", "online_agent_2025")
    printed = bibtex(keys_of(Cited()))
    assert printed.count("@") == 3
    assert "% unknown_2099" in printed


# other packages


def test_another_package_adds_recipes_by_entry_points(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "guests-1.0.dist-info"
    folder.mkdir()
    (folder / "METADATA").write_text("Metadata-Version: 2.1\nName: guests\nVersion: 1.0\n")
    (folder / "entry_points.txt").write_text("[umwelt.recipes]\nguest = guests:guest\nbad = guests:nothing_of_ours\n")
    (tmp_path / "guests.py").write_text(
        "from umwelt.recipes import vary\nfrom umwelt.recipes.sac import sac\n"
        "guest = vary(sac, {'agent.batch': 8}, name='guest', summary='a small sac')\nnothing_of_ours = 3\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    assert recipes.names()[-2:] == ("bad", "guest")
    assert isinstance(recipes.load("guest"), Recipe)
    assert ALL["guest"](Pendulum()).agent.batch == 8  # type: ignore[attr-defined]
    with pytest.raises(TypeError, match="no Recipe called bad"):
        recipes.load("bad")


def test_a_life_from_a_recipe_is_the_life_that_is_written_out() -> None:
    life = CARDS["random"](Pendulum())
    assert isinstance(life, Life)
    assert life.world == Pendulum()
    assert Engine(life).begin()[1].step.kind.shape == (1,)
    assert int(Engine(life).begin()[1].step.kind[0]) < TERMINATED
