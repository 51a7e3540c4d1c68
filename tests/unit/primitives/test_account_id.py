"""Lists of the crate near-account-id 2.0 (src/test_data.rs), and the rule written as a regular expression."""

import json
import pathlib
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from near_tee_cli.errors import BadInputError
from near_tee_cli.primitives import account_id
from near_tee_cli.primitives.account_id import AccountKind

LISTS = json.loads((pathlib.Path(__file__).parent / "data" / "account_ids.json").read_text())
VALID = LISTS["valid"]
INVALID = [*LISTS["invalid"], "", "near\n", "ne\0ar", "n\u00e9ar", "\u0131d"]

RULE = re.compile(r"(([a-z\d]+[-_])*[a-z\d]+\.)*([a-z\d]+[-_])*[a-z\d]+", re.ASCII)


@pytest.mark.parametrize("text", VALID)
def test_valid(text: str) -> None:
    assert account_id.is_valid(text)
    assert account_id.require_valid(text) == text


@pytest.mark.parametrize("text", INVALID)
def test_invalid(text: str) -> None:
    assert not account_id.is_valid(text)
    with pytest.raises(BadInputError, match="account id"):
        account_id.require_valid(text)


@given(
    st.text(alphabet="az09-_.A!@", max_size=12)
    | st.text(alphabet="b5-._", min_size=60, max_size=68)
    | st.text(max_size=6)
)
def test_agrees_with_the_regular_expression(text: str) -> None:
    assert account_id.is_valid(text) == (2 <= len(text) <= 64 and RULE.fullmatch(text) is not None)


def test_every_single_byte_between_two_letters() -> None:
    allowed = b"abcdefghijklmnopqrstuvwxyz0123456789-_."
    for byte in range(256):
        assert account_id.is_valid_bytes(b"a" + bytes([byte]) + b"b") == (byte in allowed), byte


def test_lone_surrogate_is_no_account_id() -> None:
    assert not account_id.is_valid("near\ud800")


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("alice.near", AccountKind.NAMED),
        ("system", AccountKind.NAMED),
        ("0x96791e923f8cf697ad9c3290f2c9059f0231b24c", AccountKind.ETH_IMPLICIT),
        ("0s69284a5453e7be5632b28b6a01baecf6c12c156d", AccountKind.DETERMINISTIC),
        ("bb4dc639b212e075a751685b26bdcea5920a504181ff2910e8549742127092a0", AccountKind.NEAR_IMPLICIT),
        ("0x96791e923f8cf697ad9c3290f2c9059f0231b24g", AccountKind.NAMED),
        ("0x96791e923f8cf697ad9c3290f2c9059f0231b24", AccountKind.NAMED),
        ("0y96791e923f8cf697ad9c3290f2c9059f0231b24c", AccountKind.NAMED),
        ("1x96791e923f8cf697ad9c3290f2c9059f0231b24c", AccountKind.NAMED),
        ("0s69284a5453e7be5632b28b6a01baecf6c12c15-d", AccountKind.NAMED),
        ("bb4dc639b212e075a751685b26bdcea5920a504181ff2910e8549742127092ag", AccountKind.NAMED),
        ("bb4dc639b212e075a751685b26bdcea5920a504181ff2910e8549742127092a", AccountKind.NAMED),
    ],
)
def test_kinds(text: str, kind: AccountKind) -> None:
    assert account_id.is_valid(text)
    assert account_id.kind(text) is kind
    assert account_id.is_implicit(text) == (kind is not AccountKind.NAMED)


def test_top_level() -> None:
    assert account_id.is_top_level("near")
    assert not account_id.is_top_level("alice.near")
    assert not account_id.is_top_level(account_id.SYSTEM)


@pytest.mark.parametrize(
    ("child", "parent", "is_child"),
    [
        ("alice.near", "near", True),
        ("a-b_c.near", "near", True),
        ("app.alice.near", "alice.near", True),
        ("app.alice.near", "near", False),
        ("near", "near", False),
        ("xnear", "near", False),
        ("alice.near", "ear", False),
        ("alice.near", "alice.near", False),
        ("near", "alice.near", False),
        ("alice.near", "aurora", False),
    ],
)
def test_sub_accounts(child: str, parent: str, is_child: bool) -> None:
    assert account_id.is_sub_account_of(child, parent) == is_child


def test_parent() -> None:
    assert account_id.parent("app.alice.near") == "alice.near"
    assert account_id.parent("near") is None
