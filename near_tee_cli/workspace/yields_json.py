"""Yields as JSON: what a step keeps of them, and what `--json` shows."""

from near_tee_cli.errors import BadInputError
from near_tee_cli.primitives import base58
from near_tee_cli.primitives import canonical_json as cj
from near_tee_cli.primitives.account_id import is_valid
from near_tee_cli.runtime.yield_history import EXECUTED, PENDING, RESUMED, TIMED_OUT, Yield
from near_tee_cli.workspace.cases import parse_hash

_STATUSES = (PENDING, RESUMED, TIMED_OUT, EXECUTED)
_HEIGHTS = ("created_at", "expires_at", "resumed_at", "timed_out_at", "executed_at")
_MEMBERS = (*(name for name in Yield._fields if name != "failed"), "outcome")
_OUTCOMES = {"success": False, "failure": True}


def yield_json(one: Yield) -> dict[str, object]:
    """One yield."""
    return {
        "account_id": one.account_id,
        "data_id": base58.encode(one.data_id),
        "yield_id": None if one.yield_id is None else base58.encode(one.yield_id),
        "receipt_id": base58.encode(one.receipt_id),
        "method_name": one.method_name,
        "args": cj.base64_text(one.args),
        "gas": one.gas,
        "deposit": str(one.deposit),
        "status": one.status,
        **{name: getattr(one, name) for name in _HEIGHTS},
        "data": None if one.data is None else cj.base64_text(one.data),
        "outcome": None if one.failed is None else "failure" if one.failed else "success",
    }


def parse_yield(value: object, where: str) -> Yield:
    """The yield in a parsed document. Raises `BadInputError` with the place."""
    members = cj.members(value, where, required=_MEMBERS)

    def at(name: str) -> str:
        return f"{where}.{name}"

    account_id = cj.string(members["account_id"], at("account_id"))
    status = cj.string(members["status"], at("status"))
    outcome = members["outcome"]
    heights = {name: None if members[name] is None else cj.integer(members[name], at(name)) for name in _HEIGHTS}
    for bad, name in (
        (not is_valid(account_id), "account_id"),
        (status not in _STATUSES, "status"),
        (outcome is not None and outcome not in _OUTCOMES, "outcome"),
    ):
        if bad:
            raise BadInputError(f"{at(name)} is {cj.shown(members[name])}", code="bad-field", where=at(name))
    yield_id, data = members["yield_id"], members["data"]
    return Yield(
        account_id=account_id,
        data_id=parse_hash(members["data_id"], at("data_id")),
        yield_id=None if yield_id is None else parse_hash(yield_id, at("yield_id")),
        receipt_id=parse_hash(members["receipt_id"], at("receipt_id")),
        method_name=cj.string(members["method_name"], at("method_name")),
        args=cj.base64(members["args"], at("args")),
        gas=cj.integer(members["gas"], at("gas")),
        deposit=cj.decimal(members["deposit"], at("deposit")),
        status=status,
        **heights,
        data=None if data is None else cj.base64(data, at("data")),
        failed=None if outcome is None else _OUTCOMES[str(outcome)],
    )
