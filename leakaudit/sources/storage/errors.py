"""What the libraries of object storage raise, as `OSError` with one phrase for people and no secret in it."""

from __future__ import annotations

import errno
import re
from collections.abc import Iterator
from contextlib import contextmanager

from leakaudit.errors import InputError


@contextmanager
def plain_errors() -> Iterator[None]:
    """Turn whatever the libraries raise into an `OSError` with one phrase and no secret."""
    try:
        yield
    except InputError:
        raise
    except Exception as error:  # noqa: BLE001  every library has its own tree
        raise explained(error) from None


def explained(error: BaseException) -> OSError:
    """What a library of object storage raised, as an `OSError` with one phrase for people."""
    chain: list[BaseException] = []
    at: BaseException | None = error
    while at is not None and len(chain) < 9:
        chain.append(at)
        at = at.__cause__ or at.__context__
    names = {type(each).__name__ for each in chain}
    said = " ".join(str(each) for each in chain)
    made = _access(error, names, said) or _absent(error, names, said) or _answer(names)
    return made or OSError(errno.EIO, f"{type(error).__name__}: {_first_line(error)}")


def _access(error: BaseException, names: set[str], said: str) -> OSError | None:
    if names & {"NoCredentialsError", "DefaultCredentialsError", "PartialCredentialsError", "ProfileNotFound"}:
        return PermissionError(errno.EACCES, "no credentials found: set them in the environment or a profile")
    if isinstance(error, PermissionError) or "Forbidden" in said or "AuthenticationFailed" in said:
        return PermissionError(errno.EACCES, "access denied with the credentials in use")
    return None


def _absent(error: BaseException, names: set[str], said: str) -> OSError | None:
    if isinstance(error, FileNotFoundError) and str(error.strerror).startswith("no such bucket: "):
        return error
    if isinstance(error, FileNotFoundError) or names & {"NoSuchBucket", "RepositoryNotFoundError"}:
        is_bucket = "bucket" in said.lower() and "not exist" in said
        return FileNotFoundError(errno.ENOENT, "no such bucket" if is_bucket else "no such object or folder")
    return None


def _answer(names: set[str]) -> OSError | None:
    refused = {"EndpointConnectionError", "ConnectionRefusedError", "ClientConnectorError", "ConnectionError"}
    if names & {*refused, "gaierror", "ClientConnectorDNSError", "ServiceRequestError"}:
        return ConnectionError(errno.ECONNREFUSED, "its service cannot be reached (connection failed)")
    if names & {"TimeoutError", "ConnectTimeoutError", "ReadTimeoutError", "FSTimeoutError"}:
        return TimeoutError(errno.ETIMEDOUT, "its service did not answer in time")
    return None


def _first_line(error: BaseException) -> str:
    """Without user, password and query string of any address in it."""
    first = (str(error).splitlines() or [""])[0]
    return re.sub(r"(\w+://\S*?)\?\S*", r"\1", re.sub(r"//[^/@\s]*@", "//", first))[:200]
