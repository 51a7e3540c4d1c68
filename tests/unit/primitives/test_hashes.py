"""Published digests of every function, and nearcore's of core/primitives-core/src/hash.rs (commit f0c7706f1)."""

import hashlib
from collections.abc import Callable, Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from near_tee_cli.primitives import base58, hashes


@pytest.mark.parametrize(
    ("function", "data", "digest"),
    [
        (hashes.sha256, b"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        (hashes.sha256, b"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        (
            hashes.sha512,
            b"abc",
            (
                "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
                "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f"
            ),
        ),
        (hashes.sha3_256, b"", "a7ffc6f8bf1ed76651c14756a061d662f580ff4de43b49fa82d80a4b80f8434a"),
        (hashes.keccak256, b"", "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470"),
        (hashes.keccak256, b"abc", "4e03657aea45a94fc7d47ba826c8d667c0d1e6e33a64a036ec44f58fa12d6c45"),
        (
            hashes.keccak512,
            b"",
            (
                "0eab42de4c3ceb9235fc91acffe746b29c29a8c366b7c60e4e67c466f36a4304"
                "c00fa9caf9d87976ba469bcbe06713b435f091ef2769fb160cdab33d3670680e"
            ),
        ),
        (hashes.ripemd160, b"", "9c1185a5c5e9fc54612808977ee8f548b2258d31"),
        (hashes.ripemd160, b"abc", "8eb208f7e05d987a9b044a8e98c6b087f15a0bfc"),
    ],
)
def test_published_digests(function: Callable[[bytes], bytes], data: bytes, digest: str) -> None:
    assert function(data).hex() == digest


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"\3\0\0\0foo", "CuoNgQBWsXnTqup6FY3UXNz6RRufnYyQVxx8HKZLUaRt"),
        (b"foo", "3yMApqCuCjXDWPrbjfR5mjCPTHqFG8Pux1TxQrEM35jj"),
        (b"\0\1\2", "CjNSmWXTWhC3EhRVtqLhRmWMTkRbU96wUACqxMtV1uGf"),
    ],
)
def test_hashes_of_nearcore(data: bytes, text: str) -> None:
    assert base58.encode(hashes.sha256(data)) == text


@pytest.fixture
def openssl_without_ripemd160(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    original = hashlib.new

    def new(name: str, *args: object, **kwargs: object) -> object:
        if name == "ripemd160":
            raise ValueError("unsupported hash type ripemd160")
        return original(name, *args, **kwargs)

    hashes._ripemd160.cache_clear()
    monkeypatch.setattr(hashlib, "new", new)
    yield
    hashes._ripemd160.cache_clear()


def test_ripemd160_where_openssl_has_none(openssl_without_ripemd160: None) -> None:
    assert hashes.ripemd160(b"abc").hex() == "8eb208f7e05d987a9b044a8e98c6b087f15a0bfc"


@given(st.binary(max_size=400))
def test_ripemd160_is_the_same_from_both_libraries(data: bytes) -> None:
    from Crypto.Hash import RIPEMD160

    assert hashes.ripemd160(data) == RIPEMD160.new(data).digest()
