"""Actions: nearcore's delegate (core/primitives/src/action/delegate.rs), nesting, unknown numbers."""

import pytest

from near_tee_cli.errors import BadInputError
from near_tee_cli.primitives.hashes import sha256
from near_tee_cli.primitives.schema.account import GlobalContract
from near_tee_cli.primitives.schema.action import (
    TAGS,
    CreateAccount,
    Delegate,
    DelegateAction,
    DelegateV2,
    DeterministicStateInit,
    decode_action,
    delegate_message,
    encode_action,
    is_delegate,
)
from near_tee_cli.primitives.schema.action_json import action_json, read_action
from near_tee_cli.primitives.schema.global_contract import state_init

DELEGATE_HEX = (
    "0803000000616161030000006262620100000000010000000000000002000000000000"
    "0000000000000000000000000000000000000000000000000000000000000000000000"
    "0000000000000000000000000000000000000000000000000000000000000000000000"
    "0000000000000000000000000000000000000000000000000000000000"
)


def delegate_action(*actions) -> DelegateAction:
    return DelegateAction("aaa", "bbb", tuple(actions), 1, None, 2, bytes(33))


def test_delegate_of_nearcore() -> None:
    action = Delegate(delegate_action(CreateAccount()), bytes(65))
    assert encode_action(action).hex() == DELEGATE_HEX
    assert decode_action(bytes.fromhex(DELEGATE_HEX)) == action


def test_what_a_delegate_signs() -> None:
    inner = delegate_action(CreateAccount())
    body = bytes.fromhex(DELEGATE_HEX)[1:-65]
    assert delegate_message(Delegate(inner, bytes(65))) == sha256((2**30 + 366).to_bytes(4, "little") + body)
    second = DelegateV2(inner, bytes(65))
    body = encode_action(second)[1:-65]
    assert body[0] == 0
    assert delegate_message(second) == sha256((2**30 + 611).to_bytes(4, "little") + body)


@pytest.mark.parametrize("outer", [Delegate, DelegateV2])
@pytest.mark.parametrize("inner", [Delegate, DelegateV2])
def test_a_delegate_inside_a_delegate_is_refused(outer, inner) -> None:
    nested = outer(delegate_action(inner(delegate_action(), bytes(65))), bytes(65))
    with pytest.raises(BadInputError, match="inside a delegate"):
        decode_action(encode_action(nested))
    with pytest.raises(BadInputError, match="inside a delegate"):
        read_action(action_json(nested))


def test_unknown_numbers() -> None:
    assert sorted(TAGS.values()) == list(range(15))
    with pytest.raises(BadInputError, match="unknown action 15"):
        decode_action(b"\x0f")
    with pytest.raises(BadInputError, match="unknown action"):
        read_action({"Burn": {}})


def test_delegates_are_told_from_others() -> None:
    assert is_delegate(Delegate(delegate_action(), bytes(65)))
    assert not is_delegate(CreateAccount())


def test_rows_of_a_state_init_are_put_in_order() -> None:
    rows = [(b"b", b"1"), (b"a", b"2"), (b"b", b"3")]
    init = state_init(GlobalContract(bytes(32)), rows)
    assert init.data == ((b"a", b"2"), (b"b", b"3"))
    action = DeterministicStateInit(init, 5)
    swapped = encode_action(action).replace(
        b"\x01\0\0\0a\x01\0\0\0" + b"2" + b"\x01\0\0\0b\x01\0\0\0" + b"3",
        b"\x01\0\0\0b\x01\0\0\0" + b"3" + b"\x01\0\0\0a\x01\0\0\0" + b"2",
    )
    assert swapped != encode_action(action)
    assert decode_action(swapped) == action
