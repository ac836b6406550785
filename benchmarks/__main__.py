"""Run the benchmarks and print a table: ``python -m benchmarks [--quick] [NAME ...]``.

With BENCH_JSON=FILE the numbers are written there, too:
``{name: {"ratio": …, "spread": …, "ours_s": …, "plain_s": …}}``.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
from pathlib import Path

NAMES = (
    "fit",
    "predict",
    "scan",
    "preselect",
    "read",
    "simulate",
    "workers",
    "interactive",
    "compare",
    "parameterised",
    "imports",
    "course",
)
HELD = {
    "fit": 20,
    "products": 0.4,
    "predict": 50,
    "scan": 50,
    "preselect": 15,
    "read": 0.67,
    "stream": 0.67,
    "stream_2025": 0.67,
    "simulate_ggH": 0.77,
    "simulate_llll": 0.77,
    "workers": 1.8,
    "interactive": 4,
    "compare": 1,
    "parameterised": 4,
    "parameterised_loader": 20,
    "parameterised_products": 0.71,
    "imports_chapter1": 1,
    "imports_project": 1,
    "imports_seconds": 1,
    "course": 1.6,
}
"""The smallest ratio that the course promises at full size."""


def main(arguments: list[str] | None = None) -> None:
    """Run what is asked for."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    parser = argparse.ArgumentParser(prog="benchmarks", description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(NAMES)}; all by default")
    parser.add_argument("--quick", action="store_true", help="few events: to see that it runs, not how fast")
    chosen = parser.parse_args(arguments)
    unknown = sorted(set(chosen.names) - set(NAMES))
    if unknown:
        parser.error(f"there is no benchmark {', '.join(unknown)}; choose from {', '.join(NAMES)}")

    from rich.console import Console
    from rich.table import Table

    from benchmarks.made_up import FULL, QUICK
    from factory.generator import SimulationError
    from labcourse.files import atomic_write

    console = Console(width=None if os.isatty(1) else 120)
    results = {}
    for name in chosen.names or NAMES:
        with console.status(f"measuring {name}"):
            try:
                results |= importlib.import_module(f"benchmarks.{name}").run(QUICK if chosen.quick else FULL)
            except SimulationError as error:
                console.print(f"{name} is left out: {error.what}")
    table = Table("name", "ratio", "spread", "held", "ours", "plain", "what", title="plain time / ours")
    for name, result in results.items():
        held = f"≥ {HELD[name]:g}" if name in HELD else ""
        if not chosen.quick and result.ratio < HELD.get(name, 0):
            held += " missed"
        numbers = (f"{result.ratio:.3g}", f"{result.spread:.2g}", held)
        table.add_row(name, *numbers, f"{result.ours_s:.3g} s", f"{result.plain_s:.3g} s", result.note)
    console.print(table)
    if path := os.environ.get("BENCH_JSON"):
        kept = {name: {k: v for k, v in r._asdict().items() if k != "note"} for name, r in results.items()}
        atomic_write(Path(path), lambda temporary: temporary.write_text(json.dumps(kept, indent=2) + "\n"))


if __name__ == "__main__":
    main()
