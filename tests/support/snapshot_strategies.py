"""Hypothesis strategies for snapshots: rows as nearcore writes them, and rows that only look like it."""

from hypothesis import strategies as st

from near_tee_cli.primitives.hashes import sha256
from near_tee_cli.primitives.schema.access_key import AccessKey, FunctionCallPermission, GasKeyInfo, encode_access_key
from near_tee_cli.primitives.schema.account import Account, LocalContract, encode_account
from near_tee_cli.primitives.schema.wire import blob as blob_bytes
from near_tee_cli.primitives.schema.wire import optional, u64
from near_tee_cli.runtime.block import ChainContext
from near_tee_cli.state import keys
from near_tee_cli.workspace.snapshots import Snapshot
from tests.support.bundle_strategies import ascending, blocks, congestion, hash32, requests, u16, u32, u128
from tests.support.bundle_strategies import u64 as u64s
from tests.support.schema_strategies import receipt

accounts = st.sampled_from(["a.near", "bob.near", "system", "c" * 64, "x1"])
blob = st.binary(max_size=12)
handles = st.binary(min_size=32, max_size=32).map(lambda raw: b"\0" + raw)


def _row(key, value):
    return st.tuples(key, value)


account_values = st.builds(
    Account,
    amount=st.integers(0, 2**127),
    locked=u128,
    contract=st.none() | st.builds(LocalContract, hash32.filter(any)),
    storage_usage=u64s,
    version=st.sampled_from([1, 2]),
).map(encode_account)
permissions = st.none() | st.builds(
    FunctionCallPermission,
    allowance=st.none() | u128,
    receiver_id=st.sampled_from(["a.near", "not an id"]),
    method_names=st.lists(st.text(max_size=4), max_size=2).map(tuple),
)
access_keys = st.builds(
    AccessKey,
    nonce=u64s,
    function_call=permissions,
    gas_key=st.none() | st.builds(GasKeyInfo, balance=u128, num_nonces=u16),
).map(encode_access_key)
odd = st.tuples(st.sampled_from([bytes([column]) for column in range(26)] + [b""]), blob).map(b"".join)
rows = st.one_of(
    _row(accounts.map(keys.account), account_values | blob),
    _row(st.builds(keys.access_key, accounts, handles), access_keys | blob),
    _row(st.builds(keys.gas_key_nonce, accounts, handles, st.integers(0, 3)), u64s.map(u64) | blob),
    _row(st.builds(keys.contract_data, accounts, blob), blob),
    _row(accounts.map(keys.contract_code), blob),
    _row(
        st.builds(keys.received_data, accounts, hash32),
        (st.none() | blob.map(blob_bytes)).map(optional) | blob,
    ),
    _row(odd, blob),
)


@st.composite
def row_sets(draw):
    found = dict(draw(st.lists(rows, max_size=12)))
    if draw(st.booleans()):
        # A contract that its account names, as most are.
        account_id, code = draw(accounts), draw(blob)
        found[keys.account(account_id)] = encode_account(Account(1, 0, LocalContract(sha256(code)), 100, 1))
        found[keys.contract_code(account_id)] = code
    return found


snapshots = st.builds(
    Snapshot,
    protocol_version=u32,
    chain=st.builds(
        ChainContext,
        chain_id=st.text(max_size=8),
        validators=ascending(st.tuples(st.sampled_from(["a.near", "b.near", "v1"]), u128), by=lambda pair: pair[0]),
        minimum_stake=st.none() | u128,
    ),
    rows=row_sets(),
    block=st.none() | blocks,
    in_flight=st.lists(receipt, max_size=2).map(tuple),
    congestion_info=congestion,
    bandwidth_requests=st.lists(requests, max_size=2).map(tuple),
    state_root=st.none() | hash32,
)
