"""Emitters in a learned behaviour space: SERENE, whose novelty is that of TAXONS, as a recipe."""

from umwelt.behaviours import Looks
from umwelt.curiosity import Encoded, Novelty, Serene
from umwelt.recipes.serene import serene
from umwelt.recipes.variation import vary

stax = vary(
    serene,
    {
        "agent.search": Serene(search=Novelty(descriptor=Encoded(), surprise=True)),
        "agent.traits": Looks(number=3, every=66),
    },
    name="stax",
    summary="emitters in a behaviour space that is learned from three looks along an episode",
    cites=("stax_2021", "serene_2021"),
)
