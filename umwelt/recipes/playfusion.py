"""PlayFusion: chunks of play are denoised, given what is seen and the words that it was labelled with.

The words are the last numbers of an observation, as many as `agent.learner.words`; without any it learns from play alone.
"""

from umwelt.behaviours import DenoisedPlay
from umwelt.memory import Trajectories
from umwelt.recipes.bet import bet
from umwelt.recipes.variation import vary

playfusion = vary(
    bet,
    {"agent.learner": DenoisedPlay(words=0, word_codes=0), "agent.memory": Trajectories(length=5), "agent.batch": 128},
    name="playfusion",
    summary="play is denoised in chunks, through a vocabulary of words and of skills",
    cites=("playfusion_2023",),
)
