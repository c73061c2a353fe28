"""The claims, one file for each recipe or part. Every `Claim` at the top of a module of this folder is found here."""

import difflib
import importlib
import pkgutil
from functools import cache

from umwelt.claims.claim import Claim
from umwelt.recipes.plugins import plugins


@cache
def homes() -> dict[str, tuple[Claim, str]]:
    """Import all claims: name -> (claim, name of its module), by name. Two claims of one name are a ValueError."""
    modules = [importlib.import_module(f"{__name__}.{found.name}") for found in pkgutil.iter_modules(__path__)]
    modules += [point.load() for point in plugins("claims").values()]
    found: dict[str, tuple[Claim, str]] = {}
    for module in modules:
        for claim in (each for each in vars(module).values() if isinstance(each, Claim)):
            if found.setdefault(claim.name, (claim, module.__name__))[0] is not claim:
                raise ValueError(f"{module.__name__}: there are two claims called {claim.name!r}; give one another name")
    return dict(sorted(found.items()))


def claims() -> dict[str, Claim]:
    """Return all claims by name."""
    return {name: claim for name, (claim, _) in homes().items()}


def names() -> tuple[str, ...]:
    """Return the names of all claims."""
    return tuple(claims())


def load(name: str) -> Claim:
    """Return the claim called `name`; an unknown name is a KeyError that names the nearest ones."""
    if name not in claims():
        near = difflib.get_close_matches(name, names(), 3)
        hint = f"did you mean {' or '.join(near)}?" if near else "`umwelt show` lists them"
        raise KeyError(f"there is no claim called {name!r}; {hint}")
    return claims()[name]
