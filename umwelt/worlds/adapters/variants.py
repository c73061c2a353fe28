"""Make tasks of a hosted world from several names, or several sets of options."""

import json
from typing import Any


def listed(text: str, field: str) -> tuple[str, ...]:
    """The names between commas."""
    names = tuple(name.strip() for name in text.split(",") if name.strip())
    if not names or len(set(names)) < len(names):
        raise ValueError(f"{field} must give names that differ, with commas between; it is {text!r}")
    return names


def crossed(names: tuple[str, ...], options: str) -> dict[str, tuple[str, str]]:
    """Task name -> (name, its options as JSON).

    One set of options goes with every name; a list of sets goes with one name, or has one set for
    each name.
    """
    try:
        given = json.loads(options)
    except json.JSONDecodeError as error:
        raise ValueError(f"""options must be JSON, such as '{{"g": 5.0}}'; it is {options!r} ({error})""") from error
    sets = given if isinstance(given, list) else [given]
    if not sets or not all(isinstance(entry, dict) for entry in sets):
        raise ValueError(f"""options must be a JSON object or a list of objects, such as '[{{"g": 5.0}}]'; it is {options!r}""")
    if len(names) > 1 and len(sets) not in (1, len(names)):
        raise ValueError(f"options has {len(sets)} sets for {len(names)} names: give one set, or one for each name")
    count = max(len(names), len(sets))
    pairs = [(names[i % len(names)], sets[i % len(sets)]) for i in range(count)]
    made = {titled_by(name, entry, count > len(names)): (name, json.dumps(entry)) for name, entry in pairs}
    if len(made) < count:
        raise ValueError(f"options holds the same set twice: {options!r}")
    return made


def titled(made: dict[str, tuple[str, str]], titles: str) -> dict[str, tuple[str, str]]:
    """The same variants under names of one's own, where there are any."""
    names = listed(titles, "titles") if titles else tuple(made)
    if len(names) != len(made):
        raise ValueError(f"titles gives {len(names)} names for {len(made)} variants ({', '.join(made)}): give one for each")
    return dict(zip(names, made.values(), strict=True))


def titled_by(name: str, options: dict[str, Any], tell: bool) -> str:
    """What a variant is called; tell: with its options."""
    words = [f"{option}={value}" for option, value in options.items()]
    return " ".join([name, *words]) if tell else name
