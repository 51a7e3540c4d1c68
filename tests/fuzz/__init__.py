"""Parsers against damaged input: each gives a value or the one kind of error, in bounded time, and nothing else.

`make fuzz` mutates for as long as it is told and puts what it finds into `tests/fuzz/corpus`; `make test` replays what
lies there and a number of new mutations, always the same ones.
"""
