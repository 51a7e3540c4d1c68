"""JUnit documents that others can read, whatever a contract says."""

from xml.etree import ElementTree as ET

from near_tee_cli.batch.junit import Outcome, is_junit, junit


def test_document() -> None:
    data = junit("a & b", [Outcome("one", None, ""), Outcome("two", "timeout", "<slow> \x1b[2J\x00 \ud800 ok")])
    root = ET.fromstring(data)
    (suite,) = root
    assert suite.attrib == {"name": "near-tee a & b", "tests": "2", "failures": "1"}
    assert [case.get("name") for case in suite] == ["one", "two"]
    (failure,) = suite[1]
    assert failure.get("type") == "timeout"
    assert failure.get("message") == "<slow> \ufffd[2J\ufffd \ufffd ok"


def test_ours_is_recognised() -> None:
    data = junit("prove x", [])
    assert is_junit(data)
    assert not any(is_junit(data[:length]) for length in (0, 10, 60))
    assert not is_junit(data.replace(b"near-tee", b"pytest"))
    assert not is_junit(b" " + data)
