"""What is wrong with the parts of a life that cannot begin, in the sentences of their checkers."""

from umwelt.life.composition import Life


def faults_of(life: Life) -> str:
    """The broken promises of a life's teacher, agent and signals of curiosity; empty where none is found. Nothing is
    compiled."""
    from umwelt import check
    from umwelt.core import layers

    spec = life.world.spec
    signals = [layer.curiosity for layer in layers(life.agent) if getattr(layer, "curiosity", None) is not None]
    reports = [check.curiosity(signal, depth="shapes") for signal in signals]
    reports.append(check.teacher(life.teacher, spec.task, life.world.tasks(), depth="shapes"))
    # an agent fails with the signal that it wears
    if all(reports):
        reports.append(check.agent(life.agent, spec, depth="shapes"))
    return "\n".join(str(report) for report in reports if not report)
