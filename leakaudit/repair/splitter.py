"""Splitters for scikit-learn that keep copies and groups together: drop-in for ``StratifiedGroupKFold``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from leakaudit.config import Config
from leakaudit.errors import ConfigError
from leakaudit.repair.split import NewSplit, split

if TYPE_CHECKING:
    import pyarrow as pa

    from leakaudit.model import IntArray

    Parts = Iterator[tuple[IntArray, IntArray]]


class LeakFreeKFold:
    """K folds of which none holds a copy, or a member of a group, of what is in another.

    Parameters
    ----------
    n_splits : int, default 5
    random_state : int, default 0
        Another one, another split; the same one, the same split.

    Examples
    --------
    >>> import numpy as np
    >>> X = np.arange(40.0).reshape(20, 2)
    >>> X[10:] = X[:10]
    >>> for train, test in LeakFreeKFold(n_splits=2).split(X):
    ...     print(len(set(train % 10) & set(test % 10)))
    0
    0
    """

    def __init__(self, n_splits: int = 5, *, random_state: int = 0) -> None:
        self.n_splits = n_splits
        self.random_state = random_state

    def get_n_splits(self, X: object = None, y: object = None, groups: object = None) -> int:  # noqa: N803
        """The number of folds; the arguments are there for scikit-learn."""
        del X, y, groups
        return self.n_splits

    def split(self, X: Any, y: Any = None, groups: Any = None) -> Parts:  # noqa: N803, ANN401 - arrays and frames
        """Yield the indices of the training and of the held-out part, fold by fold.

        Parameters
        ----------
        X : array or data frame, shape (n, …)
        y : array, shape (n,), optional
            Stratified by it: classes, or bins of a quantity.
        groups : array, shape (n,), optional
            Samples of one group stay together.

        Raises
        ------
        ConfigError
            Fewer units than folds; lengths that differ.
        """
        of = _split(X, y, groups, folds=self.n_splits, seed=self.random_state).of
        for fold in range(self.n_splits):
            yield np.flatnonzero(of != fold), np.flatnonzero(of == fold)


class LeakFreeSplit:
    """One split into a training and a held-out part, of which neither holds a copy of what is in the other.

    Parameters
    ----------
    test_size : float, default 0.2
    random_state : int, default 0
    """

    def __init__(self, test_size: float = 0.2, *, random_state: int = 0) -> None:
        self.test_size = test_size
        self.random_state = random_state

    def get_n_splits(self, X: object = None, y: object = None, groups: object = None) -> int:  # noqa: N803
        """One; the arguments are there for scikit-learn."""
        del X, y, groups
        return 1

    def split(self, X: Any, y: Any = None, groups: Any = None) -> Parts:  # noqa: N803, ANN401 - arrays and frames
        """Yield the indices of the training and of the held-out part, once; parameters as for `LeakFreeKFold.split`."""
        shares = {"train": 1 - self.test_size, "test": self.test_size}
        of = _split(X, y, groups, shares=shares, seed=self.random_state).of
        yield np.flatnonzero(of == 0), np.flatnonzero(of == 1)


def _split(X: Any, y: Any, groups: Any, **wish: Any) -> NewSplit:  # noqa: N803, ANN401
    columns = _columns(X)
    n = len(next(iter(columns.values())))
    roles: dict[str, str] = {}
    for role, told, values in (("label", "y", y), ("group", "groups", groups)):
        if values is None:
            continue
        if len(values) != n:
            raise ConfigError(f"{told} has {len(values):,} values for {n:,} rows")
        name = role
        while name in columns:
            name += "_"
        columns[name], roles[role] = _array(values), name
    config = Config(label=roles.get("label"), group=roles.get("group"), use_cache=False)
    return split(data=columns, config=config, **wish)


def _columns(X: Any) -> dict[str, Any]:  # noqa: N803, ANN401
    """The columns of an array or a frame."""
    if hasattr(X, "columns"):
        return {str(name): X[name] for name in X.columns}
    values = X.toarray() if hasattr(X, "toarray") else np.asarray(X)
    if not values.size:
        raise ConfigError("X is empty")
    if values.ndim == 1:
        return {"text" if values.dtype.kind in "OUS" else "x0": _array(values)}
    flat = values.reshape(len(values), -1)
    return {f"x{at}": _array(flat[:, at]) for at in range(flat.shape[1])}


def _array(values: Any) -> pa.Array:  # noqa: ANN401
    import pyarrow as pa

    plain = np.asarray(values)
    return pa.array(plain.tolist() if plain.dtype.kind in "OUS" else plain)
