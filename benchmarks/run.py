"""Every benchmark of this folder beside the machine's own limits, measured in the same run.

`python -m benchmarks.run` runs all, prints a table and writes `benchmarks/results.json`;
`python -m benchmarks.run planning memory` runs some and only prints.

A benchmark is a module here with `run(rates)` or `run()`; rates is {"matmul": GFLOP/s, "memory": GB/s}.
It returns {name: {"value": float, "unit": str, "share": float | None, "of": "matmul" | "memory" | None,
"note": str}}. {name: number} and {name: {figure: number}} are read too, as figures without a limit.
"""

import datetime
import importlib
import inspect
import json
import os
import pkgutil
import platform
import sys
from importlib.metadata import version
from numbers import Real
from pathlib import Path
from typing import Any

import jax
from rich.console import Console
from rich.table import Table

import umwelt
from benchmarks import machine

FOLDER = Path(__file__).parent
UNITS = ("microseconds", "milliseconds", "seconds", "bytes_per_second", "share")


def modules() -> list[str]:
    """The names of the modules in this folder, but for this one and those that help it."""
    return sorted(found.name for found in pkgutil.iter_modules([str(FOLDER)]) if found.name not in ("run", "machine", "products"))


def figures(module: str, result: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """What a module returned, each figure in full and under a name that begins with the module's."""
    found = {}
    for name, content in result.items():
        full = name if name.startswith(module) else f"{module}: {name}"
        if isinstance(content, Real):
            found[full] = _figure(name, {"value": content})
        elif "value" in content:
            found[full] = _figure(name, content)
        else:
            found |= {f"{full}: {inner}": _figure(inner, {"value": value}) for inner, value in content.items()}
    return found


def _figure(name: str, content: dict[str, Any]) -> dict[str, Any]:
    share = content.get("share", content.get("limit_share"))
    return {
        "value": float(content["value"]),
        "unit": content.get("unit", next((unit for unit in UNITS if unit in name), "")),
        "share": None if share is None else float(share),
        "of": content.get("of"),
        "note": content.get("note", ""),
    }


def measure(name: str, rates: dict[str, float]) -> dict[str, dict[str, Any]]:
    """The figures of one module; none where it is no benchmark."""
    module = importlib.import_module(f"benchmarks.{name}")
    if not hasattr(module, "run"):
        return {}
    takes_rates = "rates" in inspect.signature(module.run).parameters
    return figures(name, module.run(rates) if takes_rates else module.run())


def table(rates: dict[str, float], found: dict[str, dict[str, Any]]) -> Table:
    """The figures, and their shares of the limits."""
    limits = ", ".join([f"products {rates['matmul']:.0f} GFLOP/s", f"memory {rates['memory']:.1f} GB/s"])
    made = Table("figure", "value", "unit", "of the limit", "note", title=f"Limits of this machine: {limits}")
    for name, figure in found.items():
        share = "" if figure["share"] is None else f"{figure['share']:.0%} of {figure['of'] or 'its limit'}"
        made.add_row(name, f"{figure['value']:,.5g}", figure["unit"], share, figure["note"])
    return made


def main(names: list[str]) -> None:
    """Run the benchmarks named, or all of them."""
    unknown = sorted(set(names) - set(modules()))
    if unknown:
        raise SystemExit(f"no benchmark {', '.join(unknown)}; there are {', '.join(modules())}")
    terminal = Console().is_terminal
    console = Console(width=None if terminal else 160)
    rates = machine.rates()
    found: dict[str, dict[str, Any]] = {}
    for name in names or modules():
        console.print(f"{name} ...")
        found |= measure(name, rates)
    console.print(table(rates, found))
    if names:
        return
    record = {
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "versions": {"umwelt": umwelt.__version__, "python": platform.python_version()}
        | {name: version(name) for name in ("jax", "jaxlib", "numpy")},
        "cores": os.cpu_count(),
        "device": jax.default_backend(),
        "limits": {"matmul GFLOP/s": rates["matmul"], "memory GB/s": rates["memory"]},
        "figures": found,
    }
    (FOLDER / "results.json").write_text(json.dumps(record, indent=2) + "\n")
    console.print("written to benchmarks/results.json")


if __name__ == "__main__":
    main(sys.argv[1:])
