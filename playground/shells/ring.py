"""The last bytes that a program printed, each with its number in the whole stream."""

from __future__ import annotations

from collections import deque

SIZE = 256 * 1024


class Ring:
    """Keeps at least the last `size` bytes; what is older goes, in the pieces it came in."""

    def __init__(self, size: int = SIZE) -> None:
        self._size = size
        self._pieces: deque[bytes] = deque()
        self.start = 0  # the number of the first byte that is kept
        self.end = 0  # one more than the number of the last

    def append(self, data: bytes) -> None:
        """Add what was printed."""
        if not data:
            return
        self._pieces.append(data)
        self.end += len(data)
        while self.end - self.start - len(self._pieces[0]) >= self._size:
            self.start += len(self._pieces.popleft())

    def read(self, number: int, limit: int) -> bytes:
        """Return bytes from a number on, at most `limit`. Raises IndexError where it is gone."""
        if not self.start <= number <= self.end:
            raise IndexError(number)
        found: list[bytes] = []
        missing, at = limit, self.start
        for piece in self._pieces:
            if at + len(piece) > number:
                part = piece[max(0, number - at) :][:missing]
                found.append(part)
                missing -= len(part)
                if not missing:
                    break
            at += len(piece)
        return b"".join(found)
