"""Groups that the user declares by a pattern over file names (``--group-pattern``).

The pattern runs in RE2 (through Arrow), whose time is linear in the length of a name whatever the pattern.
"""

from __future__ import annotations

from dataclasses import replace

import pyarrow as pa
import pyarrow.compute as pc

from leakaudit.config import Config
from leakaudit.errors import ConfigError
from leakaudit.model import Dataset, Layout

KEY = "key"
_OPTION = "--group-pattern"


def with_groups(dataset: Dataset, config: Config) -> Dataset:
    """The same pictures, each with the group that ``config.group_pattern`` finds in its name.

    The pattern is searched for in the file name with its ending; in the whole path below the root, ``/``-separated,
    where the pattern itself holds a ``/``. Pictures in whose name it finds nothing, or an empty key, have no group.

    Raises
    ------
    ConfigError
        No regular expression of RE2, not exactly one named group ``key``, found in no name at all, ``config.group``
        given as well, or rows of a table, which have no names.
    """
    pattern = config.group_pattern
    assert pattern is not None
    samples = dataset.samples
    if config.group is not None:
        raise ConfigError(f"{_OPTION} and --group both say the group: keep one of them")
    if samples is None:
        raise ConfigError(f"{_OPTION} looks at the names of pictures, and rows have none: name a column with --group")
    names = samples.uri if "/" in pattern else pc.replace_substring_regex(samples.uri, "^.*/", "")
    keys = _keys(names, pattern)
    n_without = keys.null_count
    if n_without == len(keys):
        example = names[0].as_py()
        raise ConfigError(f"{_OPTION}: {pattern!r} finds a key in none of {len(keys):,} names, such as {example!r}")
    n_groups = len(pc.unique(keys.drop_null()))
    notes = [f"{n_without:,} of {len(keys):,} pictures have no group: the pattern finds nothing in their names."]
    return replace(
        dataset,
        samples=replace(samples, group=keys),
        layout=Layout(dataset.layout.name, f"{dataset.layout.why}; {n_groups:,} groups from {_OPTION}"),
        notes=(*dataset.notes, *(notes if n_without else ())),
    )


def _keys(names: pa.StringArray, pattern: str) -> pa.StringArray:
    try:
        found = pc.extract_regex(names, pattern)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        reason = str(error).removeprefix("Invalid regular expression: ").splitlines()[0]
        raise ConfigError(
            f"{_OPTION}: {pattern!r} cannot be used (RE2 syntax, one group (?P<key>...)): {reason}"
        ) from error
    fields = [field.name for field in found.type]
    if fields != [KEY]:
        raise ConfigError(
            f"{_OPTION}: {pattern!r} must have one group, (?P<key>...), and has {', '.join(fields) or 'none'}"
        )
    keys = found.field(KEY)
    keys = pc.if_else(found.is_valid(), keys, None)
    return pc.if_else(pc.equal(keys, ""), None, keys)
