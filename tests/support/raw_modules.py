"""Modules put together from raw sections, for what no assembler writes."""

from near_tee_cli.vm.wasm.leb128 import unsigned


def sized(content: bytes) -> bytes:
    """Something behind its length."""
    return unsigned(len(content)) + content


def raw(*sections: tuple[int, str | bytes]) -> bytes:
    """A module of sections, their contents as bytes or in hexadecimal."""
    out = b"\0asm\1\0\0\0"
    for number, content in sections:
        out += bytes([number]) + sized(content if isinstance(content, bytes) else bytes.fromhex(content))
    return out


def code(*bodies: str | bytes) -> tuple[int, bytes]:
    """A code section of bodies, each with its locals."""
    items = [sized(body if isinstance(body, bytes) else bytes.fromhex(body)) for body in bodies]
    return (10, unsigned(len(items)) + b"".join(items))


def types(count: int) -> tuple[int, bytes]:
    """A type section of functions that take and return nothing."""
    return (1, unsigned(count) + b"\x60\0\0" * count)


def functions(count: int) -> tuple[int, bytes]:
    """A function section, everything of type 0."""
    return (3, unsigned(count) + bytes(count))
