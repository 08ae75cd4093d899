"""A log that others cannot fill: who sends nonsense does not decide how often it is said. Pure."""

EVERY_S = 60.0


class Quiet:
    """Lets a thing of a kind be said once a minute; kinds are few and our own."""

    def __init__(self) -> None:
        self._said_s: dict[str, float] = {}
        self._held: set[str] = set()

    def may(self, kind: str, now_s: float) -> bool:
        """True when this kind was not said for a minute, by monotonic seconds."""
        if now_s - self._said_s.get(kind, -EVERY_S) < EVERY_S:
            return False
        self._said_s[kind] = now_s
        return True

    def once(self, kind: str, now_s: float) -> bool:
        """The same, and not again before `arm`."""
        if kind in self._held or not self.may(kind, now_s):
            return False
        self._held.add(kind)
        return True

    def arm(self) -> None:
        """What was said once may be said again."""
        self._held.clear()
