"""Which key may take up a stream, judged by its spool. Pure but for reading.

A rotate object that the collector refuses is refused for ever, and everything behind it with it.
So what the collector would not take is not signed: a stream never goes back to a key.
"""

from edge.identity import Identity
from edge.spool_reader import SpoolReader, State
from evidence import cbor
from evidence.keys import (
    Certificate,
    certificate_from_der,
    certificate_to_der,
    key_sha256,
    public_key,
)

HASH_BYTES = 32
CERTIFICATES_MAX = 50  # certificates that are remembered, for exports
USED_MAX = 10_000  # keys that are remembered


def used_keys(spool: SpoolReader) -> set[bytes]:
    """SHA-256 of every key the stream is known to have had."""
    used = spool.get(State.USED) or b""
    ders = cbor.decode(spool.get(State.CERTIFICATES) or cbor.encode([]))
    certified = {key_sha256(public_key(certificate_from_der(der))) for der in ders}
    return certified | {used[i : i + HASH_BYTES] for i in range(0, len(used), HASH_BYTES)}


def with_used(spool: SpoolReader, key: bytes) -> dict[str, bytes]:
    """The state by which this key is remembered as one that had its time."""
    used = (spool.get(State.USED) or b"") + key
    return {State.USED: used[-USED_MAX * HASH_BYTES :]}


def with_certificate(spool: SpoolReader, certificate: Certificate) -> dict[str, bytes]:
    """The state by which this certificate is remembered."""
    der = certificate_to_der(certificate)
    known = cbor.decode(spool.get(State.CERTIFICATES) or cbor.encode([]))
    kept = known if der in known else [*known, der][-CERTIFICATES_MAX:]
    return {State.CERTIFICATES: cbor.encode(kept)}


def objection(spool: SpoolReader, who: Identity) -> str:
    """Why the key of the site file cannot take up the spool's stream; "" when it can."""
    continues, in_use = who.continues, spool.get(State.KEY)
    if continues is not None and spool.get(State.CONTINUES) != continues.sha256:
        made = spool.head().next_seq
        if not (made or spool.open_ticks() or spool.unsigned()):
            return ""
        holds = f"a stream up to seq {made - 1}" if made else "readings"
        return (
            f"the spool already holds {holds}, which cannot "
            f"continue seq {continues.order.seq}: give the new device an empty state_dir, or "
            "remove continues from [gateway]"
        )
    if in_use is None or in_use == who.key_sha256:
        return ""
    own, old = who.key_sha256.hex()[:16], in_use.hex()[:16]
    signed = f"the stream is signed with key {old} and gateway.key is {own}"
    stay = f"write key and certificate of {old} under [gateway] again"
    if who.key_sha256 in used_keys(spool):
        return (
            f"{signed}, which was in use before: a stream never goes back to a key, the collector "
            f"would refuse it for ever. Make a new key (stackproof keys rotate, stackproof keys "
            f'enrol) and name it, with previous_key = "file:PATH" of {old}; until then {stay}'
        )
    named = None if who.previous is None else key_sha256(who.previous.public_key)
    if named == in_use:
        return ""
    given = "is missing" if named is None else f"is of key {named.hex()[:16]}"
    return (
        f"{signed}; only the key in use can hand over, and previous_key {given}: write "
        f'previous_key = "file:PATH" of key {old} under [gateway], or, to change nothing, {stay}. '
        f"Do so too if {own} has signed before and the spool was set back to an earlier copy: the "
        "agent then reads on, signs nothing, and says what to do"
    )
