"""Training histories: readers of what other tools log, and rules over them. A format is one file and one line here."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from leakaudit.curves import (
    any_csv,
    boosting,
    catboost,
    fastai,
    hf_trainer,
    json_lines,
    json_lists,
    keras_csv,
    lightning,
    mlflow,
    notebook,
    recorded,
    skorch,
    tensorboard,
    timm,
    ultralytics,
    wandb,
    wandb_csv,
)
from leakaudit.curves.console import reader as console
from leakaudit.curves.options import Options, of_sets
from leakaudit.curves.reader import Reader
from leakaudit.curves.source import Source, open_source
from leakaudit.errors import ConfigError, InputError

if TYPE_CHECKING:
    from leakaudit.history import History

READERS = (
    tensorboard.READER,
    wandb.READER,
    mlflow.READER,
    hf_trainer.READER,
    catboost.READER,
    skorch.READER,
    boosting.READER,
    notebook.READER,
    json_lists.READER,
    json_lines.READER,
    recorded.READER,
    wandb_csv.READER,
    lightning.READER,
    ultralytics.READER,
    fastai.READER,
    timm.READER,
    keras_csv.READER,
    any_csv.READER,
    console.READER,
)
"""In the order in which they are asked; the first that recognises a file reads it."""

USUAL_NAMES = (
    "trainer_state.json",
    "metrics.csv",
    "results.csv",
    "summary.csv",
    "history.csv",
    "history.json",
    "training.log",
    "catboost_training.json",
)
"""Of a folder without a store of its own, the first of these files is read."""


def read(path: str | os.PathLike[str], options: Options | None = None) -> list[History]:
    """Read the histories at a path, whatever the format.

    Parameters
    ----------
    path : str or path-like
        A file, or a folder that a training tool wrote.
    options : Options, optional
        What the file does not say.

    Returns
    -------
    list of History
        At least one.

    Raises
    ------
    InputError
        Nothing is there, nothing is recognised, or it holds no loss and no accuracy.
    ConfigError
        The options do not fit the file, or it does not say what it must.
    """
    options = options or Options()
    source = open_source(path)
    if source.is_dir:
        source = _inside(source)
    reader = _reader(source, options)
    for option in ("columns", "train_set"):
        if getattr(options, option) and option not in reader.takes:
            flag = option.replace("_", "-")
            raise ConfigError(f"--{flag} does not apply to {source.shown}: its format ({reader.name}) says it all")
    histories = reader.read(source, options)
    return histories if "val_sets" in reader.takes else of_sets(histories, options, source)


def _reader(source: Source, options: Options) -> Reader:
    """The first reader that recognises the source; a csv whose columns the user names is read as such."""
    if options.columns and source.table is not None and not lightning.READER.sniff(source):
        return any_csv.READER
    for reader in READERS:
        if reader.sniff(source):
            return reader
    raise InputError(_unrecognised(source))


def _inside(source: Source) -> Source:
    """The usual file of a folder, where it has one."""
    for name in USUAL_NAMES:
        path = source.path / name
        if path.is_file():
            return Source(path, str(Path(source.shown) / name))
    return source


def _unrecognised(source: Source) -> str:
    if source.is_dir:
        told = ", ".join(USUAL_NAMES)
        looked_for = f"looked for TensorBoard event files, MLflow runs, {told}"
        return f"{source.shown}: no training history in this folder; {looked_for}"
    if not source.head:
        return f"{source.shown}: is empty"
    if source.json_error:
        return source.json_error
    if source.table is not None:
        names = ", ".join(source.table.names[:12])
        return (
            f"{source.shown}: no column is recognised as a loss or an accuracy; there are: {names}. "
            "Name them with --columns epoch=…,train_loss=…,val_loss=…"
        )
    told = "; ".join(reader.looks_for for reader in READERS)
    return f"{source.shown}: is no training history that is known; looked for: {told}"


__all__ = ["READERS", "ConfigError", "InputError", "Options", "read"]
