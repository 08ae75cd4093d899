"""The kiln feed meter: it shows too much, and more each hour, and its counter believes it. Pure."""

from simulators.kiln.figures import MealFigures


class FeedMeter:
    """What it shows of a true flow."""

    def __init__(self, figures: MealFigures, *, step_s: float) -> None:
        self._figures = figures
        self._step_s = step_s
        self.shown_t_h = 0.0
        self.total_t = 0.0
        self.error_percent = figures.meter_error_percent

    def step(self, step: int, true_t_h: float) -> None:
        """One step."""
        hours = step * self._step_s / 3600.0
        drift = self._figures.meter_drift_percent_h * hours
        self.error_percent = self._figures.meter_error_percent + drift
        self.shown_t_h = true_t_h * (1.0 + self.error_percent / 100.0)
        self.total_t += self.shown_t_h * self._step_s / 3600.0
