"""Recipes: one file is one published system as one expression, with its citation and what to expect."""

from umwelt.recipes.bmpc import bmpc
from umwelt.recipes.dqn import dqn
from umwelt.recipes.dreamer_v3 import dreamer_v3
from umwelt.recipes.harmony_dream import harmony_dream
from umwelt.recipes.losse_dyna import losse_dyna
from umwelt.recipes.losse_experts import losse_experts
from umwelt.recipes.losse_mpc import losse_mpc
from umwelt.recipes.mbpo import mbpo
from umwelt.recipes.mudreamer import mudreamer
from umwelt.recipes.pets import pets
from umwelt.recipes.random import random
from umwelt.recipes.recipe import Recipe
from umwelt.recipes.sac import sac
from umwelt.recipes.tdmpc2 import tdmpc2

ALL: dict[str, Recipe] = {
    recipe.name: recipe
    for recipe in (
        pets,
        losse_mpc,
        losse_experts,
        tdmpc2,
        bmpc,
        dreamer_v3,
        mudreamer,
        harmony_dream,
        mbpo,
        losse_dyna,
        sac,
        dqn,
        random,
    )
}

__all__ = [
    "ALL",
    "Recipe",
    "bmpc",
    "dqn",
    "dreamer_v3",
    "harmony_dream",
    "losse_dyna",
    "losse_experts",
    "losse_mpc",
    "mbpo",
    "mudreamer",
    "pets",
    "random",
    "sac",
    "tdmpc2",
]
