"""Replay: what agrees, what differs and where, what is refused, and what is malformed."""

import copy
import json

import pytest

from near_tee_cli.errors import BadInputError
from near_tee_cli.workspace.cases import parse_case
from near_tee_cli.workspace.replay import Verdict, compare, replay, replay_json
from tests.support import cases
from tests.support.machines import machine

NAME = "runtime/transactions/transactions-views"


def document(name=NAME):
    return json.loads(cases.document(name))


def replayed(value):
    return replay(parse_case(value), machine=machine())


def test_a_recorded_case_agrees() -> None:
    result = replayed(document())
    assert result.verdict is Verdict.AGREES
    assert result.first_difference is None
    paths = [comparison.path for comparison in result.comparisons]
    assert paths[0] == "pre_state_root"
    assert "blocks[1].outcomes" in paths
    assert "blocks[1].witness" in paths


def fields_of(value):
    """Every path to a leaf of the expectations, with its value."""
    pending = [((), value)]
    while pending:
        path, item = pending.pop()
        if isinstance(item, dict) and item:
            pending.extend(((*path, key), inner) for key, inner in item.items())
        elif isinstance(item, list) and item:
            pending.extend(((*path, key), inner) for key, inner in enumerate(item))
        else:
            yield path, item


def changed(value):
    if isinstance(value, bool) or value is None:
        return 7
    if isinstance(value, int):
        return value + 1
    if isinstance(value, str):
        return value + "x"
    return [*value, 1] if isinstance(value, list) else {**value, "more": 1}


@pytest.mark.parametrize(
    "name", [NAME, "runtime/promises/promises-results-range", "runtime/yields/yields-resume-bad-id"]
)
def test_every_expected_value_is_compared(name) -> None:
    original = document(name)
    informative = 0
    leaves = list(fields_of(original["expect"]))
    for path, leaf in leaves[:: max(1, len(leaves) // 150)]:
        altered = copy.deepcopy(original)
        target = altered["expect"]
        for step in path[:-1]:
            target = target[step]
        target[path[-1]] = changed(leaf)
        result = replayed(altered)
        if "views" in path and path[-1] == "error":
            informative += 1
            assert result.verdict is Verdict.AGREES
            continue
        assert result.verdict is Verdict.DIFFERS, path
        difference = result.first_difference
        assert difference.expected != difference.actual
        assert difference.path.startswith(path[0] if len(path) == 1 else f"blocks[{path[1]}].{path[2]}"), path


def test_views_are_compared_but_for_the_sentence() -> None:
    value = document()
    views = [view for block in value["expect"]["blocks"] for view in block.get("views", [])]
    assert {"error", "result"} == {name for view in views for name in view if name != "logs"}
    for view in views:
        if "error" in view:
            view["error"] = "another sentence"
    assert replayed(value).verdict is Verdict.AGREES
    failing = next(view for view in views if "error" in view)
    failing["result"] = ""
    del failing["error"]
    assert replayed(value).verdict is Verdict.DIFFERS


def test_what_is_absent_is_not_compared() -> None:
    value = document()
    for block in value["expect"]["blocks"]:
        del block["outcomes"]
    value["expect"]["blocks"].pop()
    result = replayed(value)
    assert result.verdict is Verdict.AGREES
    assert not any("outcomes" in comparison.path for comparison in result.comparisons)


def test_blocks_that_fail_as_a_whole() -> None:
    value = document("runtime/transactions/transactions-invalid-incoming-0")
    assert replayed(value).verdict is Verdict.AGREES
    position = next(n for n, block in enumerate(value["expect"]["blocks"]) if "error" in block)
    value["expect"]["blocks"][position]["error"] = "another sentence"
    assert replayed(value).verdict is Verdict.AGREES
    value["expect"]["blocks"][position] = {"state_root": "1" * 32}
    assert replayed(value).first_difference.path == f"blocks[{position}].error"
    value = document()
    value["expect"]["blocks"][0] = {"error": "it should have failed"}
    difference = replayed(value).first_difference
    assert (difference.path, difference.actual) == ("blocks[0].error", None)


def test_an_unknown_version_is_refused_by_name() -> None:
    value = document()
    value["protocol_version"] = 82
    result = replayed(value)
    assert result.verdict is Verdict.REFUSED
    assert result.refusal.code == "unsupported-protocol-version"
    assert replay_json(result)["refused"]["code"] == "unsupported-protocol-version"


@pytest.mark.parametrize("change", ["no expect", "unknown member", "too many blocks", "no blocks"])
def test_malformed_expectations(change) -> None:
    value = document()
    if change == "no expect":
        del value["expect"]
    elif change == "unknown member":
        value["expect"]["blocks"][0]["colour"] = "red"
    elif change == "too many blocks":
        value["expect"]["blocks"] += [{}] * 10
    else:
        value["expect"]["blocks"] = 3
    with pytest.raises(BadInputError):
        replayed(value)


def test_the_full_comparison_as_json() -> None:
    value = document()
    value["expect"]["blocks"][1]["gas_burnt_total"] += 1
    result = replay_json(replayed(value))
    assert (result["verdict"], result["refused"]) == ("differs", None)
    (difference,) = [item for item in result["compared"] if not item["agrees"]]
    assert difference["path"] == "blocks[1].gas_burnt_total"
    assert difference["expected"] == difference["actual"] + 1
    assert json.loads(json.dumps(result)) == result


@pytest.mark.parametrize(
    ("expected", "actual", "path"),
    [
        (1, True, "x"),
        (0, False, "x"),
        ({"a": [1, 2]}, {"a": [1, 3]}, "x.a[1]"),
        ({"a": [1]}, {"a": [1, 3]}, "x.a[1]"),
        ({"a": [1, 3]}, {"a": [1]}, "x.a[1]"),
        ({"a": 1}, {"a": 1, "b": 2}, "x.b"),
        ({"a": {"c": None}}, {"a": {}}, "x.a.c"),
        ("1", 1, "x"),
        ([], {}, "x"),
    ],
)
def test_differences_are_narrowed_down(expected, actual, path) -> None:
    found = compare("x", expected, actual)
    assert (found.agrees, found.path) == (False, path)
    assert compare("x", expected, copy.deepcopy(expected)).agrees
