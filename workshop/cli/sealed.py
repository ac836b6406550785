"""``labcourse sealed …``: the project's files that hide an A, or not."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from labcourse import settings

app = typer.Typer(
    help="The project's sealed data: make new ones, and say what they hide (for instructors).", no_args_is_help=True
)
Key = Annotated[str, typer.Option(help="The phrase that decides what the files hide.", prompt=True)]
Folder = Annotated[Path | None, typer.Option("--folder", help="Folder of the sealed files; data/azh by default.")]


@app.command()
def make(
    independent: Annotated[Path, typer.Argument(help="Folder that `simulate azh --independent` has written.")],
    key: Key,
    folder: Folder = None,
) -> None:
    """Draw new sealed files from independent backgrounds (needs the extra `simulate`; a minute).

    Example: labcourse sealed make ~/azh-independent --key "a phrase of your own"
    """
    from factory.azh import sealed

    print(f"complete: {sealed.write(sealed.read(independent), folder or settings.data_folder() / 'azh', key)}")


@app.command()
def reveal(
    number: Annotated[int, typer.Argument(help="The number in the file's name.")],
    key: Key,
    folder: Folder = None,
) -> None:
    """Say what a sealed file hides, given the phrase that it was made with.

    Example: labcourse sealed reveal 2 --key "the phrase"
    """
    from factory.azh import sealed

    found = sealed.reveal(number, key, folder or settings.data_folder() / "azh")
    print(f"an A of {found.mass} GeV, {found.cross_section:g} pb" if found else "no signal")
