"""Account ids: which text is one, what kind of account it names, and who is whose sub-account.

These are the rules of version 2. An id is plain `str`; the check works on bytes, because host functions read
ids from guest memory and ask on every call.

Mirrors nearcore: core/primitives-core/src/types.rs (crate near-account-id)
"""

from enum import Enum

from near_tee_cli.errors import BadInputError

MIN_LENGTH = 2
MAX_LENGTH = 64

SYSTEM = "system"
"""Pseudo-sender of refunds and receiver of global-contract distributions."""

_NEAR_IMPLICIT_LENGTH = 64
_HEX_ID_LENGTH = 42
_HEX_DIGITS = b"0123456789abcdef"

# Letters and digits become `a`, the separators `-._` become `.`, everything else `!`.
_CLASSES = (
    b"!" * 45 + b".." + b"!" + b"a" * 10 + b"!" * 37 + b"." + b"!" + b"a" * 26 + b"!" * 133
)  # fmt: skip


class AccountKind(Enum):
    """What an account id says about the account's origin."""

    NAMED = "named"
    NEAR_IMPLICIT = "near-implicit"
    """64 hexadecimal digits: an ed25519 public key."""
    ETH_IMPLICIT = "eth-implicit"
    """`0x` and 40 hexadecimal digits: an Ethereum address."""
    DETERMINISTIC = "deterministic"
    """`0s` and 40 hexadecimal digits: the hash of the account's initial state."""


def is_valid_bytes(data: bytes) -> bool:
    """Whether `data` is the ASCII text of an account id."""
    if not 2 <= len(data) <= 64:
        return False
    classes = data.translate(_CLASSES)
    if classes.isalpha():
        return True
    return not (b"!" in classes or b".." in classes or classes[0] == 46 or classes[-1] == 46)


def is_valid(text: str) -> bool:
    """Whether `text` is an account id: 2 to 64 of `a-z 0-9 - _ .`, each separator between two letters or digits."""
    return text.isascii() and is_valid_bytes(text.encode())


def require_valid(text: str) -> str:
    """`text` itself when it is an account id. Raises `BadInputError` with the reason otherwise."""
    if is_valid(text):
        return text
    shown = text if len(text) <= MAX_LENGTH else text[:MAX_LENGTH] + "..."
    if not MIN_LENGTH <= len(text) <= MAX_LENGTH:
        raise BadInputError(f"account id {shown!r} has {len(text)} characters, not {MIN_LENGTH} to {MAX_LENGTH}")
    raise BadInputError(
        f"account id {shown!r} is not made of a-z, 0-9 and single separators (- _ .) between them",
        hint="lower-case letters, digits and single separators that are neither first nor last",
    )


def _is_hex(text: str) -> bool:
    return not text.encode().translate(None, _HEX_DIGITS)


def kind(account_id: str) -> AccountKind:
    """The kind of a valid `account_id`."""
    length = len(account_id)
    if length == _HEX_ID_LENGTH and account_id[0] == "0" and _is_hex(account_id[2:]):
        if account_id[1] == "x":
            return AccountKind.ETH_IMPLICIT
        if account_id[1] == "s":
            return AccountKind.DETERMINISTIC
    elif length == _NEAR_IMPLICIT_LENGTH and _is_hex(account_id):
        return AccountKind.NEAR_IMPLICIT
    return AccountKind.NAMED


def is_implicit(account_id: str) -> bool:
    """Whether a valid `account_id` is of any kind but named: a transfer or a state init may create the account."""
    return len(account_id) in (_HEX_ID_LENGTH, _NEAR_IMPLICIT_LENGTH) and kind(account_id) is not AccountKind.NAMED


def is_top_level(account_id: str) -> bool:
    """Whether a valid `account_id` has no parent: no dot in it, and not `system`."""
    return "." not in account_id and account_id != SYSTEM


def is_sub_account_of(account_id: str, ancestor: str) -> bool:
    """Whether `account_id` is `ancestor` with exactly one dot-free label before it."""
    label_end = len(account_id) - len(ancestor) - 1
    return (
        label_end > 0
        and account_id[label_end] == "."
        and account_id.endswith(ancestor)
        and "." not in account_id[:label_end]
    )


def parent(account_id: str) -> str | None:
    """The account that alone may create the valid `account_id`, or `None` for a top-level one."""
    _, dot, rest = account_id.partition(".")
    return rest if dot else None
