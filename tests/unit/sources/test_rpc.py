"""Answers of a node: fields, pages, the block they speak of."""

import pytest

from near_tee_cli.errors import BadInputError
from near_tee_cli.primitives import base58
from near_tee_cli.primitives.canonical_json import base64_text
from near_tee_cli.primitives.hashes import sha256
from near_tee_cli.primitives.schema.access_key import AccessKey, FunctionCallPermission, GasKeyInfo
from near_tee_cli.primitives.schema.account import GlobalContract, GlobalContractByAccount, LocalContract
from near_tee_cli.sources import rpc
from tests.support import answers

NOTHING = base58.encode(bytes(32))


def test_account():
    account = rpc.account_of(answers.view_account(), "x")
    assert account == (5 * 10**24, 0, LocalContract(sha256(answers.CODE)), answers.USAGE, 1)


def test_accounts_of_global_contracts_are_of_version_2():
    by_hash = answers.view_account(code_hash=NOTHING, global_contract_hash=base58.encode(b"\1" * 32))
    assert rpc.account_of(by_hash, "x")[2:] == (GlobalContract(b"\1" * 32), answers.USAGE, 2)
    by_account = answers.view_account(code_hash=NOTHING, global_contract_account_id="g.near")
    assert rpc.account_of(by_account, "x").contract == GlobalContractByAccount("g.near")


@pytest.mark.parametrize("change", [{"amount": 1.5}, {"locked": None}, {"unknown": 1}, {"version": "V1"}])
def test_accounts_that_are_none(change):
    with pytest.raises(BadInputError, match="x"):
        rpc.account_of(answers.view_account(**change), "x")


def test_code_has_its_hash():
    assert rpc.code_of(answers.view_code(), "x") == answers.CODE
    with pytest.raises(BadInputError) as refused:
        rpc.code_of({**answers.view_code(), "hash": NOTHING}, "x")
    assert refused.value.code == "code-hash-mismatch"


def test_permissions():
    call = {"allowance": "5", "receiver_id": "a.near", "method_names": ["m"]}
    permission = FunctionCallPermission(5, "a.near", ("m",))
    for view, key in (
        ("FullAccess", AccessKey(7, None, None)),
        ({"FunctionCall": call}, AccessKey(7, permission, None)),
        ({"GasKeyFullAccess": {"balance": "9", "num_nonces": 2}}, AccessKey(7, None, GasKeyInfo(9, 2))),
        (
            {"GasKeyFunctionCall": {"balance": "9", "num_nonces": 2, **call}},
            AccessKey(7, permission, GasKeyInfo(9, 2)),
        ),
    ):
        assert rpc.access_key_of({"nonce": 7, "permission": view}, "x") == key


def test_key_list_has_no_key_twice():
    assert list(rpc.access_keys_of(answers.view_access_key_list(), "x").values()) == [AccessKey(5, None, None)]
    with pytest.raises(BadInputError) as refused:
        rpc.access_keys_of(answers.view_access_key_list(answers.KEY, answers.KEY), "x")
    assert refused.value.code == "duplicate-key"


def page(rows, request=None, **more):
    return rpc.page_of(answers.view_state(rows, **more), request or {}, "x")


def test_rows_of_a_page():
    found = page({b"bb": b"2", b"a": b"1"})
    assert list(found.rows.items()) == [(b"a", b"1"), (b"bb", b"2")]
    assert (found.after, found.last, found.asked) == (None, None, False)


def test_prefix_is_incomplete():
    assert page({}, {"prefix_base64": ""}).rows == {}
    with pytest.raises(BadInputError) as refused:
        page({}, {"prefix_base64": "YQ=="})
    assert refused.value.code == "incomplete-state"


def test_key_that_comes_twice():
    values = [{"key": "YQ==", "value": ""}, {"key": "YQ==", "value": ""}]
    with pytest.raises(BadInputError) as refused:
        rpc.page_of({"values": values}, {}, "x")
    assert refused.value.code == "duplicate-key"


@pytest.mark.parametrize("item", [1, {}, {"key": "YQ=="}, {"key": "YQ==", "value": "?"}, {"key": 1, "value": ""}])
def test_values_that_are_none(item):
    with pytest.raises(BadInputError):
        rpc.page_of({"values": [item]}, {}, "x")


ONE, TWO = {b"a": b"1"}, {b"b": b"2"}
B64_A = base64_text(b"a")


def test_pages_join():
    first, second = page(ONE, {"limit": 1}, last_key=B64_A), page(TWO, {"after_key_base64": B64_A})
    for pages in ([first, second], [second, first]):
        rows, certain = rpc.joined([("x", one) for one in pages], "a.near")
        assert (rows, certain) == ({**ONE, **TWO}, True)


def test_pages_without_their_requests_are_not_certain():
    rows, certain = rpc.joined([("x", page(ONE, last_key=B64_A)), ("y", page(TWO))], "a.near")
    assert (rows, certain) == ({**ONE, **TWO}, False)


@pytest.mark.parametrize(
    ("pages", "code"),
    [
        ([page(ONE, last_key=B64_A)], "incomplete-state"),
        ([page(ONE, next_key=B64_A)], "incomplete-state"),
        ([page(TWO, {"after_key_base64": B64_A})], "incomplete-state"),
        ([page(ONE, last_key=B64_A), page({b"c": b""}, {"after_key_base64": base64_text(b"b")})], "incomplete-state"),
        ([page(ONE), page(TWO)], "contradiction"),
        ([page(ONE), page(ONE)], "duplicate-key"),
    ],
)
def test_pages_that_do_not_join(pages, code):
    with pytest.raises(BadInputError) as refused:
        rpc.joined([("x", one) for one in pages], "a.near")
    assert refused.value.code == code


def test_last_key_is_the_last_key():
    with pytest.raises(BadInputError, match="last_key"):
        page(TWO, last_key=B64_A)


def test_block():
    header = {
        "height": 9, "timestamp": 1, "timestamp_nanosec": "123", "prev_hash": NOTHING, "random_value": NOTHING,
        "epoch_id": NOTHING, "gas_price": "100", "hash": base58.encode(b"\7" * 32),
    }  # fmt: skip
    at, block = rpc.block_of({"header": header, "chunks": [{"gas_limit": 10**15}]}, "x")
    assert at == (9, b"\7" * 32)
    assert (block.height, block.timestamp, block.gas_price, block.gas_limit) == (9, 123, 100, 10**15)
    del header["gas_price"]
    with pytest.raises(BadInputError, match="gas_price"):
        rpc.block_of({"header": header, "chunks": []}, "x")
