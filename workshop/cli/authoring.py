"""``labcourse build`` and ``labcourse answers``: for those who change and teach the course."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from labcourse import settings
from labcourse.errors import BadInput
from workshop.cli.printing import Chapters, Json, print_json

BUILD = (
    "Examples: labcourse build · labcourse build 3 · labcourse build --check · labcourse build 1 2 --nbgrader ~/class"
)
ANSWERS = "Examples: labcourse answers · labcourse answers 3 > answers.md · labcourse answers --json"


def build(
    chapters: Chapters = None,
    check: Annotated[bool, typer.Option("--check", help="Write nothing; exit status 1 if out of step.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Overwrite notebooks in which cells were run.")] = False,
    nbgrader: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Write a course tree for nbgrader to this folder instead.")
    ] = None,
) -> None:
    """Build notebooks/ and solutions/ from course/, or a course tree for nbgrader.

    Outputs of a solution are kept while its code is unchanged.
    """
    from workshop.authoring import build as building
    from workshop.authoring import nbgrader as tree

    home = settings.home()
    if check:
        if nbgrader is not None:
            raise BadInput("--check says nothing about nbgrader's tree.", next_step="Leave one of both options out.")
        problems = building.check(home)
        print("\n".join(problems) if problems else "course/, notebooks/ and solutions/ are in step")
        raise typer.Exit(1 if problems else 0)
    if nbgrader is not None:
        results = tree.build_tree(home, nbgrader, chapters or (), force=force)
    else:
        results = building.build(home, chapters or (), force=force)
    for built in results:
        note = f"  ({built.note})" if built.note else ""
        print(f"{built.state:<10}{built.path.relative_to(nbgrader or home)}{note}")


def answers(chapters: Chapters = None, as_json: Json = False) -> None:
    """Print the course's answers to the exercises in words, as Markdown: for those who grade them."""
    from workshop.authoring import answers as words

    found = words.read(settings.home(), chapters or ())
    if as_json:
        print_json([answer._asdict() for answer in found])
    else:
        print(words.as_markdown(found))
