"""A prior of behaviour from much that was watched and little that was labelled."""

from umwelt.behaviours import Labelled
from umwelt.life.rhythm import Rhythm
from umwelt.recipes.abco import abco
from umwelt.recipes.variation import vary

vpt = vary(
    abco,
    {"agent": Labelled(mix="none", window=4), "rhythm": Rhythm(study=6000, random=0, updates=1, chunk=100)},
    name="vpt",
    summary="cloning of watched episodes, labelled by a model that learned from a few with actions and reads what comes later",
    cites=("vpt_2022",),
)
