"""A state from records, as the first block of a chain makes it.

One rule differs: `storage_usage` is taken as written, where a chain recomputes it. Records of the account `system`
are skipped, and so is code whose account is not known yet.

Mirrors nearcore: core/store/src/genesis/state_applier.rs
"""

from collections.abc import Iterable, Mapping

from near_tee_cli.errors import BadInputError
from near_tee_cli.primitives.hashes import sha256
from near_tee_cli.primitives.schema.access_key import encode_access_key
from near_tee_cli.primitives.schema.account import LocalContract, encode_account
from near_tee_cli.primitives.schema.receipt import SYSTEM, YIELD_TAGS, ActionReceipt, Receipt, encode_receipt
from near_tee_cli.primitives.schema.records import (
    AccessKeyRecord,
    AccountRecord,
    ContractRecord,
    DataRecord,
    DelayedReceiptRecord,
    GasKeyNonceRecord,
    PostponedReceiptRecord,
    ReceivedDataRecord,
    StateRecord,
)
from near_tee_cli.primitives.schema.wire import blob, optional, u32, u64
from near_tee_cli.state import keys

Rows = dict[bytes, bytes]
"""Trie keys and values."""


def rows_of_records(records: Iterable[StateRecord]) -> Rows:
    """The rows that `records` make, in their order: a later one replaces an earlier one.

    Raises `BadInputError` for code that is not the code of its account.
    """
    rows: Rows = {}
    contracts: dict[str, bytes | None] = {}
    delayed = 0
    postponed: list[Receipt] = []
    for record in records:
        if isinstance(record, DataRecord):
            if record.account_id != SYSTEM:
                rows[keys.contract_data(record.account_id, record.data_key)] = record.value
        elif isinstance(record, AccountRecord):
            if record.account_id != SYSTEM:
                contract = record.account.contract
                contracts[record.account_id] = contract.code_hash if isinstance(contract, LocalContract) else None
                rows[keys.account(record.account_id)] = encode_account(record.account)
        elif isinstance(record, AccessKeyRecord):
            if record.account_id != SYSTEM:
                key = keys.access_key(record.account_id, record.public_key)
                rows[key] = encode_access_key(record.access_key)
        elif isinstance(record, ContractRecord):
            _add_code(rows, record, contracts=contracts)
        elif isinstance(record, GasKeyNonceRecord):
            if record.account_id != SYSTEM:
                key = keys.gas_key_nonce(record.account_id, record.public_key, record.nonce_index)
                rows[key] = u64(record.nonce)
        elif isinstance(record, ReceivedDataRecord):
            data = None if record.data is None else blob(record.data)
            rows[keys.received_data(record.account_id, record.data_id)] = optional(data)
        elif isinstance(record, PostponedReceiptRecord):
            postponed.append(record.receipt)
        elif isinstance(record, DelayedReceiptRecord):
            rows[keys.delayed_receipt(delayed)] = encode_receipt(record.receipt)
            delayed += 1
    for receipt in postponed:
        rows.update(postponed_rows(rows, receipt))
    if delayed:
        rows[keys.delayed_receipt_indices()] = u64(0) + u64(delayed)
    return rows


def _add_code(rows: Rows, record: ContractRecord, *, contracts: dict[str, bytes | None]) -> None:
    if record.account_id not in contracts:
        return
    if contracts[record.account_id] != sha256(record.code):
        raise BadInputError(f"the code of {record.account_id} is not the one that its account names", code="bad-record")
    rows[keys.contract_code(record.account_id)] = record.code


def postponed_rows(rows: Mapping[bytes, bytes], receipt: Receipt) -> Rows:
    """The rows that a receipt adds which waits in the state that has `rows`.

    Raises `BadInputError` for a receipt that cannot wait.
    """
    body, account_id = receipt.body, receipt.receiver_id
    if not isinstance(body, ActionReceipt):
        raise BadInputError("a postponed receipt is a receipt of actions", code="bad-record")
    if body.tag in YIELD_TAGS:
        if len(body.input_data_ids) != 1:
            raise BadInputError("a yield waits for exactly one resume", code="bad-record")
        return {keys.promise_yield_receipt(account_id, body.input_data_ids[0]): encode_receipt(receipt)}
    added: Rows = {}
    missing = 0
    for data_id in body.input_data_ids:
        if keys.received_data(account_id, data_id) not in rows:
            missing += 1
            added[keys.postponed_receipt_id(account_id, data_id)] = receipt.receipt_id
    if missing == 0:
        raise BadInputError(f"a postponed receipt to {account_id} waits for nothing", code="bad-record")
    added[keys.pending_data_count(account_id, receipt.receipt_id)] = u32(missing)
    added[keys.postponed_receipt(account_id, receipt.receipt_id)] = encode_receipt(receipt)
    return added
