"""One session of Spark and one of Ray for all tests of a module."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from leakaudit.engines.local import Local

TESTS = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def engines():
    """Engines by name, started when they are first asked for; stopped after the module."""
    started = {"local": Local(2)}
    before = os.environ.get("PYTHONPATH")
    # Workers import the tests' kernels by name.
    os.environ["PYTHONPATH"] = os.pathsep.join([str(TESTS.parent), str(TESTS), *([before] if before else [])])

    def engine(name):
        if name not in started and name == "spark":
            pytest.importorskip("pyspark", reason="needs the extra: pip install 'leakaudit[spark]'")
            from leakaudit.engines.spark import Spark

            started["spark"] = Spark.of("local[2]", 2)
        if name not in started:
            pytest.importorskip("ray", reason="needs the extra: pip install 'leakaudit[ray]'")
            from leakaudit.engines.ray import Ray

            started["ray"] = Ray.of(None, 2)
        return started[name]

    yield engine
    if "spark" in started:
        started["spark"].session.stop()
    if "ray" in started:
        import ray

        ray.shutdown()
    if before is None:
        del os.environ["PYTHONPATH"]
    else:
        os.environ["PYTHONPATH"] = before
