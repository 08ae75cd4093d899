"""Who is held up by what an InfluxDB refuses: the store, or the one plant whose points they are.

The answers are those of the sources that `cloud.series.refusal` names.
"""

import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import update

from cloud.commands.series import Stopped, refill
from cloud.database.objects import StoredObject
from cloud.database.schema import stored
from cloud.errors import StoreError
from cloud.series import follow
from cloud.series.bucket import MINUTE_NS, MINUTE_S, SECOND_NS
from cloud.series.follow import SeriesFollower
from cloud.series.influxdb import InfluxSeries
from cloud.series.refusal import Refused, reason_of, refused
from cloud.series.store import SeriesRefusedError
from cloud.store_targets import open_store
from evidence.log import Kind, decode_entry
from evidence.log_details import OBJECT_KINDS
from tests.influx_servers import BUCKET, TOKEN, Fake, Front, serving
from tests.unit.cloud.kept import enrolled, evidence_in, kept_in
from tests.unit.cloud.month_examples import Desk
from tests.unit.cloud.series.test_follow import (
    EVER_NS,
    FRAME_NS,
    STEP_NS,
    configure,
    deliver,
    stopped,
)
from tests.unit.cloud.series.test_follow import START_NS as FRAMES_NS
from tests.unit.cloud.series.test_store_contract import (
    OTHER,
    START_NS,
    VOLTS,
    WAIT_S,
    batch,
    bucket,
    influx_config,
    settled,
)
from tests.unit.evidence import sealed_month as sm

AGE, POINTS, STORE, LOST = Refused.AGE, Refused.POINTS, Refused.STORE, Refused.LOST
OF_2 = "failure writing points to database: partial write: "
NEWER = (
    "dropped 4 points outside retention policy of duration 24h0m0s - oldest point home,room=Living"
    r"\ Room at 1970-01-01T00:00:01.541Z dropped because it violates a Retention Policy Lower Bound"
    " at 2025-05-20T19:06:17.612973Z, newest point home at {} dropped because it violates a {}"
    " Bound at 2025-05-20T19:06:17.612973Z dropped=4 for database: 9f282d63c7d3a5c0"
)
#: a plant that sends what the first one does
ANOTHER = "another"
SQLITE = 'kind = "sqlite"'
#: minutes that are over in twenty frames
THROUGH_NS = (FRAMES_NS + 20 * FRAME_NS - STEP_NS) // MINUTE_NS * MINUTE_NS


@pytest.mark.parametrize(
    ("status", "said", "whose"),
    [
        (400, '{"error":"partial write: points beyond retention policy dropped=225"}', AGE),
        (422, f'{{"message":"{OF_2}points beyond retention policy dropped=1"}}', AGE),
        (500, '{"message":"unexpected error writing points to database: partial write: points '
         'beyond retention policy dropped=1"}', AGE),
        (422, OF_2 + NEWER.format("1970-01-01T00:00:01Z", "Retention Policy Lower"), AGE),
        # what is too far ahead is too far ahead for a while
        (422, OF_2 + NEWER.format("2031-01-01T00:00:00Z", "Write Window Upper"), POINTS),
        (422, f'{{"message":"{OF_2}field type conflict: input field"}}', POINTS),
        (500, '{"message":"unexpected error: partial write: field type conflict"}', POINTS),
        (400, '{"error":"partial write of line protocol occurred"}', POINTS),
        (400, '{"code":"invalid","message":"unable to parse"}', POINTS),
        (413, "<html>Request Entity Too Large</html>", POINTS),
        # words of it, and another matter
        (500, r'{"error":"retention policy not found: \"quarter\""}', STORE),
        (401, '{"message":"unauthorized access"}', STORE),
        (403, '{"message":"insufficient permissions for write"}', STORE),
        (404, '{"message":"bucket not found"}', LOST),
        (404, '{"code":"not found","message":"bucket \\"stackproof\\" not found"}', LOST),
        (404, '{"error":"database not found: \\"stackproof\\""}', LOST),
        (404, '{"message":"organization not found"}', STORE),
        (404, "<html>404 Not Found</html>", STORE),
        (200, "<html>please log in</html>", STORE),
        (429, "", STORE),
        (503, "", STORE),
        (None, "", STORE),
    ],
)  # fmt: skip
def test_whose_trouble_a_refusal_is(status: int | None, said: str, whose: Refused) -> None:
    assert refused(status, reason_of(said.encode())) is whose


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ('{"error":"partial write of line protocol occurred","data":[{"original_line":"a b=1",'
         '"line_number":2,"error_message":"invalid column type"}]}',
         "partial write of line protocol occurred: invalid column type"),
        ('{"error":"parsing failed","data":{"error_message":"no fields"}}',
         "parsing failed: no fields"),
        ('{"error":"odd","data":7}', "odd"),
        ('{"error":"odd","data":[{"line_number":2}]}', "odd"),
        ("[1]", "[1]"),
        ("[" * 100_000, "[" * 100_000),
        ("502 Bad Gateway", "502 Bad Gateway"),
    ],
)  # fmt: skip
def test_the_reason_is_told_as_each_tells_it(said: str, reason: str) -> None:
    assert reason_of(said.encode()) == reason


def opened(front: Front, folder: Path) -> InfluxSeries:
    return InfluxSeries(folder / "marks.db", influx_config(front.url, folder), (0.01, 0.02))


def within_wait(is_so: Callable[[], object]) -> None:
    until = time.monotonic() + WAIT_S
    while not is_so():
        assert time.monotonic() < until
        time.sleep(0.005)


def test_a_field_of_another_type_holds_up_its_plant_alone(influx: Front, tmp_path: Path) -> None:
    # another program wrote a float into the week of `mini`'s minutes; `maxi`'s are of another one
    assert influx.engine.write(f"minute,plant=x low=1.5 {START_NS // SECOND_NS}")[0] == 204
    store = opened(influx, tmp_path)
    given, earlier = bucket(0, 1, 5, 5, 5, 5, 0), bucket(-50_400, 1, 9, 9, 9, 9, 0)
    none = bucket(1, 0, 0, 0, 0, 0, 128)  # without the field that is refused
    store.put(batch(VOLTS, given))
    within_wait(lambda: not store.state().waiting)
    with pytest.raises(SeriesRefusedError, match="field type conflict"):
        store.put(batch(VOLTS, none, seq=2))  # its mark would leave out what was refused
    store.put(batch(OTHER, earlier))
    settled(store)
    assert (store.marks("mini"), store.marks("maxi").keys()) == ({}, {"edge-1"})
    assert store.state().trouble == ""
    assert store.read(MINUTE_S, "maxi", 0, EVER_NS) == {OTHER: [earlier]}
    said = store.refused("mini")
    assert said.startswith(f"InfluxDB {influx.url}: refuses (4")
    assert said.endswith(
        'partial write: field type conflict: input field "low" on measurement "minute" is type'
        " integer, already exists as type float dropped=1"
    )
    assert store.refused("mini") == ""
    # who mended it brings the log once more
    assert influx.engine.empty() == 200
    store.put(batch(VOLTS, given))
    store.put(batch(VOLTS, none, seq=2))
    settled(store)
    assert store.read(MINUTE_S, "mini", 0, EVER_NS) == {VOLTS: [given, none]}
    assert store.marks("mini")["edge-1"].next_seq == 2
    store.close()


def test_what_waits_behind_a_refused_batch_is_not_written(tmp_path: Path) -> None:
    with serving(Fake()) as front:
        store = opened(front, tmp_path)
        front.refuses = 503
        store.put(batch(VOLTS, bucket(0, 1, 1, 1, 1, 1, 0)))
        within_wait(lambda: store.state().trouble)
        store.put(batch(VOLTS, bucket(1, 1, 1, 1, 1, 1, 0), seq=2))
        front.refuses, front.only = 413, f" {START_NS // SECOND_NS}"  # the first one alone
        settled(store)
        assert (store.marks("mini"), front.written) == ({}, 0)
        assert store.refused("mini").endswith("refuses (413): come back later, Token [taken out]")
        assert store.state().trouble == ""  # it answers
        store.close()


def test_what_nobody_thought_of_is_one_plants(tmp_path: Path) -> None:
    with serving(Fake()) as front:
        odd = VOLTS._replace(quantity='{"kind":"voltage"}')  # it has no unit
        store = opened(front, tmp_path)
        store.put(batch(odd, bucket(0, 1, 1, 1, 1, 1, 0)))
        store.put(batch(OTHER, bucket(0, 1, 1, 1, 1, 1, 0)))
        settled(store)
        assert store.refused("mini") == "its series cannot be written: KeyError('unit')"
        assert (store.marks("mini"), store.marks("maxi").keys()) == ({}, {"edge-1"})
        store.close()


# -- two plants ------------------------------------------------------------------------------------


@pytest.fixture
def two(tmp_path: Path) -> list[str]:
    """Plants of one collector: another one that sends the same, and the first."""
    desk = Desk(tmp_path)
    configure(desk)
    deliver(desk, 1, 0, 20)
    found = [(decode_entry(data), stored_of(desk, data)) for _, data in desk.reader.entries()]
    desk.shut()
    with closing(evidence_in(tmp_path)) as store:
        other = enrolled(store, ANOTHER, sm.keys().collector)
        for entry, held in found:
            if held is not None:
                t0_ns = held.at_ns if held.kind is Kind.FRAME else 0
                other.stage_object(entry, held.data, t0_ns=t0_ns, newest_ns=held.through_ns)
        assert store.commit() == ([other], {})
    return [ANOTHER, sm.PLANT]


def stored_of(desk: Desk, data: bytes) -> StoredObject | None:
    """The object that a log entry is of."""
    entry = decode_entry(data)
    if entry.kind not in OBJECT_KINDS or entry.seq is None:
        return None
    return next(desk.reader.objects(entry.stream, entry.seq))


def test_a_plant_is_refused_and_the_other_goes_on(
    two: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(follow, "AGAIN_S", 0.0)  # it is brought again at once
    monkeypatch.setattr(follow, "STEP_OBJECTS", 2)
    config = stopped(tmp_path, SQLITE, ANOTHER)
    with serving(Fake()) as front, closing(open_store(config)) as evidence:
        front.refuses, front.only = 422, f"plant={ANOTHER},"
        store = opened(front, tmp_path)
        follower = SeriesFollower(Stopped(config, evidence, None), store)
        troubles = list[dict[tuple[str, str], str]]()

        def through() -> dict[str, int]:
            for plant in two:
                follower.step(plant)
            troubles.append(dict(follower.trouble()))
            return {one.plant: one.through_ns for one in follower.followed()}

        within_wait(lambda: through().get(sm.PLANT) == THROUGH_NS and front.refused > 3)
        said = f"InfluxDB {front.url}: refuses (422): come back later, Token [taken out]"
        # once it is told it stands, though the same is brought again and again
        due = {(ANOTHER, ""): said}
        assert troubles[-1] == due
        assert [one for one in troubles[troubles.index(due) :] if not one] == []
        assert (store.marks(ANOTHER), store.state().trouble) == ({}, "")
        front.refuses = 0
        within_wait(lambda: set(through().values()) == {THROUGH_NS} and not follower.trouble())
        own, other = (store.read(MINUTE_S, plant, 0, EVER_NS, point="gas.flow") for plant in two)
        assert list(own.values()) == list(other.values()) != []
        follower.close()


@pytest.mark.parametrize("amiss", ["refused", "damaged"])
def test_a_plant_that_cannot_be_made_again_keeps_no_other_from_it(
    two: list[str], tmp_path: Path, amiss: str
) -> None:
    (tmp_path / "token").write_text(TOKEN)
    with serving(Fake()) as front:
        table = f'kind = "influxdb"\nurl = "{front.url}"\nbucket = "{BUCKET}"\ntoken = "file:token"'
        config = stopped(tmp_path, table, ANOTHER)
        if amiss == "refused":
            front.refuses, front.only = 400, f"plant={ANOTHER},"
            says = rf"^{ANOTHER}: InfluxDB .* refuses \(400\): come back later"
        else:
            with closing(kept_in(tmp_path)) as database, database.writing() as connection:
                frame = (stored.c.stream_id == 2) & (stored.c.seq == 3)
                connection.execute(update(stored).where(frame).values(data=b"altered"))
            says = rf"^{ANOTHER}: {sm.STREAM}: {ANOTHER}/{sm.STREAM}/3: the object is not the one"
        said = list[str]()
        with pytest.raises(StoreError, match=says):
            said.extend(refill(config, None))
        assert [one.partition(":")[0] for one in said] == [sm.PLANT]
        assert front.refused == (1 if amiss == "refused" else 0)  # then it rests
