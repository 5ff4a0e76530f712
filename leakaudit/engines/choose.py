"""The engine that the settings ask for."""

from __future__ import annotations

import os
import shutil
from importlib.util import find_spec
from typing import TYPE_CHECKING

from leakaudit.engines.local import Local, usable_cores
from leakaudit.errors import ConfigError, MissingExtraError

if TYPE_CHECKING:
    from leakaudit.config import Config
    from leakaudit.engines.base import Engine

_PACKAGES = {"spark": "pyspark", "ray": "ray"}


def engine_of(config: Config) -> Engine:
    """Where the heavy work runs.

    Raises
    ------
    ConfigError
        The engine is not installed, or cannot be reached.
    """
    jobs = config.jobs or usable_cores()
    check_engine(config)
    if config.engine == "spark":
        from leakaudit.engines.spark import Spark

        return Spark.of(config.engine_address, jobs)
    if config.engine == "ray":
        from leakaudit.engines.ray import Ray

        return Ray.of(config.engine_address, jobs)
    return Local(jobs)


def cluster_of(config: Config) -> Engine | None:
    """The engine where it is another one than this process, in whose memory nothing has to be sent anywhere."""
    return None if config.engine == "local" else engine_of(config)


def check_engine(config: Config) -> None:
    """Refuse an engine that is not there, before any work is done.

    Raises
    ------
    ConfigError
        With the command that installs it.
    """
    if config.engine == "local":
        if config.engine_address is not None:
            raise ConfigError("engine_address says where Spark or Ray is: choose one with --engine")
        return
    if find_spec(_PACKAGES[config.engine]) is None:
        raise ConfigError(f"engine {config.engine}: {MissingExtraError(config.engine)}")
    if config.engine == "spark" and "JAVA_HOME" not in os.environ and shutil.which("java") is None:
        raise ConfigError("engine spark: needs Java 17 or later: install it, or set JAVA_HOME")
