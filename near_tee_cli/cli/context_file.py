"""A call's context from a JSON file, in the shape that NEAR's standalone contract runner introduced.

Its members carry the names of `VMContext`; all are optional, unknown ones are refused, and flags win over them.
"""

from typing import Any, NamedTuple

from near_tee_cli.cli import arguments, units
from near_tee_cli.cli.promise_results import not_ready
from near_tee_cli.errors import BadInputError, NearTeeError, UnsupportedError, UsageError
from near_tee_cli.primitives import base58, keys
from near_tee_cli.primitives import canonical_json as cj
from near_tee_cli.primitives.account_id import require_valid
from near_tee_cli.primitives.integers import U64_MAX, U128_MAX, from_decimal

_ACCOUNTS = ("current_account_id", "signer_account_id", "predecessor_account_id", "refund_to_account_id")
_NUMBERS = {
    "block_height": U64_MAX,
    "block_timestamp": U64_MAX,
    "epoch_height": U64_MAX,
    "storage_usage": U64_MAX,
    "prepaid_gas": U64_MAX,
    "account_balance": U128_MAX,
    "account_locked_balance": U128_MAX,
    "attached_deposit": U128_MAX,
}
_OTHERS = (
    "block_index",
    "signer_account_pk",
    "input",
    "random_seed",
    "is_view",
    "view_config",
    "output_data_receivers",
    "promise_results",
)


class Context(NamedTuple):
    """What the file gives, `None` where it is silent. Amounts in yoctoNEAR, times in nanoseconds."""

    current_account_id: str | None = None
    signer_account_id: str | None = None
    predecessor_account_id: str | None = None
    refund_to_account_id: str | None = None
    signer_account_pk: bytes | None = None
    """Borsh."""
    input: bytes | None = None
    block_height: int | None = None
    block_timestamp: int | None = None
    epoch_height: int | None = None
    account_balance: int | None = None
    account_locked_balance: int | None = None
    storage_usage: int | None = None
    attached_deposit: int | None = None
    prepaid_gas: int | None = None
    random_seed: bytes | None = None
    is_view: bool = False
    promise_results: tuple[bytes | None, ...] = ()


NO_CONTEXT = Context()
"""A line without such a file."""


def read_context(data: bytes) -> Context:
    """The context in a JSON document. Raises `BadInputError`, `UnsupportedError` for what this shape cannot carry."""
    document = cj.members(
        cj.loads(data, "the context"), "context", required=(), optional=(*_ACCOUNTS, *_NUMBERS, *_OTHERS)
    )
    values: dict[str, Any] = {}
    for name in _ACCOUNTS:
        if document.get(name) is not None:
            values[name] = require_valid(cj.string(document[name], name))
    if "block_index" in document and "block_height" in document:
        raise BadInputError("the context has both block_index and block_height", where="block_index")
    for name, bound in _NUMBERS.items():
        given = document.get("block_index", document.get(name)) if name == "block_height" else document.get(name)
        if given is not None:
            values[name] = _number(given, name, bound=bound)
    if document.get("signer_account_pk") is not None:
        values["signer_account_pk"] = _key(cj.string(document["signer_account_pk"], "signer_account_pk"))
    if document.get("input") is not None:
        values["input"] = _input(cj.string(document["input"], "input"))
    if document.get("random_seed") is not None:
        values["random_seed"] = _seed(cj.string(document["random_seed"], "random_seed"))
    values["is_view"] = _is_view(document)
    values["promise_results"] = _promise_results(document.get("promise_results"))
    if document.get("output_data_receivers"):
        raise UnsupportedError(
            "a context with output_data_receivers needs their data ids, which this shape lacks",
            what="output-data-receivers",
            where="output_data_receivers",
        )
    return Context(**values)


def _promise_results(value: object) -> tuple[bytes | None, ...]:
    """`{"Successful": BASE64}` or `"Failed"`, in order; older files have the text itself or a list of bytes."""
    results: list[bytes | None] = []
    for position, item in enumerate([] if value is None else cj.array(value, "promise_results")):
        where = f"promise_results[{position}]"
        if item == "Failed":
            results.append(None)
        elif item == "NotReady":
            raise not_ready(where)
        else:
            results.append(_bytes(cj.members(item, where, required=("Successful",))["Successful"], where))
    return tuple(results)


def _bytes(value: object, where: str) -> bytes:
    if isinstance(value, str):
        return _input(value)
    return bytes(cj.integer(byte, where, bound=255) for byte in cj.array(value, where))


def _number(value: object, where: str, *, bound: int) -> int:
    """A number, or its decimal digits in a string, as large ones are written."""
    if isinstance(value, str):
        return from_decimal(value, bound=bound, what=where)
    return cj.integer(value, where, bound=bound)


def _key(text: str) -> bytes:
    """A public key as text, or as the base58 of its Borsh bytes."""
    if ":" in text:
        return keys.public_key_from_text(text)
    data = base58.decode(text)
    if keys.is_public_key(data):
        return data
    return keys.public_key_from_text(text)


def _input(text: str) -> bytes:
    """Arguments: base64 as newer versions of the runner write them, else the text itself as older ones did."""
    try:
        return arguments.from_base64(text, "input")
    except UsageError:
        return text.encode("utf-8")


def _seed(text: str) -> bytes:
    try:
        if text.endswith("="):
            data = arguments.from_base64(text, "random_seed")
            if len(data) == 32:
                return data
        if len(text) < 32:
            raise BadInputError("random_seed is no 32 bytes", where="random_seed")
        return units.seed(text, "random_seed")
    except NearTeeError as error:
        raise BadInputError(error.message, where="random_seed") from error


def _is_view(document: Any) -> bool:
    """Whether the call is read-only: older files say so by a boolean, newer ones by the presence of a limit."""
    value = document.get("is_view")
    asked = value is not None and cj.boolean(value, "is_view")
    return asked or document.get("view_config") is not None
