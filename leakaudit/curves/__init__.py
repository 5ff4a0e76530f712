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
    "metrics.json",
    "scalars.json",
    "trainer_log.jsonl",
    "log.txt",
    "train.log",
    "training_log.txt",
    "leakaudit.csv",
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
    """The usual file of a folder, where it has one, or its MLflow store."""
    for name in USUAL_NAMES:
        path = source.path / name
        if path.is_file():
            return Source(path, str(Path(source.shown) / name))
    store = source.path / "mlruns"
    return Source(store, str(Path(source.shown) / "mlruns")) if store.is_dir() else source


BINARY: tuple[tuple[bytes, str], ...] = (
    (b"\x80\x02", "a pickle"),
    (b"\x80\x03", "a pickle"),
    (b"\x80\x04", "a pickle"),
    (b"\x80\x05", "a pickle"),
    (b"\x89HDF", "HDF5 (weights or arrays)"),
    (b"\x93NUMPY", "a NumPy array"),
    (b"PK\x03\x04", "a zip archive (as torch.save and Excel write)"),
    (b":W&B", "W&B's own format"),
)
"""First bytes of what is no text. A pickle runs code when it is opened: it never is."""

EXPORT = "write the history as JSON or csv, or export the run from the web page"


def _empty_folder(source: Source) -> str:
    if next(source.path.glob("wandb/*/*.wandb"), None) or next(source.path.glob("*/*.wandb"), None):
        return f"{source.shown}: holds runs in W&B's own format only; {EXPORT}"
    told = ", ".join(USUAL_NAMES)
    return (
        f"{source.shown}: no training history in this folder; looked for TensorBoard event files, MLflow runs, {told}"
    )


def _other_kind(head: bytes) -> str:
    """What a file is that is no text, from its first bytes, and what to do."""
    if head.startswith(b"version https://git-lfs"):
        return "a pointer of Git LFS, not the file: fetch it with `git lfs pull`"
    kind = next((kind for first, kind in BINARY if head.startswith(first)), "")
    return f"{kind}, which is not opened; {EXPORT}" if kind else ""


def _unrecognised(source: Source) -> str:
    if source.is_dir:
        return _empty_folder(source)
    if not source.head:
        return f"{source.shown}: is empty"
    if told := _other_kind(source.head):
        return f"{source.shown}: is {told}"
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
