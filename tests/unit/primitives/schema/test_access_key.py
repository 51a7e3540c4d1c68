"""Access keys: the four permissions and their lengths, which storage is billed by."""

import pytest

from near_tee_cli.errors import BadInputError
from near_tee_cli.primitives.schema import access_key as schema
from near_tee_cli.primitives.schema.access_key import (
    AccessKey,
    FunctionCallPermission,
    GasKeyInfo,
    decode_access_key,
    encode_access_key,
    full_access_key,
)
from near_tee_cli.primitives.schema.account_json import access_key_json, read_access_key
from near_tee_cli.primitives.schema.views import access_key_view

CALLS = FunctionCallPermission(10, "a.near", ("m",))
INFO = GasKeyInfo(7, 3)


def test_lengths() -> None:
    assert encode_access_key(full_access_key(5)) == b"\5" + bytes(7) + b"\1"
    assert len(encode_access_key(AccessKey(0, None, GasKeyInfo(0, 0)))) == schema.MIN_GAS_KEY_LENGTH == 27
    assert len(encode_access_key(AccessKey(0, None, INFO))) - 9 == schema.GAS_KEY_INFO_LENGTH == 18


@pytest.mark.parametrize(
    ("key", "tag", "plain", "view"),
    [
        (AccessKey(1, CALLS, None), 0, "FunctionCall", "FunctionCall"),
        (AccessKey(1, CALLS, INFO), 2, "GasKeyFunctionCall", "GasKeyFunctionCall"),
        (AccessKey(1, None, INFO), 3, "GasKeyFullAccess", "GasKeyFullAccess"),
    ],
)
def test_permissions(key, tag, plain, view) -> None:
    assert encode_access_key(key)[8] == tag
    assert decode_access_key(encode_access_key(key)) == key
    assert list(access_key_json(key)["permission"]) == [plain]
    assert read_access_key(access_key_json(key)) == key
    assert list(access_key_view(key)["permission"]) == [view]


def test_full_access_is_a_word() -> None:
    assert access_key_json(full_access_key(1)) == {"nonce": 1, "permission": "FullAccess"}
    assert read_access_key({"nonce": 1, "permission": "FullAccess"}) == full_access_key(1)


@pytest.mark.parametrize("data", [b"", bytes(8), bytes(8) + b"\4", bytes(8) + b"\1\0", bytes(8) + b"\0\2"])
def test_malformed(data) -> None:
    with pytest.raises(BadInputError):
        decode_access_key(data)


@pytest.mark.parametrize(
    "permission", ["Full", {"Full": {}}, {"GasKeyFunctionCall": []}, {"FunctionCall": {"receiver_id": "a"}}, 5]
)
def test_malformed_json(permission) -> None:
    with pytest.raises(BadInputError):
        read_access_key({"nonce": 1, "permission": permission})
