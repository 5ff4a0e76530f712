"""A W&B run history as parquet (the ``history`` artifact, ``0000.parquet``): sparse columns over ``_step``.

Only numeric columns are read; nulls are values that were not logged at that step.

References
----------
https://docs.wandb.ai/guides/track/public-api-guide (``scan_history``, history artifacts)
"""

from __future__ import annotations

from leakaudit.curves.build import About
from leakaudit.curves.log import Log, histories
from leakaudit.curves.names import words
from leakaudit.curves.numbers import number
from leakaudit.curves.options import Options
from leakaudit.curves.reader import Reader
from leakaudit.curves.source import Source
from leakaudit.errors import InputError
from leakaudit.history import History

ABOUT = About("wandb-parquet", "epoch_mean")
MOST_ROWS = 20_000_000


def sniff(source: Source) -> bool:
    """A parquet file."""
    return source.head.startswith(b"PAR1")


def read(source: Source, options: Options) -> list[History]:
    """One history a validation set."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(source.path) as file:
            if file.metadata.num_rows > MOST_ROWS:
                raise InputError(f"{source.shown}: has {file.metadata.num_rows:,} rows, more than {MOST_ROWS:,}")
            numeric = [
                field.name
                for field in file.schema_arrow
                if pa.types.is_integer(field.type) or pa.types.is_floating(field.type)
            ]
            table = file.read(columns=numeric)
    except (pa.ArrowException, OSError) as error:
        raise InputError(f"{source.shown}: is no readable parquet file: {error}") from error
    columns = {name: table.column(name).to_pylist() for name in table.column_names}
    n = table.num_rows
    raw = columns.get("_step", list(range(n)))
    steps = [float(step) if step is not None else None for step in raw]
    series: dict[str, dict[float, float]] = {}
    for name, values in columns.items():
        points = {s: number(v) for s, v in zip(steps, values, strict=True) if s is not None and v is not None}
        if points and not name.startswith("_"):
            series[name] = points
    epoch = next((name for name in series if words(name)[-1:] == ["epoch"]), None)
    epochs = dict(sorted(series[epoch].items())) if epoch else {}
    return histories(source, ABOUT, options, Log(series, epochs))


READER = Reader("wandb-parquet", "a parquet file with _step (W&B history)", sniff, read, ("columns",))
