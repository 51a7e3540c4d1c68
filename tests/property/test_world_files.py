"""States of any kind: written for others and read again, merged by laws, edited and back."""

import json

from hypothesis import given
from hypothesis import strategies as st

from near_tee_cli.cli.changes import row_of
from near_tee_cli.errors import BadInputError
from near_tee_cli.params.store import config_at
from near_tee_cli.primitives.hashes import sha256
from near_tee_cli.primitives.schema.access_key import AccessKey, FunctionCallPermission, encode_access_key
from near_tee_cli.primitives.schema.account import Account, LocalContract, encode_account
from near_tee_cli.runtime.block import NO_CONGESTION, ChainContext
from near_tee_cli.runtime.editing import Editor
from near_tee_cli.runtime.genesis import rows_of_records
from near_tee_cli.runtime.world import World
from near_tee_cli.sources.exporting import Form, export
from near_tee_cli.sources.gathering import Source, gather
from near_tee_cli.sources.parts import Leniency
from near_tee_cli.sources.record_lists import Stated
from near_tee_cli.sources.shapes import recognise
from near_tee_cli.state import keys
from near_tee_cli.state.trie import Trie
from near_tee_cli.workspace.merging import merge
from near_tee_cli.workspace.snapshots import Snapshot
from tests.support.bundle_strategies import blocks, congestion
from tests.support.schema_strategies import receipt
from tests.support.snapshot_strategies import row_sets

CONFIG = config_at(86)
CHAIN = ChainContext("localnet", ())
NAMES = ("a.near", "bob.near", "x1")
STATED = Stated(None, {}, {}, lambda _: None)
STRICT = Leniency(incomplete=False, mixed_blocks=False)

blobs = st.binary(max_size=12)
handles = st.binary(min_size=32, max_size=32).map(lambda raw: b"\0" + raw)
permissions = st.none() | st.builds(
    FunctionCallPermission,
    allowance=st.none() | st.integers(0, 2**128 - 1),
    receiver_id=st.sampled_from(NAMES),
    method_names=st.lists(st.text("ab", max_size=3), max_size=2).map(tuple),
)
ordinary_keys = st.builds(AccessKey, nonce=st.integers(0, 2**64 - 1), function_call=permissions, gas_key=st.none())


@st.composite
def sound_accounts(draw, name):
    """An account as a chain would have it: code that it names, storage that adds up."""
    code = draw(st.none() | blobs)
    found = draw(st.dictionaries(handles, ordinary_keys, max_size=2))
    data = draw(st.dictionaries(blobs, blobs, max_size=3))
    rows = {keys.access_key(name, handle): encode_access_key(key) for handle, key in found.items()}
    usage = 100 + sum(40 + 33 + len(value) for value in rows.values())
    usage += sum(40 + len(key) + len(value) for key, value in data.items())
    rows |= {keys.contract_data(name, key): value for key, value in data.items()}
    contract = None
    if code is not None:
        rows[keys.contract_code(name)] = code
        contract, usage = LocalContract(sha256(code)), usage + len(code)
    balance = draw(st.integers(0, 2**120))
    rows[keys.account(name)] = encode_account(Account(balance, draw(st.integers(0, 9)), contract, usage, 1))
    return rows


@st.composite
def sound_rows(draw):
    rows = {}
    for name in draw(st.sets(st.sampled_from(NAMES))):
        rows |= draw(sound_accounts(name))
    return dict(sorted(rows.items()))


def gathered(*sources):
    found = gather(sources, stated=STATED, lenient=STRICT, config=CONFIG)
    return {**rows_of_records(found.records), **dict(found.raw)}, found.notes


@given(sound_rows(), st.sampled_from([Form.GENESIS_RECORDS, Form.SANDBOX_PATCH]))
def test_records_are_read_as_they_were_written(rows, form) -> None:
    exported = export(rows, form, accounts=(), config=CONFIG)
    assert (exported.left_out, exported.notes) == ({}, [])
    if rows:
        assert gathered(Source("x", exported.data, None, None)) == (rows, [])


@given(st.sampled_from(NAMES).flatmap(lambda name: st.tuples(st.just(name), sound_accounts(name))))
def test_answers_are_read_as_they_were_written(account) -> None:
    name, rows = account
    forms = [Form.VIEW_ACCOUNT, Form.VIEW_STATE, Form.VIEW_ACCESS_KEY_LIST]
    if keys.contract_code(name) in rows:
        forms.append(Form.VIEW_CODE)
    data = [export(dict(sorted(rows.items())), form, accounts=(name,), config=CONFIG).data for form in forms]
    assert gathered(*(Source("x", one, name, None) for one in data)) == (rows, [])


@given(row_sets())
def test_records_and_what_they_leave_out_are_everything(rows) -> None:
    """However odd the rows: each is written or named."""
    exported = export(dict(sorted(rows.items())), Form.SANDBOX_PATCH, accounts=(), config=CONFIG)
    delayed = sum(1 for key in rows if key[:1] == b"\7")
    assert exported.items + sum(exported.left_out.values()) >= len(rows) - delayed


snapshots = st.builds(
    Snapshot,
    protocol_version=st.sampled_from([85, 86]),
    chain=st.sampled_from([CHAIN, ChainContext("localnet", (("v.near", 5),), 7)]),
    rows=row_sets(),
    block=st.none() | blocks,
    in_flight=st.just(()) | st.lists(receipt, min_size=1, max_size=1).map(tuple),
    congestion_info=st.just(NO_CONGESTION) | congestion,
    bandwidth_requests=st.just(()),
    state_root=st.none(),
)


@given(snapshots)
def test_merging_a_state_with_itself_or_nothing_changes_nothing(snapshot) -> None:
    rows = snapshot._replace(rows=dict(sorted(snapshot.rows.items())))
    assert merge(snapshot, snapshot, prefer=None).snapshot == rows
    nothing = Snapshot(snapshot.protocol_version, ChainContext("localnet", ()), {})
    assert merge(snapshot, nothing, prefer=None).snapshot == rows
    assert merge(nothing, snapshot, prefer=None).snapshot == rows


@given(snapshots, snapshots)
def test_merging_commutes_and_prefers(one, other) -> None:
    assert _outcome(one, other, None) == _outcome(other, one, None)
    assert _outcome(one, other, "first") == _outcome(other, one, "second")
    assert _outcome(one, other, "second") == _outcome(other, one, "first")


@given(snapshots, snapshots)
def test_merging_loses_no_account(one, other) -> None:
    merged = _outcome(one, other, "first")
    if isinstance(merged, Snapshot):
        assert _owners(merged.rows) == _owners(one.rows) | _owners(other.rows)


def _owners(rows):
    return {row_of(key).account_id for key in rows} - {None}


def _outcome(one, other, prefer):
    try:
        return merge(one, other, prefer=prefer).snapshot
    except BadInputError as error:
        return error.code


@given(st.lists(st.tuples(st.sampled_from(NAMES), blobs, st.none() | blobs), max_size=8))
def test_storage_of_edits_is_that_of_what_is_there(edits) -> None:
    """Whatever was set and removed: the root is that of a state made at once of what is left."""
    left = {}
    edited = _editor()
    for name, key, value in edits:
        if value is not None:
            edited.set_data(name, key, value)
            left[name, key] = value
        elif left.pop((name, key), None) is not None:
            edited.remove_data(name, key)
    fresh = _editor()
    for (name, key), value in left.items():
        fresh.set_data(name, key, value)
    assert edited.finish().root == fresh.finish().root


def _editor():
    world = World.from_records(CONFIG, CHAIN, records=())
    editor = Editor(CONFIG, Trie(world.store, world.root))
    for name in NAMES:
        editor.make_account(name, amount=1, locked=0)
    return editor


json_like = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["result", "error", "jsonrpc", "values", "records", "keys", "params", "header", "chunks", "x"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(json_like)
def test_no_file_is_a_defect(document) -> None:
    """Whatever JSON: it is something, or refused as bad input."""

    data = json.dumps(document).encode()
    for account_id in (None, "a.near"):
        try:
            recognise(data, "x")
            gathered(Source("x", data, account_id, None))
        except BadInputError:
            continue
