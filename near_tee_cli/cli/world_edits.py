"""A state edited by a line: accounts, balances, contracts, keys and data, each said in a sentence."""

from collections.abc import Hashable, Iterable
from typing import NamedTuple

from near_tee_cli.cli import additions, arguments, defaults, files, units
from near_tee_cli.cli.parameters import Given
from near_tee_cli.cli.units import shown_near
from near_tee_cli.errors import BadInputError, UsageError
from near_tee_cli.primitives import base58
from near_tee_cli.primitives import keys as key_texts
from near_tee_cli.primitives.hashes import sha256
from near_tee_cli.primitives.schema.access_key import AccessKey, FunctionCallPermission
from near_tee_cli.runtime.editing import Editor

_SHOWN = 60


class Edits(NamedTuple):
    """What a line changes, in this order."""

    removed_accounts: tuple[str, ...]
    balances: tuple[tuple[str, int], ...]
    locked: tuple[tuple[str, int], ...]
    codes: tuple[tuple[str, bytes], ...]
    removed_codes: tuple[str, ...]
    keys: tuple[tuple[str, bytes, AccessKey], ...]
    """Account, key handle, key."""
    removed_keys: tuple[tuple[str, bytes], ...]
    data: tuple[tuple[str, bytes, bytes], ...]
    removed_data: tuple[tuple[str, bytes], ...]


def edits_of(given: Given) -> Edits:
    """The edits of a line. Raises `UsageError` and, for files, `BadInputError`."""

    def many(name: str) -> tuple[str, ...]:
        return tuple(given.get(name, ()))

    paths = additions.contract_paths(many("with"), "--with")
    rows = [_row(text, "--data") for text in many("data")]
    stdin = {f"--with {name}": path for name, path in paths}
    stdin |= {f"--data {at + 1}": text[1:] for at, (_, _, text) in enumerate(rows) if text.startswith("@")}
    files.at_most_one_stdin({"SNAPSHOT": given.get("snapshot"), **stdin})
    edits = Edits(
        removed_accounts=tuple(units.account(text, "--remove-account") for text in many("remove_account")),
        balances=additions.accounts(many("account"), "--account"),
        locked=additions.accounts(many("locked"), "--locked"),
        codes=additions.contracts(paths),
        removed_codes=tuple(units.account(text, "--remove-code") for text in many("remove_code")),
        keys=tuple(_access_key(text) for text in many("add_key")),
        removed_keys=tuple(_named_key(text, "--remove-key") for text in many("remove_key")),
        data=tuple((name, key, _value(text, "--data")) for name, key, text in rows),
        removed_data=tuple(_named_data(text, "--remove-data") for text in many("remove_data")),
    )
    _refuse_twice(edits)
    return edits


def _refuse_twice(edits: Edits) -> None:
    _unique((name for name in edits.removed_accounts), "--remove-account")
    _unique([*edits.removed_codes, *(name for name, _ in edits.codes)], "--with and --remove-code")
    _unique([*((name, key) for name, key, _ in edits.keys), *edits.removed_keys], "--add-key and --remove-key")
    _unique([*((name, key) for name, key, _ in edits.data), *edits.removed_data], "--data and --remove-data")


def _unique(things: Iterable[Hashable], flags: str) -> None:
    seen = set()
    for thing in things:
        if thing in seen:
            raise UsageError(f"{flags} name the same thing twice", where=flags.split(" ", 1)[0])
        seen.add(thing)


def apply_edits(edits: Edits, editor: Editor) -> list[str]:
    """Make the edits; what was done, in sentences. Raises `BadInputError` for what the state does not have."""
    said = []
    for name in edits.removed_accounts:
        said.append(f"{name} is removed with {editor.remove_account(name)} rows")
    for name, amount in edits.balances:
        said += _set_balance(editor, name, amount)
    for name, locked in edits.locked:
        account = editor.existing(name)
        editor.set_account(name, account._replace(locked=locked))
        said.append(f"{name} has {shown_near(locked)} at stake")
    for name, code in edits.codes:
        if editor.account(name) is None:
            said += _set_balance(editor, name, defaults.BALANCE)
        if editor.set_code(name, code):
            said.append(f"{name} runs {base58.encode(sha256(code))}, {len(code):,} bytes")
        else:
            said.append(f"{name} runs that code already")
    for name in edits.removed_codes:
        editor.remove_code(name)
        said.append(f"{name} has no contract any more")
    for name, handle, access_key in edits.keys:
        editor.set_key(name, handle, access_key=access_key)
        said.append(f"{name} has the key {key_texts.key_handle_text(handle)}: {_permission(access_key)}")
    for name, handle in edits.removed_keys:
        editor.remove_key(name, handle)
        said.append(f"{name} has the key {key_texts.key_handle_text(handle)} no more")
    for name, key, value in edits.data:
        editor.set_data(name, key, value)
        said.append(f"{name} has {len(value):,} bytes of data under {key[:_SHOWN]!r}")
    for name, key in edits.removed_data:
        editor.remove_data(name, key)
        said.append(f"{name} has no data under {key[:_SHOWN]!r} any more")
    return said


def _set_balance(editor: Editor, name: str, amount: int) -> list[str]:
    account = editor.account(name)
    if account is None:
        editor.make_account(name, amount=amount, locked=defaults.LOCKED_BALANCE)
        return [f"{name} is made with {shown_near(amount)} and no key"]
    if account.amount == amount:
        return [f"{name} has {shown_near(amount)} already"]
    editor.set_account(name, account._replace(amount=amount))
    return [f"{name} has {shown_near(amount)} instead of {shown_near(account.amount)}"]


def _permission(key: AccessKey) -> str:
    if key.function_call is None:
        return "full access"
    methods = ", ".join(key.function_call.method_names) or "any method"
    return f"calls of {key.function_call.receiver_id}, {methods}"


def _named_key(text: str, flag: str) -> tuple[str, bytes]:
    """`ACCOUNT=KEY`, a key or the handle of one."""
    name, equals, key = text.partition("=")
    if not equals:
        raise UsageError(f"{flag} takes ACCOUNT=KEY, not {text[:80]!r}", where=flag)
    return units.account(name, flag), key_handle(key, flag)


def key_handle(text: str, flag: str) -> bytes:
    """The handle of a public key, or one that is written as such. Raises `UsageError`."""
    try:
        if text.startswith("ml-dsa-65-hash:"):
            return key_texts.key_handle_from_text(text)
        return key_texts.key_handle(key_texts.public_key_from_text(text))
    except BadInputError as error:
        raise UsageError(f"{flag}: {error.message}", where=flag) from error


def _access_key(text: str) -> tuple[str, bytes, AccessKey]:
    """`ACCOUNT=KEY` and, separated by commas, receiver, method (may be repeated), allowance, nonce."""
    flag = "--add-key"
    head, *options = text.split(",")
    name, handle = _named_key(head, flag)
    single: dict[str, str] = {}
    methods = []
    for option in options:
        word, equals, value = option.partition("=")
        if word == "method" and value:
            methods.append(value)
        elif word in ("receiver", "allowance", "nonce") and equals and word not in single:
            single[word] = value
        else:
            hint = "receiver=ACCOUNT, method=NAME, allowance=AMOUNT, nonce=N"
            raise UsageError(f"{flag}: {option[:80]!r} says nothing of a key", where=flag, hint=hint)
    nonce = units.number(single["nonce"], flag) if "nonce" in single else 0
    if "receiver" not in single:
        if methods or "allowance" in single:
            raise UsageError(f"{flag}: method and allowance go with receiver", where=flag)
        return name, handle, AccessKey(nonce, None, None)
    allowance = units.near(single["allowance"], flag) if "allowance" in single else None
    permission = FunctionCallPermission(allowance, units.account(single["receiver"], flag), tuple(methods))
    return name, handle, AccessKey(nonce, permission, None)


def _row(text: str, flag: str) -> tuple[str, bytes, str]:
    """`ACCOUNT:KEY=VALUE`: the account, the key's bytes, and the value as it is written."""
    name, colon, rest = text.partition(":")
    at = _end_of_key(rest)
    if not colon or at < 0:
        raise UsageError(f"{flag} takes ACCOUNT:KEY=VALUE, not {text[:80]!r}", where=flag)
    return units.account(name, flag), _bytes(rest[:at], flag), rest[at + 1 :]


def _end_of_key(text: str) -> int:
    """Where the `=` between key and value stands: base64 ends in up to two of its own."""
    at = text.find("=")
    prefix = len("base64:")
    if text.startswith("base64:"):
        while at >= 0 and (at - prefix) % 4:
            at = text.find("=", at + 1)
    return at


def _named_data(text: str, flag: str) -> tuple[str, bytes]:
    name, colon, key = text.partition(":")
    if not colon:
        raise UsageError(f"{flag} takes ACCOUNT:KEY, not {text[:80]!r}", where=flag)
    return units.account(name, flag), _bytes(key, flag)


def _bytes(text: str, flag: str) -> bytes:
    """Text, or `hex:` and digits, or `base64:` and base64."""
    if text.startswith("hex:"):
        return arguments.from_hex(text.removeprefix("hex:"), flag)
    if text.startswith("base64:"):
        return arguments.from_base64(text.removeprefix("base64:"), flag)
    return text.encode("utf-8", "surrogateescape")


def _value(text: str, flag: str) -> bytes:
    if text.startswith("@"):
        return files.read(text[1:], f"the value of {flag}", max_bytes=files.MAX_ARGS_BYTES)
    return _bytes(text, flag)
