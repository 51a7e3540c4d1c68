"""A batch as JUnit XML, for the dashboards of CI systems."""

from collections.abc import Sequence
from typing import NamedTuple
from xml.etree import ElementTree as ET

_TOOL = "near-tee "
_BEGINNING = f"<?xml version='1.0' encoding='utf-8'?>\n<testsuites>\n  <testsuite name=\"{_TOOL}".encode()


class Outcome(NamedTuple):
    """One item: its name, and the word and sentence of what stopped it, if anything did."""

    name: str
    code: str | None
    message: str


def junit(suite: str, outcomes: Sequence[Outcome]) -> bytes:
    """The document about a `suite`, called after a command. Characters that XML cannot hold are replaced."""
    suite = _TOOL + _clean(suite)
    failures = sum(outcome.code is not None for outcome in outcomes)
    root = ET.Element("testsuites")
    attributes = {"name": suite, "tests": str(len(outcomes)), "failures": str(failures)}
    parent = ET.SubElement(root, "testsuite", attributes)
    for outcome in outcomes:
        case = ET.SubElement(parent, "testcase", {"classname": suite, "name": _clean(outcome.name)})
        if outcome.code is not None:
            ET.SubElement(case, "failure", {"type": outcome.code, "message": _clean(outcome.message)})
    ET.indent(root)
    text: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return text + b"\n"


def is_junit(data: bytes) -> bool:
    """Whether a file that begins like `data` is a document of ours."""
    return data.startswith(_BEGINNING)


def _clean(text: str) -> str:
    return "".join(character if _is_allowed(character) else "\N{REPLACEMENT CHARACTER}" for character in text)


def _is_allowed(character: str) -> bool:
    number = ord(character)
    return number in (0x9, 0xA, 0xD) or 0x20 <= number < 0xD800 or 0xE000 <= number < 0xFFFE or number > 0xFFFF
