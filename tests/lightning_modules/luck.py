"""The order of luck in plain integers, for tests of what is kept by hash."""

from collections.abc import Iterable

REPLAY, FROZEN = int.from_bytes(b"replay"), int.from_bytes(b"frozen")


def luck(key: int, salt: int) -> int:
    """SplitMix64 of the salted key, from its publication (Steele et al., OOPSLA 2014)."""
    x = ((int(key) ^ salt) + 0x9E3779B97F4A7C15) % 2**64
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9 % 2**64
    x = (x ^ (x >> 27)) * 0x94D049BB133111EB % 2**64
    return x ^ (x >> 31)


def luckiest(keys: Iterable[int], salt: int, count: int) -> list[int]:
    """The `count` keys of lowest hash, the first one first."""
    return sorted(map(int, keys), key=lambda key: luck(key, salt))[:count]
