"""Addresses of object storage: which are read, how they are shown, and what they have in common."""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Sequence
from itertools import takewhile

from leakaudit.errors import InputError

SCHEMES = ("s3", "s3a", "gs", "gcs", "az", "abfs", "abfss", "hf", "memory")
"""What is read beside ``file://``, which is a local path in another spelling."""

_ROOT_PARTS = {"hf": 3}
_QUERY = re.compile(r"\?[\w.%~-]+=")


def redacted(address: str) -> str:
    """An address as it may be shown: without user, password and query string.

    >>> redacted("s3://key:secret@bucket/a?sig=1")
    's3://bucket/a'
    """
    scheme, _, rest = _QUERY.split(address, maxsplit=1)[0].partition("://")
    user, at, after = rest.partition("@")
    return f"{scheme}://{after if at and ('/' not in user or ':' in user.split('/')[0]) else rest}"


def shown(address: str) -> str:
    """`redacted`, as it can be printed anywhere."""
    return redacted(address).encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def check_address(address: str) -> None:
    """Refuse what is not read, and what would put a secret into reports.

    Raises
    ------
    InputError
    """
    scheme, _, rest = address.partition("://")
    told = shown(address)
    if scheme not in SCHEMES:
        raise InputError(f"{told}: {scheme}:// is not read; s3, gs, az, hf and file are")
    bucket = rest.split("/")[0]
    if scheme in ("abfs", "abfss") and "@" in bucket and ":" not in bucket:
        raise InputError(
            f"{told}: name the account in AZURE_STORAGE_ACCOUNT_NAME, and the container as az://container/…"
        )
    has_secret = "@" in bucket or ":" in bucket
    if has_secret or _QUERY.search(rest):
        what = "a user or password" if has_secret else "a query string"
        raise InputError(
            f"{told}: addresses with {what} are not taken, since reports show them: "
            "set the credentials in the environment or a profile"
        )


def cleaned(address: str) -> str:
    """An address without trailing slash, empty and dotted parts.

    Raises
    ------
    FileNotFoundError
        It leads out of its bucket.

    >>> cleaned("s3://bucket/a/./b//c/../d/")
    's3://bucket/a/b/d'
    """
    scheme, _, rest = address.partition("://")
    if os.sep == "\\":
        rest = rest.replace("\\", "/")
    if rest and "//" not in rest and "/." not in rest and not rest.endswith("/"):
        return f"{scheme}://{rest}"
    parts: list[str] = []
    for part in rest.split("/"):
        if part == "..":
            if len(parts) <= root_parts(address):
                raise FileNotFoundError(errno.ENOENT, "outside of the bucket")
            parts.pop()
        elif part not in ("", "."):
            parts.append(part)
    return f"{scheme}://{'/'.join(parts)}"


def same_bucket(one: str, other: str) -> bool:
    """Whether two addresses are in one bucket (or repository)."""
    n = 2 + root_parts(one)
    try:
        return cleaned(one).split("/")[:n] == cleaned(other).split("/")[:n]
    except FileNotFoundError:
        return False


def common_folder(addresses: Sequence[str]) -> str:
    """The innermost folder around all addresses; empty where they are in several buckets."""
    parts = [cleaned(address).split("/") for address in addresses]
    shared = [each[0] for each in takewhile(lambda each: len(set(each)) == 1, zip(*parts, strict=False))]
    return "/".join(shared) if len(shared) > 2 else ""


def root_parts(address: str) -> int:
    """How many parts name the bucket (or repository); nothing above it is ever asked for."""
    return _ROOT_PARTS.get(address.partition("://")[0], 1)
