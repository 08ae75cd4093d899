"""What a collector under a simulated clock takes: no real plant is to get times that never were."""

from cloud.collector.judge import Accepted, Refused, Verdict


def simulated_only(accepted: Accepted) -> Verdict:
    """What is accepted, but no configuration of a real plant."""
    if accepted.config is None or accepted.config["plant"]["simulated"]:
        return accepted
    return Refused("config", "this collector's clock is simulated, and the plant is not: it would "
                   "get receipts and months with times that never were")  # fmt: skip
