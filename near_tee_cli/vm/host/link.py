"""From the table to what the engine calls: one raw callback for each host function.

The engine hands over nothing but an address: a row of 16-byte slots with the parameters and, last, the remaining
gas; the result and the remaining gas are written back into the first ones. A callback returns 0, or what `fail`
gives for the exception that ended the function. Nothing ever leaves it by being raised: an exception that left
would be printed and forgotten, and the contract would go on.

The base charge and the refusal of views stand here, inline, because they are half of what the cheapest functions
do. Functions that only return a constant of the call have a callback without any call of ours inside.

Mirrors nearcore: runtime/near-vm-runner/src/wasmtime_runner/mod.rs
"""

from collections.abc import Callable, Iterable
from ctypes import c_uint64
from typing import NamedTuple

from near_tee_cli.params.costs import ExtCost
from near_tee_cli.vm.failure import failure
from near_tee_cli.vm.host.table import Entry
from near_tee_cli.vm.logic import Constant, HostBody, Logic

_BASE = ExtCost.BASE.value
_U32_MAX = 2**32 - 1
_MOST_VIEWS = 1024
_NO_SLOTS = (c_uint64 * 0)()

Callback = Callable[[object, object, int], int]
"""`(_, _, address of the slots) -> 0 or what fail gave`."""

Fail = Callable[[BaseException], int]
"""Keeps the exception and gives what tells the engine to end the call."""

Views = dict[int, "memoryview[int]"]
"""The low halves of the slots at an address, as u64."""


class LinkedFunction(NamedTuple):
    """A host function ready to be registered; its types include the gas."""

    name: str
    params: str
    results: str
    callback: Callback


def link(logic: Logic, entries: Iterable[Entry], *, fail: Fail) -> tuple[LinkedFunction, ...]:
    """The callbacks of `entries` over `logic`, good for every call that `logic` is begun for."""
    views_by_slots: dict[int, Views] = {}
    linked = []
    for entry in entries:
        params, results = entry.params + "q", entry.result + "q"
        views = views_by_slots.setdefault(max(len(params), len(results)), {})
        view_at = _viewer(views, slots=max(len(params), len(results)))
        body = entry.body
        if isinstance(body, Constant):
            callback = _constant(logic, entry, body, view_at=view_at, fail=fail)
        elif entry.params:
            callback = _general(logic, entry, body, views=views, view_at=view_at, fail=fail)
        else:
            callback = _without_parameters(logic, entry, body, views=views, view_at=view_at, fail=fail)
        linked.append(LinkedFunction(entry.name, params, results, callback))
    return tuple(linked)


def _viewer(views: Views, *, slots: int) -> Callable[[int], "memoryview[int]"]:
    row = c_uint64 * (2 * slots)

    def view_at(address: int) -> "memoryview[int]":
        # The slots lie on the engine's stack, so a contract meets few addresses; a view is looked at only while
        # the engine is inside the call that named its address.
        if len(views) >= _MOST_VIEWS:
            views.clear()
        view = memoryview(row.from_address(address)).cast("B").cast("Q")[::2]
        views[address] = view
        return view

    return view_at


def _constant(
    logic: Logic,
    entry: Entry,
    constant: Constant,
    *,
    view_at: Callable[[int], "memoryview[int]"],
    fail: Fail,
) -> Callback:
    gas = logic.gas
    units = gas.units
    base = gas.prices[_BASE]
    constants = logic.constants
    index = int(constant)
    refused_as = entry.refused_as
    last_address = 0
    view = memoryview(_NO_SLOTS)

    def callback(_env: object, _caller: object, address: int) -> int:
        nonlocal last_address, view
        try:
            if address != last_address:
                view = view_at(address)
                last_address = address
            left = view[0] - base
            if left < 0:
                gas.remaining = left + base
                gas.pay(_BASE)
            units[_BASE] += 1
            if refused_as is not None and logic.is_view:
                gas.remaining = left
                raise failure("ProhibitedInView", method_name=refused_as)
            view[0] = constants[index]
            view[1] = left
        except BaseException as problem:
            return fail(problem)
        return 0

    return callback


def _without_parameters(
    logic: Logic,
    entry: Entry,
    body: HostBody,
    *,
    views: Views,
    view_at: Callable[[int], "memoryview[int]"],
    fail: Fail,
) -> Callback:
    gas = logic.gas
    gas_slot = len(entry.result)

    def callback(_env: object, _caller: object, address: int) -> int:
        try:
            view = views.get(address) or view_at(address)
            gas.remaining = view[0]
            _enter(logic, entry)
            result = body(logic)
            if result is not None:
                view[0] = result
            view[gas_slot] = gas.remaining
        except BaseException as problem:
            return fail(problem)
        return 0

    return callback


def _general(
    logic: Logic,
    entry: Entry,
    body: HostBody,
    *,
    views: Views,
    view_at: Callable[[int], "memoryview[int]"],
    fail: Fail,
) -> Callback:
    gas = logic.gas
    units = gas.units
    base_units = int(entry.pays_base)
    base = gas.prices[_BASE] * base_units
    refused_as = entry.refused_as
    narrow = "d" in entry.params
    gas_slot = len(entry.result)

    def callback(_env: object, _caller: object, address: int) -> int:
        try:
            view = views.get(address) or view_at(address)
            arguments = view.tolist()
            left = arguments.pop() - base
            if left < 0:
                gas.remaining = left + base
                gas.pay(_BASE)
            units[_BASE] += base_units
            gas.remaining = left
            if refused_as is not None and logic.is_view:
                raise failure("ProhibitedInView", method_name=refused_as)
            if narrow:
                arguments = [argument & _U32_MAX for argument in arguments]
            result = body(logic, *arguments)
            if result is not None:
                view[0] = result
            view[gas_slot] = gas.remaining
        except BaseException as problem:
            return fail(problem)
        return 0

    return callback


def _enter(logic: Logic, entry: Entry) -> None:
    """What comes before the body: the base charge, then the refusal of views."""
    if entry.pays_base:
        logic.gas.pay(_BASE)
    if entry.refused_as is not None and logic.is_view:
        raise failure("ProhibitedInView", method_name=entry.refused_as)
