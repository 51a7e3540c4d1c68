"""In-toto statements: subjects by digest, and a predicate about them.

Mirrors in-toto: https://github.com/in-toto/attestation (spec/v1/statement.md)
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from near_tee_cli.errors import BadInputError
from near_tee_cli.primitives import canonical_json as cj

TYPE = "https://in-toto.io/Statement/v1"


class Statement(NamedTuple):
    """What is said (`predicate`) of what (`subjects`: name -> SHA-256)."""

    subjects: Mapping[str, bytes]
    predicate_type: str
    predicate: Mapping[str, Any]


def encode_statement(statement: Statement) -> bytes:
    """The one JSON text of a statement."""
    return cj.dumps(_document(statement))


def _document(statement: Statement) -> dict[str, Any]:
    return {
        "_type": TYPE,
        "subject": [
            {"name": name, "digest": {"sha256": digest.hex()}} for name, digest in sorted(statement.subjects.items())
        ],
        "predicateType": statement.predicate_type,
        "predicate": dict(statement.predicate),
    }


def says(payload: bytes, statement: Statement) -> bool:
    """Whether `payload` is this statement, member by member; how it is spelt does not matter.

    Raises `BadInputError` when it is no JSON that is read strictly.
    """
    return cj.loads(payload, "the statement") == _document(statement)


def predicate_type_of(payload: bytes) -> str:
    """The predicate type that a statement names. Raises `BadInputError` when it is no statement."""
    document = cj.mapping(cj.loads(payload, "the statement"), "the statement")
    if document.get("_type") != TYPE:
        raise BadInputError("the payload is no in-toto statement of version 1", code="bad-statement")
    return cj.string(document.get("predicateType"), "predicateType")
