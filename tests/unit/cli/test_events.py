"""NEP-297 events out of logs."""

import pytest

from near_tee_cli.cli.events import event_json, events_of


def test_event():
    (event,) = events_of(["plain", 'EVENT_JSON:{"standard":"s","version":"1","event":"e","data":[{"a":1}]}'])
    assert event_json(event) == {"standard": "s", "version": "1", "event": "e", "data": [{"a": 1}]}


def test_blanks_and_missing_data_are_fine():
    (event,) = events_of(['  EVENT_JSON: { "standard" : "s", "version": "1", "event": "e" } '])
    assert event.problem is None
    assert event.data is None


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("EVENT_JSON:", "no JSON"),
        ("EVENT_JSON:[]", "no object"),
        ("EVENT_JSON:{}", "no standard and no version and no event"),
        ('EVENT_JSON:{"standard":"s","version":1,"event":"e"}', "no version"),
        ('EVENT_JSON:{"standard":"s","version":"1","event":"e"}EVENT_JSON:{}', "more than one event"),
        ("EVENT_JSON:" + "[" * 100_000, "no JSON"),
    ],
)
def test_malformed_events_are_flagged(text, problem):
    (event,) = events_of([text])
    assert event.problem is not None
    assert problem in event.problem
    assert event_json(event)["malformed"] == event.problem
