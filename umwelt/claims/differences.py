"""What two arms differ by, and nothing else."""

from typing import Any

from umwelt.claims.arms import Arm
from umwelt.life.folder import expression

NOTHING = "-"


def differences(first: Arm, other: Arm) -> list[tuple[str, str, str]]:
    """Return (path, in the first arm, in the other one) of every field that differs, as `varied` would name it."""
    return _walk("", expression.write(first), expression.write(other))


def _walk(path: str, first: Any, other: Any) -> list[tuple[str, str, str]]:
    if first == other:
        return []
    if isinstance(first, dict) and isinstance(other, dict):
        if "fields" in first and first.get("part") == other.get("part"):
            return _inside(path, first["fields"], other["fields"])
        if "tuple" in first and "tuple" in other and len(first["tuple"]) == len(other["tuple"]):
            pairs = enumerate(zip(first["tuple"], other["tuple"], strict=True))
            return [row for index, pair in pairs for row in _walk(_joined(path, str(index)), *pair)]
    return [(path or "the arm", short(first), short(other))]


def _inside(path: str, first: dict[str, Any], other: dict[str, Any]) -> list[tuple[str, str, str]]:
    names = dict.fromkeys((*first, *other))
    return [row for name in names for row in _walk(_joined(path, name), first.get(name), other.get(name))]


def _joined(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def short(written: Any) -> str:
    """Write an expression in a few words: a part by its name, with its fields where there are few."""
    if written is None:
        return NOTHING
    if isinstance(written, dict) and "part" in written:
        name = written["part"].partition(":")[2]
        fields = ", ".join(f"{key}={short(value)}" for key, value in written["fields"].items())
        return f"{name}({fields})" if len(fields) <= 60 else f"{name}(...)"
    if isinstance(written, dict) and "tuple" in written:
        return "(" + ", ".join(short(each) for each in written["tuple"]) + ")"
    if isinstance(written, dict) and "name" in written:
        return written["name"].partition(":")[2]
    if isinstance(written, dict) and "array" in written:
        return str(written["array"])
    return str(written)
