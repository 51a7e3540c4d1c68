"""Declared Borsh schemas behind one strict door.

`borsh_construct` writes a schema down in a form that other programs can follow, and reads it leniently: bytes left
over, an option tag of 2, a flag of 7 and unsorted maps all pass, and a bad string or enum raises whatever happens to
be raised. `decode` accepts only what `encode` would write, byte for byte, and knows no error but `BadInputError`.

Schemas are for declaring and for looking into files. Codecs that run on every call are straight-line code beside
their records (`schema.wire`) and are tested against the schemas.
"""

from typing import Any

import construct
from borsh_construct import U8, U16, U32, U64, U128, Bool, Bytes, CStruct, Option, String, Vec

from near_tee_cli.errors import BadInputError

Schema = Any
"""A declared layout; the library carries no types."""

u8: Schema = U8
u16: Schema = U16
u32: Schema = U32
u64: Schema = U64
u128: Schema = U128
boolean: Schema = Bool
"""One byte, 0 or 1."""
blob: Schema = Bytes
"""`Vec<u8>`: a `u32` length and the bytes."""
string: Schema = String
"""`String`: a `u32` length and UTF-8."""

hash32: Schema = construct.Bytes(32)
"""32 raw bytes."""
nothing: Schema = construct.Pass
"""No bytes at all."""


def record(**fields: Schema) -> Schema:
    """A struct: its fields in the order given, read as a dict."""
    return CStruct(*(name / kind for name, kind in fields.items()))


def vector(kind: Schema) -> Schema:
    """`Vec<T>`: a `u32` count and the items, read as a list. An item must take at least one byte."""
    return Vec(kind)


def option(kind: Schema) -> Schema:
    """`Option<T>`: 0, or 1 and the value; read as the value or `None`."""
    return Option(kind)


def union(**kinds: Schema) -> Schema:
    """A tag of one byte and what it announces, read as `{"kind": name, "value": value}`.

    A kind is named `name_7`, where 7 is its tag; `nothing` stands for a kind without a value.
    """
    tags = {name.rpartition("_")[0]: int(name.rpartition("_")[2]) for name in kinds}
    cases = {name.rpartition("_")[0]: kind for name, kind in kinds.items()}
    return CStruct(
        "kind" / construct.Enum(U8, **tags),
        "value" / construct.Switch(lambda this: str(this.kind), cases, default=construct.Error),
    )


def raw(length: int) -> Schema:
    """`length` raw bytes."""
    return construct.Bytes(length)


def decode(schema: Schema, data: bytes, what: str, *, max_bytes: int) -> Any:
    """The value that `data` encodes: dicts, lists, bytes, str, int, bool and None.

    Raises `BadInputError`, naming `what`, for more than `max_bytes`, anything malformed, bytes left over, and every
    encoding but the one that `encode` writes.
    """
    if len(data) > max_bytes:
        raise BadInputError(f"{what} has {len(data)} bytes, at most {max_bytes} are read", code="too-large")
    try:
        value = _plain(schema.parse(data))
    except (construct.ConstructError, ValueError, IndexError, OverflowError, RecursionError) as error:
        raise BadInputError(f"{what} is not of its declared layout: {_reason(error)}") from error
    if encode(schema, value, what) != data:
        raise BadInputError(f"{what} is not in the one encoding of its content (or bytes are left over)")
    return value


def encode(schema: Schema, value: Any, what: str) -> bytes:
    """The Borsh bytes of `value`. Raises `BadInputError`, naming `what`, when it does not fit the schema."""
    try:
        data: bytes = schema.build(value)
    except (construct.ConstructError, ValueError, TypeError, KeyError, AttributeError, OverflowError) as error:
        raise BadInputError(f"{what} does not fit its declared layout: {_reason(error)}") from error
    return data


def _plain(value: Any) -> Any:
    """Parsed containers as plain dicts and lists, without what the library adds for itself."""
    if isinstance(value, dict):
        return {name: _plain(item) for name, item in value.items() if name != "_io"}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    # Names of kinds come as a subclass of `str`.
    return str(value) if isinstance(value, str) else value


def _reason(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[-1][:200] if lines else type(error).__name__
