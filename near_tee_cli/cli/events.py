"""Events in logs: `EVENT_JSON:` and an object with standard, version, event and perhaps data (NEP-297).

A log that says it is an event and is none is reported as malformed, with the reason, never left out.
"""

import json
from collections.abc import Sequence
from typing import Any, NamedTuple

PREFIX = "EVENT_JSON:"

_TEXTS = ("standard", "version", "event")


class Event(NamedTuple):
    """One event, or with `problem` one log that fails to be one."""

    standard: str
    version: str
    event: str
    data: Any
    problem: str | None


def events_of(logs: Sequence[str]) -> tuple[Event, ...]:
    """The events among `logs`, in order."""
    return tuple(_event(log.strip()[len(PREFIX) :]) for log in logs if log.strip().startswith(PREFIX))


def event_json(event: Event) -> dict[str, Any]:
    """An event for programs."""
    result: dict[str, Any] = {"standard": event.standard, "version": event.version, "event": event.event}
    result["data"] = event.data
    if event.problem is not None:
        result["malformed"] = event.problem
    return result


def _event(text: str) -> Event:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        reason = "more than one event in a log" if PREFIX in text else f"no JSON: {error}"
        return Event("", "", "", None, reason)
    if not isinstance(value, dict):
        return Event("", "", "", None, "no object")
    texts = {name: value[name] for name in _TEXTS if isinstance(value.get(name), str)}
    missing = [name for name in _TEXTS if name not in texts]
    problem = f"no {' and no '.join(missing)}" if missing else None
    standard, version, event = (texts.get(name, "") for name in _TEXTS)
    return Event(standard, version, event, value.get("data"), problem)
