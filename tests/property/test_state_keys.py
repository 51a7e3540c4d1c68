"""Trie keys: what `describe` takes apart, the functions of the rows put together again."""

from hypothesis import given
from hypothesis import strategies as st

from near_tee_cli.errors import BadInputError
from near_tee_cli.primitives.schema.account import GlobalContract, GlobalContractByAccount
from near_tee_cli.state import keys

ACCOUNTS = st.from_regex(r"[a-z0-9]([-_.]?[a-z0-9]){1,20}", fullmatch=True)
HASHES = st.binary(min_size=32, max_size=32)
U64 = st.integers(0, 2**64 - 1)
U16 = st.integers(0, 2**16 - 1)
HANDLES = st.one_of(
    st.binary(min_size=32, max_size=32).map(lambda raw: b"\x00" + raw),
    st.binary(min_size=64, max_size=64).map(lambda raw: b"\x01" + raw),
    st.binary(min_size=32, max_size=32).map(lambda raw: b"\x03" + raw),
)
IDENTIFIERS = HASHES.map(GlobalContract) | ACCOUNTS.map(GlobalContractByAccount)

# Column name -> (function of the row, what it takes).
ROWS = {
    "Account": (keys.account, (ACCOUNTS,)),
    "ContractCode": (keys.contract_code, (ACCOUNTS,)),
    "AccessKey": (keys.access_key, (ACCOUNTS, HANDLES)),
    "GasKeyNonce": (keys.gas_key_nonce, (ACCOUNTS, HANDLES, U16)),
    "ReceivedData": (keys.received_data, (ACCOUNTS, HASHES)),
    "PostponedReceiptId": (keys.postponed_receipt_id, (ACCOUNTS, HASHES)),
    "PendingDataCount": (keys.pending_data_count, (ACCOUNTS, HASHES)),
    "PostponedReceipt": (keys.postponed_receipt, (ACCOUNTS, HASHES)),
    "DelayedReceiptIndices": (keys.delayed_receipt_indices, ()),
    "DelayedReceipt": (keys.delayed_receipt, (U64,)),
    "ContractData": (keys.contract_data, (ACCOUNTS, st.binary())),
    "PromiseYieldIndices": (keys.promise_yield_indices, ()),
    "PromiseYieldTimeout": (keys.promise_yield_timeout, (U64,)),
    "PromiseYieldReceipt": (keys.promise_yield_receipt, (ACCOUNTS, HASHES)),
    "BufferedReceiptIndices": (keys.buffered_receipt_indices, ()),
    "BufferedReceipt": (keys.buffered_receipt, (U16, U64)),
    "BandwidthSchedulerState": (keys.bandwidth_scheduler_state, ()),
    "BufferedReceiptGroupsQueueData": (keys.buffered_receipt_groups_queue_data, (U64,)),
    "BufferedReceiptGroupsQueueItem": (keys.buffered_receipt_groups_queue_item, (U64, U64)),
    "GlobalContractCode": (keys.global_contract_code, (IDENTIFIERS,)),
    "GlobalContractNonce": (keys.global_contract_nonce, (IDENTIFIERS,)),
    "PromiseYieldStatus": (keys.promise_yield_status, (ACCOUNTS, HASHES)),
    "YieldIdToDataId": (keys.yield_id_to_data_id, (ACCOUNTS, HASHES)),
    "DataIdToYieldId": (keys.data_id_to_yield_id, (ACCOUNTS, HASHES)),
}


def rebuilt(description):
    function, _ = ROWS[description.column]
    account = () if description.account_id is None else (description.account_id,)
    return function(*account, *description.parts.values())


@given(st.data(), st.sampled_from(sorted(ROWS)))
def test_rows_come_back(data, column):
    function, fields = ROWS[column]
    arguments = data.draw(st.tuples(*fields))
    description = keys.describe(function(*arguments))
    assert description.column == column
    account = () if description.account_id is None else (description.account_id,)
    assert (*account, *description.parts.values()) == arguments


@given(
    st.binary(max_size=80)
    | st.tuples(
        st.integers(0, 25), ACCOUNTS, st.sampled_from([b"", b",", b"\x02", b"\x02\x00"]), st.binary(max_size=40)
    ).map(lambda parts: bytes([parts[0]]) + parts[1].encode() + parts[2] + parts[3])
)
def test_any_bytes_are_a_row_or_refused(key):
    try:
        description = keys.describe(key)
    except BadInputError as error:
        if error.code != "malformed-trie-key":
            raise
        return
    assert rebuilt(description) == key
