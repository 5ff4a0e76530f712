"""Kernels for the tests of the engines; workers import them by name."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import numpy as np
import pyarrow as pa

from leakaudit.engines.base import Kernel
from leakaudit.errors import InputError


def doubled(table):
    return pa.table({"x": np.asarray(table["x"]) * 2})


def plus_index(index, table):
    return pa.table({"x": np.asarray(table["x"]) + int(index["by"][0].as_py())})


def process(index, table):
    return pa.table({"x": [os.getpid()]})


def keyed(table):
    x = np.asarray(table["x"])
    return pa.table({"key": x % 7, "value": x})


def total_by_key(rows):
    key, value = np.asarray(rows["key"]), np.asarray(rows["value"])
    keys = np.unique(key)
    return pa.table({"key": keys, "total": [int(value[key == each].sum()) for each in keys]})


def summed(table):
    return pa.table({"total": [int(np.asarray(table["total"]).sum())]})


def kill_once(table, *, marker):
    """The worker that works on 7 is killed, the first time."""
    path = Path(marker)
    if 7 in table["x"].to_pylist() and not path.exists():
        path.write_text(str(os.getpid()))
        os.kill(os.getpid(), signal.SIGKILL)
    return doubled(table)


def kill_always(table):
    if 7 in table["x"].to_pylist():
        os.kill(os.getpid(), signal.SIGKILL)
    return doubled(table)


def minus_one(table):
    return pa.table({"x": np.full(len(table), -1)})


def slow(table, *, marker):
    """Works for a minute."""
    Path(marker).write_text(str(os.getpid()))
    time.sleep(60)
    return table


def refuse(table):
    raise InputError(f"cannot read {table['x'][0].as_py()}")


def bug(table):
    raise ZeroDivisionError(f"in {len(table)} rows")


def kernel(function, **named):
    return Kernel(f"engine_kernels:{function}", **named)
