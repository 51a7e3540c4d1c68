"""Cases: defaults, and one refusal for each way to write a case wrongly."""

import json
from typing import Any

import pytest

from near_tee_cli.errors import BadInputError, UnsupportedError
from near_tee_cli.primitives import base58
from near_tee_cli.workspace.cases import is_case, read_case


def document(**changes: Any) -> dict[str, Any]:
    case: dict[str, Any] = {
        "format": "near-tee/case/v1",
        "name": "small",
        "protocol_version": 86,
        "records": [],
        "blocks": [{}, {"height": 9}, {}],
    }
    case.update(changes)
    return case


def read(case: dict[str, Any]) -> Any:
    return read_case(json.dumps(case).encode(), "small.json")


def test_defaults_of_the_format() -> None:
    case = read(document())
    assert (case.chain_id, case.validators, case.raw, case.about, case.expect) == ("localnet", {}, (), "", None)
    first, second, third = case.blocks
    assert (first.height, second.height, third.height) == (1, 9, 10)
    assert (first.timestamp, second.timestamp, third.timestamp) == (100, 1_000_000_100, 2_000_000_100)
    assert first.prev_block_hash == first.random_seed == first.epoch_id == bytes(32)
    assert (first.epoch_height, first.gas_price, first.gas_limit) == (0, 100_000_000, 10**15)
    assert (first.is_new_chunk, first.forward) == (True, True)
    assert (first.transactions, first.expired, first.receipts, first.views) == ((), frozenset(), (), ())


def test_what_is_given_is_taken() -> None:
    block = {
        "height": 2**64 - 1, "timestamp": 7, "prev_block_hash": base58.encode(b"p" * 32), "random_seed": "1" * 32,
        "epoch_id": base58.encode(b"e" * 32), "epoch_height": 3, "gas_price": "5", "gas_limit": None,
        "is_new_chunk": False,
        "transactions": ["AQ==", "Ag=="], "expired": [1], "receipts": ["Aw=="], "forward": False,
        "views": [{"account_id": "a.near", "method_name": "m", "args": "e30="}],
    }  # fmt: skip
    case = read(
        document(blocks=[block], chain_id="testnet", validators={"v.near": "12"}, raw=[["AA==", ""]], about="why")
    )
    (got,) = case.blocks
    assert (got.height, got.timestamp, got.prev_block_hash, got.epoch_id) == (2**64 - 1, 7, b"p" * 32, b"e" * 32)
    assert (got.gas_price, got.gas_limit, got.is_new_chunk, got.forward) == (5, None, False, False)
    assert (got.transactions, got.expired, got.receipts) == ((b"\1", b"\2"), frozenset({1}), (b"\3",))
    assert got.views == (("a.near", "m", b"{}"),)
    assert (case.chain_id, case.validators, case.raw, case.about) == ("testnet", {"v.near": 12}, ((b"\0", b""),), "why")


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"format": "something"}, "not a case"),
    ({"format": 1}, "not a case"),
    ({"surprise": 1}, "unknown member 'surprise'"),
    ({"name": None}, "name is null"),
    ({"protocol_version": "86"}, "protocol_version"),
    ({"protocol_version": -1}, "protocol_version"),
    ({"protocol_version": True}, "protocol_version"),
    ({"records": {}}, "records"),
    ({"raw": [["AA=="]]}, r"raw\[0\]"),
    ({"raw": [["AA==", "*"]]}, r"raw\[0\]\[1\]"),
    ({"validators": {"NOT VALID": "1"}}, "no account id"),
    ({"validators": {"a.near": 1}}, "validators.a.near"),
    ({"validators": []}, "validators"),
    ({"blocks": None}, "blocks"),
    ({"blocks": [1]}, r"blocks\[0\]"),
    ({"blocks": [{"hight": 1}]}, "unknown member 'hight'"),
    ({"blocks": [{"height": 2**64}]}, r"blocks\[0\].height"),
    ({"blocks": [{"gas_price": 1}]}, r"blocks\[0\].gas_price"),
    ({"blocks": [{"gas_limit": -1}]}, r"blocks\[0\].gas_limit"),
    ({"blocks": [{"is_new_chunk": 1}]}, r"blocks\[0\].is_new_chunk"),
    ({"blocks": [{"epoch_id": None}]}, r"blocks\[0\].epoch_id"),
    ({"blocks": [{"random_seed": "1111"}]}, r"blocks\[0\].random_seed"),
    ({"blocks": [{"prev_block_hash": "0" * 44}]}, r"blocks\[0\].prev_block_hash"),
    ({"blocks": [{"transactions": ["AB=="]}]}, r"blocks\[0\].transactions\[0\]"),
    ({"blocks": [{"expired": [0]}]}, "names transaction 0 of 0"),
    ({"blocks": [{"receipts": [1]}]}, r"blocks\[0\].receipts\[0\]"),
    ({"blocks": [{"views": [{"account_id": "a.near"}]}]}, "lacks the member method_name"),
    ({"expect": []}, "expect"),
    ({"expect": {"blocks": [1]}}, r"expect.blocks\[0\]"),
    ({"expect": {"root": ""}}, "unknown member 'root'"),
]  # fmt: skip


@pytest.mark.parametrize(("change", "message"), WRONG, ids=[message for _, message in WRONG])
def test_wrong_cases_are_refused_with_their_place(change: dict[str, Any], message: str) -> None:
    with pytest.raises(BadInputError, match=message):
        read(document(**change))


@pytest.mark.parametrize("name", ["name", "protocol_version", "records", "blocks"])
def test_required_members(name: str) -> None:
    case = document()
    del case[name]
    with pytest.raises(BadInputError, match=f"lacks the member {name}"):
        read(case)


def test_another_version_of_the_format_is_refused_by_name() -> None:
    with pytest.raises(UnsupportedError) as caught:
        read(document(format="near-tee/case/v2"))
    assert caught.value.code == "unsupported-case-format"


def test_recognition_by_content() -> None:
    assert is_case(document())
    assert is_case({"format": "near-tee/case/v9"})
    assert not is_case({"format": ["near-tee/case/v1"]})
    assert not is_case({"schema": "near-tee/snapshot/v1"})
    assert not is_case([])
