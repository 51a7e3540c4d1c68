"""What a line adds to a world: accounts with balances, and contracts from files, each as `ACCOUNT=...`."""

from collections.abc import Iterable, Sequence

from near_tee_cli.cli import files, units
from near_tee_cli.errors import BadInputError, UsageError
from near_tee_cli.primitives.account_id import SYSTEM


def accounts(texts: Iterable[str], flag: str) -> tuple[tuple[str, int], ...]:
    """Accounts with their balances in yoctoNEAR, ascending. Raises `UsageError`."""
    found: dict[str, int] = {}
    for text in texts:
        name, amount = _named(text, flag, form="ACCOUNT=BALANCE")
        _refuse_second(name, found, flag)
        found[name] = units.near(amount, flag)
    return tuple(sorted(found.items()))


def contract_paths(texts: Iterable[str], flag: str) -> tuple[tuple[str, str], ...]:
    """Accounts with the files of their contracts, ascending. Raises `UsageError`."""
    found: dict[str, str] = {}
    for text in texts:
        name, path = _named(text, flag, form="ACCOUNT=FILE.wasm")
        _refuse_second(name, found, flag)
        found[name] = path
    return tuple(sorted(found.items()))


def contracts(paths: Sequence[tuple[str, str]]) -> tuple[tuple[str, bytes], ...]:
    """Accounts with the code of their contracts. Raises `BadInputError`, also for more code than a state may hold."""
    found = []
    size = 0
    for name, path in paths:
        code = files.read(path, f"the contract of {name}", max_bytes=files.MAX_CONTRACT_BYTES)
        size += len(code)
        if size > files.MAX_SNAPSHOT_BYTES:
            raise BadInputError(f"the contracts have more than {files.MAX_SNAPSHOT_BYTES} bytes", code="too-large")
        found.append((name, code))
    return tuple(found)


def _named(text: str, flag: str, *, form: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not value:
        raise UsageError(f"{flag} takes {form}, not {text[:80]!r}", where=flag)
    account_id = units.account(name, flag)
    if account_id == SYSTEM:
        raise UsageError(f"{flag}: {SYSTEM} is the chain itself, never an account", where=flag)
    return account_id, value


def _refuse_second(name: str, found: Iterable[str], flag: str) -> None:
    if name in found:
        raise UsageError(f"{flag} names {name} twice", where=flag)
