"""Values of choices by a soft mixture of experts, which keeps a large network from being worse than a small one."""

from umwelt.core.contracts import World
from umwelt.life.composition import Life
from umwelt.recipes.dqn import dqn
from umwelt.recipes.recipe import recipe, shown_pictures
from umwelt.recipes.variation import varied


@recipe(
    summary="dqn whose last hidden layer is a soft mixture of eight experts",
    family="model-free",
    needs=("choices", "pictures"),
    cites=("soft_moe_2024", "soft_mixtures_2023"),
    budget="40,000 decisions",
)
def soft_moe(world: World) -> Life:
    changes = {"agent.learner.experts": 8, "agent.learner.units": 256}
    # behind convolutions the mixture is all that is hidden, as published
    return varied(dqn.make(world), {**changes, "agent.learner.layers": 1 if shown_pictures(world) else 2})
