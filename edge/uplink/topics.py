"""A gateway's topics. Pure."""

from dataclasses import dataclass

from evidence.log_lines import about


@dataclass(frozen=True)
class Topics:
    """The gateway's topics under stackproof/v1/<slice>/<plant>/<gateway>."""

    base: str

    @classmethod
    def of(cls, slice_id: str, plant: str, gateway: str) -> "Topics":
        """For one gateway."""
        return cls(f"stackproof/v1/{slice_id}/{plant}/{gateway}")

    @property
    def about(self) -> dict[str, str]:
        """`extra` of a log call about the gateway."""
        return about(*self.base.split("/")[-2:])

    @property
    def frames(self) -> str:
        """Signed objects, up."""
        return f"{self.base}/frames"

    @property
    def live(self) -> str:
        """Unsigned newest values, up."""
        return f"{self.base}/live"

    @property
    def state(self) -> str:
        """Retained birth and last will, up."""
        return f"{self.base}/state"

    @property
    def receipts(self) -> str:
        """The newest receipt, down."""
        return f"{self.base}/receipts"

    @property
    def down(self) -> tuple[str, ...]:
        """Receipts and configuration, down."""
        return self.receipts, f"{self.base}/config"

    @property
    def order(self) -> str:
        """The root's newest site order, down."""
        return f"{self.base}/order"

    @property
    def renew(self) -> str:
        """Requests for a broker certificate, up."""
        return f"{self.base}/renew"

    @property
    def certificate(self) -> str:
        """The newest broker certificate, down."""
        return f"{self.base}/certificate"

    @property
    def down_over_tls(self) -> tuple[str, ...]:
        """What is heard where there are broker certificates."""
        return *self.down, self.certificate
