"""dqn whose gradient steps are noisy in place of its actions: weights as draws from a posterior."""

from umwelt.networks.noisy_steps import Langevin
from umwelt.recipes.dqn import dqn
from umwelt.recipes.variation import vary

langevin = vary(
    dqn,
    {
        "agent.learner.optimiser": Langevin(),
        "agent.learner.learning_rate": 1e-3,
        "agent.learner.final_epsilon": 0.0,
        "agent.learner.epsilon_updates": 1,
    },
    name="langevin",
    summary="dqn with noise in its gradient steps (Langevin Monte Carlo), and greedy actions",
    cites=("langevin_2024",),
)
