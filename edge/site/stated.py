"""The `[[device.stated]]` tables of the site file: what a meter's settings are, and why."""

from edge.settings import Stated
from evidence.meter_settings import REASON_MAX, SETTINGS_MAX, VALUE_MAX
from firmware_configs.fields import Fields
from firmware_configs.model import Profile


def read_stated(device: Fields, profile: Profile | None, *, is_read: bool) -> Stated:
    """Setting -> (value, reason) of each value, in the order of the file; problems are collected.

    Args:
        device: its table.
        profile: its model; None when that has problems of its own.
        is_read: the device's driver reads settings.
    """
    known = [] if profile is None else [setting.name for setting in profile.settings]
    found: dict[str, tuple[tuple[str, str], ...]] = {}
    tables = device.children("stated")
    if tables and not is_read:
        device.complain("stated", "has no effect: settings are not read over this url; remove it")
    for fields in tables:
        name = fields.text("setting", why="as the profile calls it")
        value = fields.raw("value")
        reason = fields.text("reason", why="who says so and why, for the reviewers")
        fields.finish()
        if name and profile is not None and name not in known:
            listed = " ".join(known) or "none"
            fields.complain("setting", f"{name!r} is no setting of {profile.id}: {listed}")
        if not isinstance(value, str) or len(value) > VALUE_MAX:
            at_most = f"text as the meter's value is signed, at most {VALUE_MAX} characters"
            fields.complain("value", f"must be {at_most}")
        elif len(reason) > REASON_MAX:
            fields.complain("reason", f"has {len(reason)} characters; {REASON_MAX} at most")
        elif (value, reason) in found.get(name, ()):
            fields.complain("reason", "stands there already for this value; say what is new")
        elif len(found.get(name, ())) >= SETTINGS_MAX:
            fields.complain("setting", f"is stated more than {SETTINGS_MAX} times; drop old ones")
        else:
            found[name] = (*found.get(name, ()), (value, reason))
    return found
