"""`docs/snapshot-format.md` names the members that are read, all of them and no others."""

import pathlib
import re

from near_tee_cli.workspace import cases, replay, schemas, snapshot_json, step_files, yields_json

TEXT = (pathlib.Path(__file__).resolve().parents[3] / "docs" / "snapshot-format.md").read_text()


def first_cells(head):
    lines = TEXT.splitlines()
    start = next(number for number, line in enumerate(lines) if line.startswith(head))
    found = []
    for line in lines[start + 2 :]:
        if not line.startswith("|"):
            break
        found.append(line.strip("|").split("|")[0])
    return found


def names(head, at=0):
    text = "\n".join(TEXT.split("\n## ")[at].splitlines())
    lines = text.splitlines()
    start = next(number for number, line in enumerate(lines) if line.startswith(head))
    cells = []
    for line in lines[start + 2 :]:
        if not line.startswith("|"):
            break
        cells.append(line.strip("|").split("|")[0])
    return [name for cell in cells for name in re.findall(r"`(\w+)`", cell)]


def test_snapshot_json() -> None:
    assert sorted(names("| member |", 1)) == sorted([*snapshot_json._REQUIRED, *snapshot_json._OPTIONAL])


def test_snapshot_borsh() -> None:
    fields = [cell.strip() for cell in first_cells("| field |")]
    assert fields == [subcon.name for subcon in schemas.snapshot().subcons]


def test_cases() -> None:
    assert sorted(names("| member |", 3)) == sorted([*cases._OUTER, *cases._OUTER_OPTIONAL])
    assert sorted(names("| member of a block |", 3)) == sorted(cases._BLOCK)
    assert sorted(names("| member of an expectation |", 3)) == sorted([*replay._WRITERS, "views", "error"])


def test_steps() -> None:
    row = next(line for line in TEXT.splitlines() if line.startswith("| `step.json`"))
    for name in (*step_files._MEMBERS, *step_files._BLOCK_MEMBERS):
        assert f"`{name}`" in row or name == "schema"
    for name in step_files.FILES:
        assert f"| `{name}` |" in TEXT


def test_yields() -> None:
    assert sorted(names("| member of a yield |", 4)) == sorted(yields_json._MEMBERS)
