"""Something that runs and stands, by the same rhythm all the time. Pure; steps are counted."""

#: What profiles name these.
ON, OFF = 1, 2


class Rhythm:
    """It runs at step 0."""

    def __init__(self, *, on_s: float, off_s: float, step_s: float) -> None:
        self._on_steps = max(1, round(on_s / step_s))
        self._round_steps = self._on_steps + max(1, round(off_s / step_s))

    def is_on(self, step: int) -> bool:
        """Whether it runs in this step."""
        return step % self._round_steps < self._on_steps
