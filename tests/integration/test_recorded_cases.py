"""The recorded cases through the public replay: every one agrees with either compiler."""

import json

import pytest

from near_tee_cli.workspace.cases import read_case
from near_tee_cli.workspace.replay import Verdict, replay, replay_json
from tests.support import cases
from tests.support.machines import machine


def described(result):
    return json.dumps([item for item in replay_json(result)["compared"] if not item["agrees"]])[:2000]


@pytest.mark.parametrize("compiler", ["winch", "cranelift"])
@pytest.mark.parametrize("family", cases.families())
def test_every_case_agrees(family, compiler) -> None:
    for name in cases.names(family):
        result = replay(cases.case(name), machine=machine(compiler))
        assert result.verdict is Verdict.AGREES, f"{name}: {result.refusal or described(result)}"


def test_all_cases_are_there() -> None:
    assert len(set(cases.names())) == 986


@pytest.mark.parametrize("path", sorted((cases.ARCHIVES / "plain").glob("*.json")), ids=lambda path: path.stem)
def test_the_readable_selection_is_the_same_as_what_is_packed(path) -> None:
    (name,) = [name for name in cases.names() if name.endswith("/" + path.stem)]
    family = name.rpartition("/")[0]
    assert json.loads(path.read_bytes()) == json.loads(cases.packed(family)[name])
    assert read_case(path.read_bytes(), path.name) == read_case(cases.packed(family)[name], name)


def test_what_is_packed_is_what_the_neighbour_has() -> None:
    if not cases.NEIGHBOUR.is_dir():
        pytest.skip("no neighbouring directory of cases")
    for family in cases.families():
        assert cases.packed(family) == cases._family(family)
