"""Writing modules: sections out of their items, and small building blocks of the binary format."""

from collections.abc import Sequence

from near_tee_cli.vm.wasm import leb128

HEADER = b"\0asm\x01\0\0\0"

CUSTOM = 0
TYPE = 1
IMPORT = 2
FUNCTION = 3
TABLE = 4
MEMORY = 5
GLOBAL = 6
EXPORT = 7
START = 8
ELEMENT = 9
CODE = 10
DATA = 11
DATA_COUNT = 12


def sized(content: bytes) -> bytes:
    """`content` behind its length: a string, a function body."""
    return leb128.unsigned(len(content)) + content


def section(number: int, content: bytes) -> bytes:
    """A section of that number; `content` includes the count of items where the section has one."""
    return bytes((number,)) + sized(content)


def counted(number: int, items: Sequence[bytes]) -> bytes:
    """A section of encoded items, behind their count."""
    return section(number, leb128.unsigned(len(items)) + b"".join(items))


def export(name: bytes, kind: int, *, index: int) -> bytes:
    """An item of the export section."""
    return sized(name) + bytes((kind,)) + leb128.unsigned(index)
