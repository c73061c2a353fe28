"""`umwelt cite`: what to cite."""

import json
from typing import Annotated

import tyro

from umwelt.cli.options import UsageError, parse
from umwelt.core import part

DESCRIPTION = """Print the BibTeX of the works that recipes follow: those of the recipe itself first, then those of the
parts that it is composed of. A recipe is a name of `umwelt list`, or module:name of your own.

  umwelt cite tdmpc2 >> paper.bib"""


@part
class Command:
    """What `umwelt cite` takes."""

    recipe: Annotated[tyro.conf.Positional[tuple[str, ...]], tyro.conf.arg(metavar="RECIPE [RECIPE ...]")]
    """Names of recipes."""
    json: bool = False
    """Print one JSON object in place of words: the keys of each recipe, and the entries."""


def run(arguments: list[str]) -> int:
    """Print the entries."""
    from umwelt.cli.names import recipe_of
    from umwelt.recipes.citations import bibtex, entries, keys_of

    command = parse(Command, None, arguments, "umwelt cite", DESCRIPTION)
    if not command.recipe:
        raise UsageError("name at least one recipe, such as `umwelt cite pets`; `umwelt list` shows them")
    cited = {name: keys_of(recipe_of(name)) for name in dict.fromkeys(command.recipe)}
    keys = tuple(dict.fromkeys(key for found in cited.values() for key in found))
    if command.json:
        print(json.dumps({"recipes": cited, "entries": {key: entries().get(key, "") for key in keys}}))
        return 0
    print("\n".join(f"% {name}: {', '.join(found) or 'nothing to cite'}" for name, found in cited.items()))
    if keys:
        print("\n" + bibtex(keys))
    return 0
