"""Files put together: what fits, what contradicts, what is missing, and what is said of it."""

import json

import pytest

from near_tee_cli.errors import BadInputError
from near_tee_cli.params.store import config_at
from near_tee_cli.primitives import base58
from near_tee_cli.primitives.canonical_json import base64_text
from near_tee_cli.primitives.hashes import sha256
from near_tee_cli.primitives.schema.account import GlobalContract, LocalContract
from near_tee_cli.primitives.schema.receipt import PROMISE_YIELD, ActionReceipt, Receipt
from near_tee_cli.primitives.schema.records import (
    AccessKeyRecord,
    AccountRecord,
    ContractRecord,
    DataRecord,
    DelayedReceiptRecord,
    PostponedReceiptRecord,
    record_json,
)
from near_tee_cli.sources.gathering import Source, gather
from near_tee_cli.sources.parts import Leniency
from near_tee_cli.sources.record_lists import Stated
from near_tee_cli.state import keys
from tests.support import answers
from tests.support.worlds import account

CONFIG = config_at(86)
STRICT = Leniency(incomplete=False, mixed_blocks=False)
NOTHING = base58.encode(bytes(32))


def of(*bodies, name=answers.ACCOUNT):
    return [Source(f"{at}.json", answers.answer(body), name, None) for at, body in enumerate(bodies)]


def file(document, name="records.json"):
    return Source(name, json.dumps(document).encode(), None, None)


def gathered(*sources, lenient=STRICT, account_id=None, codes=None, balances=None, known=None):
    stated = Stated(account_id, codes or {}, balances or {}, (known or {}).get)
    return gather(sources, stated=stated, lenient=lenient, config=CONFIG)


def refused(*sources, **more):
    with pytest.raises(BadInputError) as error:
        gathered(*sources, **more)
    return error.value.code


WHOLE = (answers.view_account(), answers.view_code(), answers.view_state(), answers.view_access_key_list())


def test_whole_account():
    found = gathered(*of(*WHOLE))
    kinds = [type(record) for record in found.records]
    assert kinds == [AccountRecord, ContractRecord, AccessKeyRecord, DataRecord, DataRecord]
    assert found.records[0].account.contract == LocalContract(sha256(answers.CODE))
    assert {record.data_key: record.value for record in found.records[3:]} == answers.ROWS
    assert found.height == 100
    assert [one.shape for one in found.detected] == [
        "view-account", "view-code", "view-state", "view-access-key-list",
    ]  # fmt: skip
    assert len(found.notes) == 1, "only that of the block nothing but the height is known"


def test_order_of_files_does_not_matter():
    assert gathered(*of(*WHOLE)).records == gathered(*reversed(of(*WHOLE))).records


def test_account_comes_from_the_request_the_line_or_the_default():
    body = answers.answer(answers.view_account(code_hash=NOTHING), params={"account_id": "a.near"})
    assert gathered(Source("x", body, None, None)).records[0].account_id == "a.near"
    assert refused(Source("x", body, "b.near", None)) == "contradiction"
    bare = answers.answer(answers.view_account(code_hash=NOTHING))
    assert refused(Source("x", bare, None, None)) == "account-needed"
    assert gathered(Source("x", bare, None, None), account_id="c.near").records[0].account_id == "c.near"


def test_single_access_key_needs_its_key():
    body = {"nonce": 3, "permission": "FullAccess", **answers.BLOCK}
    account_file = of(answers.view_account(code_hash=NOTHING))[0]
    assert refused(account_file, Source("k", answers.answer(body), answers.ACCOUNT, None)) == "key-needed"
    handle = b"\0" + b"\5" * 32
    found = gathered(account_file, Source("k", answers.answer(body), answers.ACCOUNT, handle))
    assert found.records[1] == AccessKeyRecord(answers.ACCOUNT, handle, (3, None, None))
    assert any("not all given" in note for note in found.notes)


def test_code_that_is_missing():
    assert refused(*of(answers.view_account())) == "incomplete-account"
    lenient = Leniency(incomplete=True, mixed_blocks=False)
    assert any("missing: the code" in note for note in gathered(*of(answers.view_account()), lenient=lenient).notes)
    codes = {answers.ACCOUNT: answers.CODE}
    assert gathered(*of(answers.view_account()), codes=codes).records[1] == ContractRecord(*codes.popitem())


def test_code_that_does_not_fit():
    assert refused(*of(answers.view_account(), answers.view_code(b"other"))) == "code-hash-mismatch"
    assert refused(*of(answers.view_account()), codes={answers.ACCOUNT: b"other"}) == "code-hash-mismatch"
    assert refused(*of(answers.view_account(code_hash=NOTHING), answers.view_code())) == "contradiction"
    assert refused(*of(answers.view_code(), answers.view_code(b"other"))) == "contradiction"


def test_global_contract_is_a_raw_row():
    shared = answers.view_account(code_hash=NOTHING, global_contract_hash=base58.encode(sha256(answers.CODE)))
    found = gathered(*of(shared, answers.view_code()))
    assert found.raw == [(keys.global_contract_code(GlobalContract(sha256(answers.CODE))), answers.CODE)]
    assert refused(*of(shared)) == "incomplete-account"


def test_storage_that_does_not_add_up_is_said():
    more = gathered(*of(answers.view_account(storage_usage=answers.USAGE + 50), *WHOLE[1:]))
    assert any("data or keys are missing" in note for note in more.notes)
    less = gathered(*of(answers.view_account(storage_usage=answers.USAGE - 50), *WHOLE[1:]))
    assert any("more is given" in note for note in less.notes)


def test_data_without_an_account():
    assert refused(*of(answers.view_state())) == "incomplete-account"
    found = gathered(*of(answers.view_state()), balances={answers.ACCOUNT: 7}, codes={answers.ACCOUNT: answers.CODE})
    assert found.records[0].account == (7, 0, LocalContract(sha256(answers.CODE)), answers.USAGE - 82, 1)


def test_state_map():
    document = {base64_text(key): base64_text(value) for key, value in answers.ROWS.items()}
    found = gathered(Source("m", json.dumps(document).encode(), "a.near", None), balances={"a.near": 1})
    assert {record.data_key: record.value for record in found.records[1:]} == answers.ROWS


def test_blocks_that_are_mixed():
    other = {**answers.view_code(), "block_height": 101}
    assert refused(*of(answers.view_account(), other)) == "mixed-blocks"
    other = {**answers.view_code(), "block_hash": NOTHING}
    assert refused(*of(answers.view_account(), other)) == "mixed-blocks"
    lenient = Leniency(incomplete=False, mixed_blocks=True)
    found = gathered(*of(answers.view_account(), {**answers.view_code(), "block_height": 101}), lenient=lenient)
    assert found.height == 101
    assert any("different blocks" in note for note in found.notes)


def test_answers_that_contradict_one_another():
    assert refused(*of(answers.view_account(), answers.view_account(locked="1"))) == "contradiction"
    assert refused(*of(*WHOLE, answers.view_state())) == "duplicate-key"
    assert gathered(*of(*WHOLE, answers.view_account())).records == gathered(*of(*WHOLE)).records


def records(*found):
    return file([record_json(record) for record in found])


def test_records_in_all_wrappings():
    found = account("a.near", 5, code=b"x")
    array = [record_json(record) for record in found]
    patch = {"jsonrpc": "2.0", "id": 1, "method": "sandbox_patch_state", "params": {"records": array}}
    for document in (array, {"records": array}, patch):
        assert gathered(file(document)).records == found
    assert refused(Source("x", json.dumps(array).encode(), "a.near", None)) == "account-not-needed"


def test_records_that_come_twice():
    one, other = account("a.near", 5), account("a.near", 6)
    assert refused(records(*one, *one)) == "duplicate-record"
    assert refused(records(*one), records(*other)._replace(name="other.json")) == "contradiction"
    again = records(*one)._replace(name="other.json")
    assert gathered(records(*one), again).records == one


def test_rows_without_their_account():
    data = DataRecord("a.near", b"k", b"v")
    assert refused(records(data)) == "incomplete-account"
    made = gathered(records(data), balances={"a.near": 3}).records
    assert (made[0].account.amount, made[0].account.storage_usage) == (3, 142)
    coded = gathered(records(data), balances={"a.near": 3}, codes={"a.near": b"code"}).records
    assert coded[0].account[2:4] == (LocalContract(sha256(b"code")), 146)
    assert coded[1] == ContractRecord("a.near", b"code")
    (below,) = account("a.near", 5)[:1]
    assert gathered(records(data), known={"a.near": below.account}).records == [below, data]


def test_code_of_records():
    with_code = account("a.near", 5, code=b"x")
    without = [record for record in with_code if not isinstance(record, ContractRecord)]
    assert refused(records(*without)) == "incomplete-account"
    assert refused(records(*without), codes={"a.near": b"y"}) == "code-hash-mismatch"
    assert gathered(records(*without), codes={"a.near": b"x"}).records[1] == ContractRecord("a.near", b"x")
    assert refused(records(*with_code), codes={"a.near": b"y"}) == "contradiction"


def test_code_that_is_in_the_state_below():
    below = account("a.near", 5, code=b"x")
    richer = [record for record in account("a.near", 6, code=b"x") if not isinstance(record, ContractRecord)]
    assert gathered(records(*richer), known={"a.near": below[0].account}).records == richer


def test_code_before_its_account():
    found = account("a.near", 5, code=b"x")
    assert refused(records(found[1], found[0])) == "bad-order"
    assert gathered(records(found[1]), records(found[0])._replace(name="y")).records == found[:2]


def test_code_for_an_account_that_names_none():
    assert refused(records(*account("a.near")), codes={"a.near": b"x"}) == "contradiction"


def test_balance_that_the_line_states_otherwise():
    for sources, name in ((of(*WHOLE), answers.ACCOUNT), ([records(*account("a.near"))], "a.near")):
        found = gathered(*sources, balances={name: 3})
        assert found.records[0].account.amount == 3
        assert any("3 yoctoNEAR as the line states" in note for note in found.notes)


def test_records_and_answers_of_one_account():
    assert refused(records(*account(answers.ACCOUNT)), *of(*WHOLE)) == "contradiction"


def test_records_of_the_system_are_skipped_and_said():
    found = gathered(records(*account("a.near"), DataRecord("system", b"k", b"v")))
    assert len(found.records) == 2
    assert any("system" in note for note in found.notes)


def receipt(tag):
    return Receipt(
        "a.near", "a.near", b"\1" * 32, ActionReceipt(tag, "a.near", None, b"\0" * 33, 0, (), (b"\2" * 32,), ())
    )


def test_delayed_receipts_come_from_one_file():
    delayed = DelayedReceiptRecord(receipt(0))
    assert gathered(records(*account("a.near"), delayed, delayed)).records[-2:] == [delayed, delayed]
    assert refused(records(delayed), records(delayed)._replace(name="y")) == "contradiction"


def test_yields_in_records_are_said_to_have_no_timeouts():
    found = gathered(records(*account("a.near"), PostponedReceiptRecord(receipt(PROMISE_YIELD))))
    assert any("never time out" in note for note in found.notes)


GENESIS = {
    "chain_id": "sandbox", "protocol_version": 86, "genesis_height": 5, "genesis_time": "2021-01-01T00:00:00Z",
    "min_gas_price": "7", "gas_limit": 10**15, "validators": [{"account_id": "a.near", "amount": "9"}],
}  # fmt: skip


def test_genesis_in_one_file_or_two():
    array = [record_json(record) for record in account("a.near", usage=0)]
    one = gathered(file({**GENESIS, "records": array}))
    two = gathered(file(GENESIS, "genesis.json"), file(array))
    assert one.records == two.records
    assert one.records[0].account[1:4] == (9, None, 182)
    assert one.block.height == 5
    assert [tuple(found) for found in one.recounted] == [("a.near", 0, 182)]
    assert refused(file(GENESIS), file(GENESIS)) == "contradiction"
    assert refused(file({**GENESIS, "records": array}), *of(*WHOLE)) == "contradiction"


def test_block_of_an_answer():
    header = {
        "height": 100, "timestamp_nanosec": "123", "prev_hash": NOTHING, "random_value": NOTHING, "epoch_id": NOTHING,
        "gas_price": "100", "hash": answers.BLOCK["block_hash"],
    }  # fmt: skip
    block = file({"header": header, "chunks": []}, "block.json")
    found = gathered(*of(*WHOLE), block)
    assert (found.block.height, found.block.timestamp, found.height) == (100, 123, None)
    header["height"] = 99
    assert refused(*of(*WHOLE), file({"header": header, "chunks": []}, "block.json")) == "mixed-blocks"
