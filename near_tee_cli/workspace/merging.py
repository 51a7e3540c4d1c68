"""Two snapshots made one: the union of what they hold, unit by unit.

A unit is what only makes sense whole: an account with everything that belongs to it, a global contract, the receipts
that wait in queues or are on their way, the timeouts of yields, each value of the chain. What only one side has is
taken, what both have alike is kept, and everything else is a conflict that somebody has to decide. What cannot be
put together, whoever is preferred, is refused.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from near_tee_cli.errors import BadInputError
from near_tee_cli.runtime.block import NO_CONGESTION, ChainContext
from near_tee_cli.runtime.genesis import Rows
from near_tee_cli.state.keys import describe
from near_tee_cli.workspace.snapshots import Snapshot

FIRST, SECOND, BOTH = "first", "second", "both"
"""The side that a unit is taken from; `both` where they are alike."""

ACCOUNT = "account"
GLOBAL_CONTRACT = "global contract"
IN_FLIGHT = "receipts in flight"
TIMEOUTS = "timeouts of yields"
SCHEDULER = "bandwidth scheduler"
LAST_BLOCK = "last block"

_QUEUES = {
    "DelayedReceiptIndices": IN_FLIGHT,
    "DelayedReceipt": IN_FLIGHT,
    "BufferedReceiptIndices": IN_FLIGHT,
    "BufferedReceipt": IN_FLIGHT,
    "BufferedReceiptGroupsQueueData": IN_FLIGHT,
    "BufferedReceiptGroupsQueueItem": IN_FLIGHT,
    "PromiseYieldIndices": TIMEOUTS,
    "PromiseYieldTimeout": TIMEOUTS,
    "BandwidthSchedulerState": SCHEDULER,
}
_ITEMS = frozenset(("DelayedReceipt", "BufferedReceipt", "BufferedReceiptGroupsQueueItem", "PromiseYieldTimeout"))
"""Rows that are what a queue holds; without them it is empty, whatever its indices."""

_SHOWN = 5

UnitName = tuple[str, str]
"""Kind, and which one of it."""


class Conflict(NamedTuple):
    """A unit that both sides have, each in its own way."""

    kind: str
    name: str
    taken: str
    """The side that it is taken from."""


class Merged(NamedTuple):
    """Two snapshots as one."""

    snapshot: Snapshot
    conflicts: tuple[Conflict, ...]
    accounts: Mapping[str, int]
    """Side -> how many accounts are taken from it."""


class _Unit(NamedTuple):
    """What one side has of a unit."""

    value: Any
    rows: tuple[tuple[bytes, bytes], ...]
    empty: bool
    """Whether it says nothing: an empty queue, a value that is not there."""


def merge(first: Snapshot, second: Snapshot, *, prefer: str | None) -> Merged:
    """The union of two snapshots. `prefer` (`first` or `second`) decides conflicts.

    Raises `BadInputError`: `conflict` when `prefer` is `None` and there are some, `cannot-merge` for yields whose
    timeouts or heights would be the other side's.
    """
    sides = {FIRST: _units(first), SECOND: _units(second)}
    taken: dict[UnitName, str] = {}
    conflicts = []
    for name in sorted(sides[FIRST].keys() | sides[SECOND].keys()):
        side = _side(sides[FIRST].get(name), sides[SECOND].get(name))
        if side is None:
            side = prefer or FIRST
            conflicts.append(Conflict(*name, side))
        taken[name] = side
    if conflicts and prefer is None:
        raise _undecided(conflicts)
    _require_own_timeouts(sides, taken)
    units = {name: sides[SECOND if side == SECOND else FIRST][name] for name, side in taken.items()}
    rows: Rows = {}
    for unit in units.values():
        rows.update(unit.rows)
    counts = dict.fromkeys((FIRST, SECOND, BOTH), 0)
    for (kind, _), side in taken.items():
        counts[side] += kind == ACCOUNT
    return Merged(_snapshot(units, rows), tuple(conflicts), counts)


def _undecided(conflicts: list[Conflict]) -> BadInputError:
    told = ", ".join(f"{one.kind} {one.name}".strip() for one in conflicts[:_SHOWN])
    more = "" if len(conflicts) <= _SHOWN else f" and {len(conflicts) - _SHOWN} more"
    return BadInputError(
        f"the two differ in {told}{more}", code="conflict", hint="--prefer first or --prefer second decides"
    )


def _side(one: _Unit | None, other: _Unit | None) -> str | None:
    """Which side a unit is taken from, `None` for a conflict. Without a decision to make it is the same either way."""
    if one is None or other is None:
        return SECOND if one is None else FIRST
    if one == other:
        return BOTH
    if one.empty and other.empty:
        return FIRST if one.rows >= other.rows else SECOND
    if one.empty or other.empty:
        return SECOND if one.empty else FIRST
    return None


def _units(snapshot: Snapshot) -> dict[UnitName, _Unit]:
    rows: dict[UnitName, list[tuple[bytes, bytes]]] = {(name, ""): [] for name in (IN_FLIGHT, TIMEOUTS)}
    filled: set[UnitName] = set()
    for key, value in sorted(snapshot.rows.items()):
        name, is_item = _unit_of(key)
        rows.setdefault(name, []).append((key, value))
        if is_item:
            filled.add(name)
    units = {name: _Unit(None, tuple(found), empty=name not in filled) for name, found in rows.items()}
    on_the_way = (snapshot.in_flight, snapshot.congestion_info, snapshot.bandwidth_requests)
    queues = units[IN_FLIGHT, ""]
    nothing = queues.empty and on_the_way == ((), NO_CONGESTION, ())
    units[IN_FLIGHT, ""] = _Unit(on_the_way, queues.rows, empty=nothing)
    chain = snapshot.chain
    values: tuple[tuple[str, Any, bool], ...] = (
        ("protocol version", snapshot.protocol_version, False),
        ("chain id", chain.chain_id, False),
        ("validators", chain.validators, not chain.validators),
        ("minimum stake", chain.minimum_stake, chain.minimum_stake is None),
        (LAST_BLOCK, snapshot.block, snapshot.block is None),
    )
    units.update(((kind, ""), _Unit(value, (), empty=empty)) for kind, value, empty in values)
    return units


def _unit_of(key: bytes) -> tuple[UnitName, bool]:
    """The unit that a row belongs to, and whether it is more than the frame of a queue."""
    try:
        column, account_id, parts = describe(key)
    except BadInputError:
        return ("row", key.hex()), True
    if account_id is not None:
        return (ACCOUNT, account_id), True
    if column in _QUEUES:
        return (_QUEUES[column], ""), column in _ITEMS or column == "BandwidthSchedulerState"
    identifier = parts.get("identifier")
    if isinstance(identifier, tuple):
        (named,) = identifier
        return (GLOBAL_CONTRACT, named.hex() if isinstance(named, bytes) else str(named)), True
    return ("row", key.hex()), True


def _require_own_timeouts(sides: Mapping[str, Mapping[UnitName, _Unit]], taken: Mapping[UnitName, str]) -> None:
    """Refuse yields that would be without their timeouts, or would time out by the heights of another chain."""
    for (kind, name), side in taken.items():
        if kind != ACCOUNT or side == BOTH or not _waits(sides[side][kind, name]):
            continue
        if not sides[side][TIMEOUTS, ""].empty and taken[TIMEOUTS, ""] not in (side, BOTH):
            raise BadInputError(
                f"the yields of {name} would lose their timeouts, which are queued in the {side} state",
                code="cannot-merge",
            )
        if taken[LAST_BLOCK, ""] not in (side, BOTH):
            raise BadInputError(
                f"the yields of {name} time out by the heights of the {side} state, whose last block is not taken",
                code="cannot-merge",
            )


def _waits(unit: _Unit) -> bool:
    return any(describe(key).column == "PromiseYieldReceipt" for key, _ in unit.rows)


def _snapshot(units: Mapping[UnitName, _Unit], rows: Rows) -> Snapshot:
    in_flight, congestion_info, bandwidth_requests = units[IN_FLIGHT, ""].value
    chain = ChainContext(*(units[kind, ""].value for kind in ("chain id", "validators", "minimum stake")))
    return Snapshot(
        protocol_version=units["protocol version", ""].value,
        chain=chain,
        rows=dict(sorted(rows.items())),
        block=units[LAST_BLOCK, ""].value,
        in_flight=in_flight,
        congestion_info=congestion_info,
        bandwidth_requests=bandwidth_requests,
    )
