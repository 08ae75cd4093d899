"""Roles, what each may do, and which plants somebody sees. Pure.

Everything that can be asked of the collector needs one `Right`; `cloud.api.access` says which.
Administration is split in three (三员): system, security and audit, which are the three managements
of GB/T 22239-2019. None of them has a right that makes or changes a record or a month; what
security signs is who may sign.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from cloud.accounts.errors import AccountError
from evidence.points import NAME_ID

#: the collector itself, in documents and as the program that holds `state_dir`'s token
COLLECTOR = "collector"
EVERY_PLANT = "*"
TEXT_MAX = 200
PLANTS_MAX = 1_000

_REGION = re.compile(r"(?:[0-9]{2}){0,3}")


class Right(StrEnum):
    """What something needs that is asked for."""

    SEE = "see"  # live values, points, months: of one's plants
    EVIDENCE = "evidence"  # log, proofs, streams, refusals: of one's plants
    SYSTEM = "system"  # key folders, exported spools, receipt files
    RECORDS = "records"  # what persons signed, with its files: of one's plants
    SAMPLES = "samples"  # of these what one's laboratory was sent; whoever has RECORDS has it
    REVIEW = "review"  # what reviewers alone do: visits of a plant
    OPERATE = "operate"  # acknowledging alarms, handing over a shift: persons only, of one's plants
    SIGN = "sign"  # bringing in what one signed oneself, for one's plants
    MONTHS = "months"  # closing and sealing
    PEOPLE = "people"  # the list of accounts
    ACCOUNTS = "accounts"  # inviting, ending, changing accounts
    ADMINISTRATORS = "administrators"  # inviting administrators: the collector's machine
    SECURITY_LOG = "security-log"
    OWN = "own"  # one's own password, sessions and tokens: never a token's


_RECORDS = {Right.RECORDS, Right.SAMPLES}
_WORKS = {Right.SEE, Right.EVIDENCE, *_RECORDS, Right.OWN}

#: role -> rights
ROLES: dict[str, frozenset[Right]] = {
    "operator": frozenset(_WORKS | {Right.SIGN, Right.OPERATE}),
    "engineer": frozenset(_WORKS | {Right.SIGN, Right.OPERATE}),
    "accountant": frozenset(_WORKS | {Right.SIGN, Right.MONTHS}),
    "laboratory": frozenset({Right.SIGN, Right.SAMPLES, Right.OWN}),
    "reviewer": frozenset(_WORKS | {Right.SIGN, Right.REVIEW}),
    "system": frozenset({Right.EVIDENCE, Right.SYSTEM, Right.OWN}),
    "security": frozenset({Right.PEOPLE, Right.ACCOUNTS, Right.SIGN, Right.OWN}),
    "audit": frozenset({Right.EVIDENCE, *_RECORDS, Right.PEOPLE, Right.SECURITY_LOG, Right.OWN}),
}
ADMINISTRATORS = ("system", "security", "audit")
#: what a token may be given of its owner's rights
TOKEN_RIGHTS = frozenset(
    {Right.SEE, Right.EVIDENCE, *_RECORDS, Right.SIGN, Right.SYSTEM, Right.MONTHS}
) | {Right.SECURITY_LOG}


@dataclass(frozen=True)
class Principal:
    """Who asks.

    Attributes:
        account: id; "" for somebody without an account, `COLLECTOR` for a program beside it.
        rights: what it may do.
        plants: ids of the plants it is for; `EVERY_PLANT` alone for all.
        region: a reviewer's prefix of GB/T 2260 codes; None for all others.
        session: id of the session it came by; "" for none.
        csrf: what a form of that session must bring.
    """

    account: str
    rights: frozenset[Right]
    plants: tuple[str, ...] = ()
    region: str | None = None
    session: str = ""
    csrf: str = ""

    def sees(self, plant: str, region: str) -> bool:
        """Is it for a plant that lies in a region (its GB/T 2260 code; "" where none is given)?"""
        if self.region is not None:
            return region.startswith(self.region)
        return EVERY_PLANT in self.plants or plant in self.plants


#: somebody who did not say who it is
STRANGER = Principal("", frozenset())
#: likewise, where CLOUD.toml says `accounts = false`
VISITOR = Principal("", frozenset({Right.SEE, Right.EVIDENCE}), (EVERY_PLANT,))
#: likewise, where it says `visitors_operate = true`: of a demo on one machine
VISITING_OPERATOR = Principal("visitor", VISITOR.rights | {Right.OPERATE}, (EVERY_PLANT,))
#: a program on the collector's machine
PROGRAM = Principal(
    COLLECTOR,
    TOKEN_RIGHTS | {Right.PEOPLE, Right.ADMINISTRATORS},
    (EVERY_PLANT,),
)


@dataclass(frozen=True)
class Profile:
    """What an account is for.

    Attributes:
        role: a key of `ROLES`.
        region: a reviewer's: "" the country, 2 digits a province, 4 a city, 6 a county.
        plants: of all others but administrators: plant ids, or `EVERY_PLANT`.
    """

    role: str
    region: str = ""
    plants: tuple[str, ...] = ()

    @classmethod
    def asked(cls, role: str, region: str, plants: tuple[str, ...]) -> "Profile":
        """Of what somebody asks for: the whole country is "*", so that none has it by an oversight.

        Raises:
            AccountError: a reviewer without a region.
        """
        if role == "reviewer" and not region:
            raise AccountError("region-missing")
        is_country = role == "reviewer" and region == EVERY_PLANT
        return cls(role, "" if is_country else region, plants)

    def told(self) -> str:
        """As the security log has it: "role=operator plants=mini,maxi"."""
        where = f" region={self.region}" if self.region else ""
        plants = f" plants={','.join(self.plants)}" if self.plants else ""
        return f"role={self.role}{where}{plants}"

    @classmethod
    def of_told(cls, text: str) -> "Profile":
        """What `told` made this text of; for another text one that is for nothing."""
        words = dict(word.partition("=")[::2] for word in text.split())
        plants = tuple(filter(None, words.get("plants", "").split(",")))
        return cls(words.get("role", ""), words.get("region", ""), plants)

    def sees(self, plant: str, region: str) -> bool:
        """As `Principal.sees` of an account with this profile; nobody without a role does."""
        return self.role in ROLES and principal("", self).sees(plant, region)


def is_region(text: str) -> bool:
    """Is it a prefix of GB/T 2260 codes: "" or 2, 4 or 6 digits?"""
    return _REGION.fullmatch(text) is not None


def check_id(account: str) -> None:
    """AccountError when this cannot be an account's id."""
    if not NAME_ID.fullmatch(account) or account == COLLECTOR:
        raise AccountError("id")


def check_text(text: str) -> None:
    """AccountError when a name or organisation is not one line of 1 to 200 printable characters."""
    if not 1 <= len(text) <= TEXT_MAX or not text.isprintable() or text != text.strip():
        raise AccountError("text")


def check_profile(profile: Profile) -> None:
    """AccountError when a role has the wrong region or plants."""
    if profile.role not in ROLES:
        raise AccountError("role")
    if not is_region(profile.region):
        raise AccountError("region")
    if profile.region and profile.role != "reviewer":
        raise AccountError("region-of-reviewers")
    needs_plants = profile.role not in ("reviewer", *ADMINISTRATORS)
    if needs_plants != bool(profile.plants):
        raise AccountError("plants-missing" if needs_plants else "plants-not-of-role")
    if len(profile.plants) > PLANTS_MAX or not all(
        plant == EVERY_PLANT or NAME_ID.fullmatch(plant) for plant in profile.plants
    ):
        raise AccountError("plants")


def principal(account: str, profile: Profile, scopes: Sequence[str] | None = None) -> Principal:
    """An account as it asks.

    Args:
        account: id.
        profile: what it is for.
        scopes: of a token; None in a session.
    """
    rights = ROLES[profile.role]
    if scopes is not None:
        given = {Right(scope) for scope in scopes}
        rights &= TOKEN_RIGHTS & (given | (_RECORDS if Right.RECORDS in given else set()))
    is_reviewer = profile.role == "reviewer"
    plants = (EVERY_PLANT,) if profile.role in ADMINISTRATORS else profile.plants
    return Principal(account, rights, plants, profile.region if is_reviewer else None)
