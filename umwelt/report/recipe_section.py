"""The recipe of a life, from recipe.json: as text, by a short name, and what differs between two."""

import json
import re
from typing import Any

KEPT_APART = ("seed", "seeds")
"""Fields of a life that make it another run of the same recipe."""


def expression(written: Any, indent: int = 0) -> str:
    """Turn the JSON of an expression into Python."""
    space = "    " * (indent + 1)
    if isinstance(written, dict) and "part" in written:
        fields = [f"{space}{name}={expression(value, indent + 1)},\n" for name, value in written.get("fields", {}).items()]
        return f"{_last(written['part'])}(\n{''.join(fields)}{'    ' * indent})" if fields else f"{_last(written['part'])}()"
    if isinstance(written, dict) and "tuple" in written:
        inner = [expression(value, indent + 1) for value in written["tuple"]]
        return f"({', '.join(inner)}{',' if len(inner) == 1 else ''})"
    if isinstance(written, dict) and "name" in written:
        return _last(written["name"])
    if isinstance(written, dict) and "array" in written:
        return f"array({json.dumps(written['array'])})"
    return repr(written)


def recipe_name(description: dict[str, Any]) -> str:
    """Make a short name: the recipe and world of the command, or the names of the parts."""
    command = str(description.get("command", ""))
    named = [found[1] for option in ("recipe", "world", "stream") if (found := re.search(rf"--{option}[ =](\S+)", command))]
    if named:
        return " on ".join(named)
    fields = _fields(description)
    parts = [
        _last(fields[name]["part"])
        for name in ("agent", "world")
        if isinstance(fields.get(name), dict) and "part" in fields[name]
    ]
    return " on ".join(parts) or "unknown"


def sameness(description: dict[str, Any]) -> str:
    """A text that is equal for lives of one recipe: their expressions without the seeds."""
    life = description.get("life")
    if not isinstance(life, dict):
        return ""
    fields = {name: value for name, value in _fields(description).items() if name not in KEPT_APART}
    return json.dumps({**life, "fields": fields, "end": description.get("end")}, sort_keys=True)


def differences(descriptions: list[dict[str, Any]]) -> dict[str, list[str]]:
    """The settings in which lives differ: dotted name -> the value of each."""
    flat = [{**_flat(_fields(each), ""), "end": repr(each.get("end"))} for each in descriptions]
    names = dict.fromkeys(name for each in flat for name in each)
    found = {name: [each.get(name, "-") for each in flat] for name in names}
    return {name: values for name, values in found.items() if len(set(values)) > 1 and name not in KEPT_APART}


def _fields(description: dict[str, Any]) -> dict[str, Any]:
    life = description.get("life")
    fields = life.get("fields") if isinstance(life, dict) else None
    return fields if isinstance(fields, dict) else {}


def _flat(fields: dict[str, Any], prefix: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, value in fields.items():
        if isinstance(value, dict) and "part" in value:
            found[prefix + name] = _last(value["part"])
            found |= _flat(value.get("fields", {}), f"{prefix}{name}.")
        else:
            found[prefix + name] = expression(value)
    return found


def _last(path: Any) -> str:
    return str(path).rpartition(":")[2]
