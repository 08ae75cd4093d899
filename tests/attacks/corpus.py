"""The tamper corpus: every kind of tampering there is a test for, one list."""

from tests.attacks import (
    by_accident,
    by_bombs,
    by_both,
    by_certificates,
    by_closing,
    by_configuration,
    by_container,
    by_details,
    by_documents,
    by_keys,
    by_newer,
    by_operators,
    by_orders,
    by_settings,
    by_signed_figures,
    by_stamps,
    by_strangers,
    by_time,
)
from tests.attacks.forging import Kind

KINDS: list[Kind] = [
    *by_accident.KINDS,
    *by_strangers.KINDS,
    *by_operators.KINDS,
    *by_both.KINDS,
    *by_certificates.KINDS,
    *by_closing.KINDS,
    *by_configuration.KINDS,
    *by_keys.KINDS,
    *by_orders.KINDS,
    *by_settings.KINDS,
    *by_time.KINDS,
    *by_stamps.KINDS,
    *by_newer.KINDS,
    *by_details.KINDS,
    *by_documents.KINDS,
    *by_signed_figures.KINDS,
    *by_container.KINDS,
    *by_bombs.KINDS,
]
