"""The results that a callback was waiting for, from `--promise-result` or a context file.

On chain each result arrives in a data receipt, and the callback names the data that it waits for. Here it is the same:
the data comes in just before the call. The id of the data at position `i` is SHA-256 over

    "near-tee/data/v1\\0"
    i                 u32
    preimage          the id that the receipt would have if it waited for nothing (see `receipt_id`)

and that of the receipt that brings it follows from it as for every receipt of a command line.
"""

from collections.abc import Sequence

from near_tee_cli.cli import files
from near_tee_cli.errors import UnsupportedError, UsageError
from near_tee_cli.primitives.hashes import sha256
from near_tee_cli.primitives.schema.receipt import DATA, ActionReceipt, DataReceipt, Receipt
from near_tee_cli.primitives.schema.wire import NO_HASH, u32

FLAG = "--promise-result"
DOMAIN = b"near-tee/data/v1\0"

Result = bytes | None
"""What a promise gave, `None` when it failed."""

_OK = "ok:"
_FAILED = "failed"
_NOT_READY = "not-ready"


def promise_results(texts: Sequence[str]) -> tuple[Result, ...]:
    """The results that a line gives, in order. Raises `UsageError` and, for a file, `BadInputError`."""
    return tuple(_result(text) for text in texts)


def _result(text: str) -> Result:
    if text == _FAILED:
        return None
    if text == _NOT_READY:
        raise not_ready(FLAG)
    if not text.startswith(_OK):
        raise UsageError(
            f"{FLAG} takes ok:TEXT, ok:@FILE or failed, not {text[:40]!r}",
            where=FLAG,
            hint="as in --promise-result ok:5",
        )
    value = text.removeprefix(_OK)
    if value.startswith("@"):
        return files.read(value[1:], "the promise's result", max_bytes=files.MAX_ARGS_BYTES)
    return value.encode("utf-8", "surrogateescape")


def not_ready(where: str) -> UnsupportedError:
    """The refusal of a result that is not there yet: no chain runs a callback before all of its results are."""
    return UnsupportedError(
        f"{where}: a callback runs when all of its results are there, so none can be not ready",
        what="promise-not-ready",
        where=where,
    )


def waiting_for(receipt: Receipt, results: Sequence[Result], *, identity: bytes) -> tuple[Receipt, tuple[Receipt, ...]]:
    """The receipt of a callback that waits for `results`, and the receipts that bring them, still without their ids.

    `identity` is the id that `receipt` has as long as it waits for nothing.
    """
    body = receipt.body
    if not isinstance(body, ActionReceipt):
        raise TypeError("only receipts with actions wait")
    data_ids = tuple(sha256(DOMAIN + u32(position) + identity) for position in range(len(results)))
    own = receipt.receiver_id
    brought = tuple(
        Receipt(own, own, NO_HASH, DataReceipt(DATA, data_id, data))
        for data_id, data in zip(data_ids, results, strict=True)
    )
    return receipt._replace(body=body._replace(input_data_ids=data_ids)), brought
