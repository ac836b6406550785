"""The SQLite file of a search over settings: opened where it was asked for, or one error that says why not."""

from __future__ import annotations

import errno
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from labcourse.errors import BadFile, StorageError

if TYPE_CHECKING:
    import optuna

EVERY = 3
"""Epochs between two looks at a trial."""
HEARTBEAT, GRACE, PATIENCE = 10, 60, 60
"""Seconds between two signs of life of a trial, after which one without is given up, and that workers wait to write."""


def load(path: Path | str) -> optuna.Study:
    """Open a study, or begin one.

    Raises
    ------
    BadFile
        If the file is none.
    StorageError
        If the disk refuses: the folder cannot be made or written, or another program holds the file.
    """
    import optuna
    import sqlalchemy

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    path = Path(path).absolute()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.is_dir():
            raise IsADirectoryError(errno.EISDIR, "it is a folder")
    except OSError as error:
        raise _refused(path, error.strerror) from error
    try:
        with one_error(path), warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)  # of signs of life
            storage = optuna.storages.RDBStorage(
                # As plain text, a path would end at its first question mark.
                sqlalchemy.URL.create("sqlite", database=str(path)).render_as_string(),
                # Several workers write: they wait for each other.
                engine_kwargs={"connect_args": {"timeout": PATIENCE}},
                heartbeat_interval=HEARTBEAT,
                grace_period=GRACE,
            )
            study = optuna.create_study(
                study_name="parameterised",
                storage=storage,
                direction="maximize",
                load_if_exists=True,
                pruner=optuna.pruners.MedianPruner(n_startup_trials=5, n_warmup_steps=EVERY),
            )
            study.get_trials(deepcopy=False)  # what cannot be read is said now, and not in the middle
    except (RuntimeError, ValueError, LookupError, TypeError) as error:  # of another version of Optuna, or damaged
        raise _no_search(path) from error
    return study


@contextmanager
def one_error(path: Path) -> Iterator[None]:
    """Raise as StorageError what the disk refuses, and as BadFile what the database cannot read."""
    import optuna
    import sqlalchemy

    try:
        yield
    except (sqlalchemy.exc.SQLAlchemyError, optuna.exceptions.StorageInternalError) as error:
        # Optuna wraps an error of SQLAlchemy, which wraps one of SQLite.
        cause = error.__cause__ if isinstance(error, optuna.exceptions.StorageInternalError) else error
        cause = getattr(cause, "orig", cause)
        if re.search("unable to open|readonly|locked|disk I/O|is full|locking protocol", str(cause)):
            raise _refused(path, str(cause)) from error
        raise _no_search(path) from error


def _refused(path: Path, why: str | None) -> StorageError:
    return StorageError(
        f"The search cannot be kept in {path.name}: {why}.",
        where=str(path),
        next_step="Give a file in a folder of a local disk that you may write to, and that no other program holds.",
    )


def _no_search(path: Path) -> BadFile:
    return BadFile(
        "The file is not a search that can be continued.",
        where=str(path),
        next_step="Give another name, or delete the file to begin anew.",
    )
