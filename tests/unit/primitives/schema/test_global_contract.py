"""Global contracts: the account id that a state init derives (runtime/runtime/src/action_validation.rs)."""

import pytest

from near_tee_cli.errors import BadInputError
from near_tee_cli.primitives.schema.account import GlobalContract, GlobalContractByAccount
from near_tee_cli.primitives.schema.global_contract import (
    deterministic_account_id,
    encode_identifier,
    identifier_length,
    read_identifier,
    state_init,
)


def test_derived_account_id() -> None:
    init = state_init(GlobalContractByAccount("ft.near"), ())
    assert deterministic_account_id(init) == "0s69284a5453e7be5632b28b6a01baecf6c12c156d"


def test_identifiers() -> None:
    by_hash, by_account = GlobalContract(bytes(range(32))), GlobalContractByAccount("ft.near")
    for identifier in (by_hash, by_account):
        data = encode_identifier(identifier)
        assert read_identifier(data, 0) == (identifier, len(data))
    assert identifier_length(by_hash) == 32
    assert identifier_length(by_account) == 7
    with pytest.raises(BadInputError, match="unknown kind 2"):
        read_identifier(b"\2" + bytes(32), 0)
