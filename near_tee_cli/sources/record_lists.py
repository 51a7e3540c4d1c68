"""Lists of state records: put together, and completed by what is said elsewhere.

Within one list nothing may come twice, among several nothing in two ways. Rows need their account, and an account
that names code needs it: from the lists, from the line, or from the state below.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

from near_tee_cli.errors import BadInputError
from near_tee_cli.params.config import RuntimeConfig
from near_tee_cli.primitives.account_id import SYSTEM
from near_tee_cli.primitives.hashes import sha256
from near_tee_cli.primitives.schema.account import Account, LocalContract, new_account
from near_tee_cli.primitives.schema.json_scalars import hash_text
from near_tee_cli.primitives.schema.receipt import YIELD_TAGS, ActionReceipt, Receipt
from near_tee_cli.primitives.schema.records import (
    AccessKeyRecord,
    AccountRecord,
    ContractRecord,
    DataRecord,
    DelayedReceiptRecord,
    GasKeyNonceRecord,
    StateRecord,
)
from near_tee_cli.sources import genesis_files
from near_tee_cli.sources.parts import Leniency, require_whole, restated


class Stated(NamedTuple):
    """What the line says beside the files."""

    account_id: str | None
    """The account of answers that do not name theirs."""
    codes: Mapping[str, bytes]
    """Contracts from elsewhere, for accounts that name their hash."""
    balances: Mapping[str, int]
    """Balances in yoctoNEAR, also of accounts that the files do not describe."""
    known: Callable[[str], Account | None]
    """Accounts of a state onto which the files come."""


def listed(lists: Iterable[tuple[str, list[StateRecord]]], notes: list[str]) -> list[StateRecord]:
    """The records of all lists (each with the name of its file), accounts first.

    Raises `BadInputError`: `duplicate-record` within one, `contradiction` among several, `bad-order`.
    """
    owners: dict[tuple[object, ...], tuple[str, StateRecord]] = {}
    result: list[StateRecord] = []
    queues = []
    skipped = 0
    for name, records in lists:
        _require_order(records, name)
        if any(isinstance(record, DelayedReceiptRecord) for record in records):
            queues.append(name)
        for record in records:
            if getattr(record, "account_id", None) == SYSTEM:
                skipped += 1
                continue
            identity = _identity(record)
            known = None if identity is None else owners.get(identity)
            if identity is not None and known is not None:
                if known[0] == name or known[1] != record:
                    raise BadInputError(
                        f"{name}: {_named(identity)} is there twice"
                        + ("" if known[0] == name else f", otherwise in {known[0]}"),
                        code="duplicate-record" if known[0] == name else "contradiction",
                    )
                continue
            if identity is not None:
                owners[identity] = (name, record)
            result.append(record)
    if len(queues) > 1:
        raise BadInputError(
            f"{' and '.join(queues)} have delayed receipts: which come first is not known", code="contradiction"
        )
    if skipped:
        notes.append(f"{skipped} records of the account {SYSTEM} are skipped, as genesis does")
    return sorted(result, key=lambda record: not isinstance(record, AccountRecord))


def completed(
    records: Sequence[StateRecord], *, stated: Stated, lenient: Leniency, config: RuntimeConfig, notes: list[str]
) -> list[StateRecord]:
    """The records with the accounts, balances and contracts that are said elsewhere. Raises `BadInputError`."""
    accounts = {record.account_id: record.account for record in records if isinstance(record, AccountRecord)}
    codes = {record.account_id: record.code for record in records if isinstance(record, ContractRecord)}
    owners = {record.account_id for record in records if isinstance(record, _OF_ACCOUNTS)}
    usages = genesis_files.storage_usages(records, config=config)
    for name in sorted(owners - set(accounts)):
        account = stated.known(name)
        if account is None:
            if name not in stated.balances:
                raise BadInputError(
                    f"there are rows of {name} and no such account",
                    code="incomplete-account",
                    hint="give its Account record, the state to put the rows --onto, or --account with its balance",
                )
            code = codes.get(name, stated.codes.get(name))
            own = None if code is None else LocalContract(sha256(code))
            usage = usages[name] + config.storage_num_bytes_account
            if code is not None and name not in codes:
                usage += len(code)
            account = new_account(stated.balances[name], 0, contract=own, storage_usage=usage)
            notes.append(f"{name} is made with the balance that the line states; its storage is counted")
        accounts[name] = account
    missing = []
    result: list[StateRecord] = []
    added: list[StateRecord] = []
    for name, account in accounts.items():
        contract = account.contract
        code = stated.codes.get(name)
        if name in codes and code not in (None, codes[name]):
            raise BadInputError(f"the code of {name} is otherwise in a file", code="contradiction")
        if code is not None and not isinstance(contract, LocalContract):
            raise BadInputError(
                f"there is code for {name}, and its account names none",
                code="contradiction",
                hint="import it without --with, then give it the contract with state set",
            )
        if name not in codes and isinstance(contract, LocalContract):
            if code is not None and sha256(code) != contract.code_hash:
                raise BadInputError(f"{name} does not run the given code", code="code-hash-mismatch")
            if code is not None:
                added.append(ContractRecord(name, code))
            elif not _runs(stated.known(name), contract):
                missing.append(f"the code of {name}, SHA-256 {hash_text(contract.code_hash)}")
        result.append(AccountRecord(name, restated(account, name, stated.balances.get(name), notes)))
    require_whole(missing, lenient, notes)
    return [*result, *added, *(record for record in records if not isinstance(record, AccountRecord))]


def _runs(known: Account | None, contract: LocalContract) -> bool:
    """Whether the account below has that code already."""
    return known is not None and known.contract == contract


_OF_ACCOUNTS = (DataRecord, ContractRecord, AccessKeyRecord, GasKeyNonceRecord)
"""Records of rows that need their account."""


def _require_order(records: Sequence[StateRecord], what: str) -> None:
    """Refuse code before its account, which genesis skips in silence. Raises `BadInputError` (`bad-order`)."""
    waiting: set[str] = set()
    for record in records:
        if isinstance(record, ContractRecord):
            waiting.add(record.account_id)
        elif isinstance(record, AccountRecord) and record.account_id in waiting:
            raise BadInputError(
                f"{what}: the code of {record.account_id} stands before its account, where a chain would skip it",
                code="bad-order",
            )


def is_yield(receipt: Receipt) -> bool:
    """Whether a receipt that waits is a yield."""
    return isinstance(receipt.body, ActionReceipt) and receipt.body.tag in YIELD_TAGS


def _identity(record: StateRecord) -> tuple[object, ...] | None:
    """What a record is about: two with the same identity would be one row. `None` where each is its own."""
    if isinstance(record, DelayedReceiptRecord):
        return None
    receipt = getattr(record, "receipt", None)
    if receipt is not None:
        return type(record).__name__, receipt.receiver_id, receipt.receipt_id
    fields = [getattr(record, name) for name in _IDENTIFYING if hasattr(record, name)]
    return type(record).__name__, *fields


_IDENTIFYING = ("account_id", "data_key", "public_key", "nonce_index", "data_id")


def _named(identity: Sequence[object]) -> str:
    kind = str(identity[0]).removesuffix("Record")
    more = [hash_text(part) if isinstance(part, bytes) else str(part) for part in identity[1:]]
    return f"{kind} {' '.join(more)}"[:200]
