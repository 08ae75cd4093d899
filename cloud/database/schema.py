"""The tables. Evidence stands as the bytes that were signed; columns beside them are an index.

Times are nanoseconds since 1970 UTC, hashes are SHA-256, `data` is verbatim. Nothing of evidence is
ever changed: rows are inserted, and two rows a plant move on with each commit (its checkpoint, its
unit's lease).

A change here needs a step in `cloud/database/migrations/versions`; a test compares the two.
"""

from sqlalchemy import (
    BigInteger,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    Text,
    text,
)

#: what Alembic and constraints of PostgreSQL are named by
metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

#: SQLite makes a rowid of INTEGER alone
ID = BigInteger().with_variant(Integer, "sqlite")

#: what holds for the database as a whole, such as that its times are simulated
setting = Table(
    "setting", metadata,
    Column("name", Text, primary_key=True),
    Column("value", Text, nullable=False),
)  # fmt: skip

#: the setting that has the next alarm's number
ALARM_NUMBER = "alarm.number"

#: who writes the plants of a unit (`cloud.database.lease`); renewed_s is by the database's clock
lease = Table(
    "lease", metadata,
    Column("unit", Text, primary_key=True),
    Column("holder", Text, nullable=False),
    Column("epoch", BigInteger, nullable=False),
    Column("renewed_s", Float, nullable=False),
)  # fmt: skip

plant = Table(
    "plant", metadata,
    Column("id", ID, primary_key=True, autoincrement=True),
    Column("name", Text, nullable=False, unique=True),
    Column("unit", Text, nullable=False),
)  # fmt: skip

_PLANT = ForeignKey("plant.id")

#: newest signed note of a plant's log
checkpoint = Table(
    "checkpoint", metadata,
    Column("plant_id", ID, _PLANT, primary_key=True, autoincrement=False),
    Column("size", BigInteger, nullable=False),
    Column("note", Text, nullable=False),
)  # fmt: skip

#: leaves of a plant's log; `mark` is of `cloud.database.state.Mark`
entry = Table(
    "entry", metadata,
    Column("id", ID, primary_key=True, autoincrement=True),
    Column("plant_id", ID, ForeignKey("plant.id"), nullable=False),
    Column("number", BigInteger, nullable=False),
    Column("mark", SmallInteger, nullable=False),
    Column("sha256", LargeBinary, nullable=False),
    Column("data", LargeBinary, nullable=False),
    Index("uq_entry_plant_id_number", "plant_id", "number", unique=True),
    Index(
        "ix_entry_marked", "plant_id", "number",
        sqlite_where=text("mark > 0"), postgresql_where=text("mark > 0"),
    ),
)  # fmt: skip

#: 256 hashes of one level of a plant's tree each (`cloud.database.tiles`); whole ones only
tile = Table(
    "tile", metadata,
    Column("id", ID, primary_key=True, autoincrement=True),
    Column("plant_id", ID, ForeignKey("plant.id"), nullable=False),
    Column("level", SmallInteger, nullable=False),
    Column("number", BigInteger, nullable=False),
    Column("hashes", LargeBinary, nullable=False),
    Index("uq_tile_plant_id_level_number", "plant_id", "level", "number", unique=True),
)  # fmt: skip

stream = Table(
    "stream", metadata,
    Column("id", ID, primary_key=True, autoincrement=True),
    Column("plant_id", ID, ForeignKey("plant.id"), nullable=False),
    Column("name", Text, nullable=False),
    Index("uq_stream_plant_id_name", "plant_id", "name", unique=True),
)  # fmt: skip

#: signed objects of gateways; kind is `evidence.log.Kind`, 2 a configuration, 13 a close object
stored = Table(
    "object", metadata,
    Column("id", ID, primary_key=True, autoincrement=True),
    Column("stream_id", ID, ForeignKey("stream.id"), nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("kind", SmallInteger, nullable=False),
    Column("at_ns", BigInteger, nullable=False),
    Column("through_ns", BigInteger, nullable=False),
    Column("received_ns", BigInteger, nullable=False),
    Column("log_number", BigInteger, nullable=False),
    Column("length", Integer, nullable=False),
    Column("sha256", LargeBinary, nullable=False),
    Column("data", LargeBinary, nullable=False),
    Index("uq_object_stream_id_seq", "stream_id", "seq", unique=True),
    Index(
        "ix_object_rare", "stream_id", "seq",
        sqlite_where=text("kind IN (2, 13)"), postgresql_where=text("kind IN (2, 13)"),
    ),
)  # fmt: skip

#: certificates (.crt, PEM) and orders and rotate objects (.cose)
key_file = Table(
    "key_file", metadata,
    Column("plant_id", ID, ForeignKey("plant.id"), primary_key=True, autoincrement=False),
    Column("name", Text, primary_key=True),
    Column("data", LargeBinary, nullable=False),
)  # fmt: skip

#: objects that the log refused and keeps for people to look at
aside = Table(
    "aside", metadata,
    Column("plant_id", ID, ForeignKey("plant.id"), primary_key=True, autoincrement=False),
    Column("sha256", LargeBinary, primary_key=True),
    Column("data", LargeBinary, nullable=False),
)  # fmt: skip

#: documents that persons signed
document = Table(
    "document", metadata,
    Column("plant_id", ID, ForeignKey("plant.id"), primary_key=True, autoincrement=False),
    Column("sha256", LargeBinary, primary_key=True),
    Column("data", LargeBinary, nullable=False),
)  # fmt: skip

#: files of a plant's documents, in chunks from 0; each is kept once, however many documents have it
file_chunk = Table(
    "file_chunk", metadata,
    Column("plant_id", ID, ForeignKey("plant.id"), primary_key=True, autoincrement=False),
    Column("sha256", LargeBinary, primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("data", LargeBinary, nullable=False),
)  # fmt: skip

#: which document has which file
attached = Table(
    "attached", metadata,
    Column("plant_id", ID, ForeignKey("plant.id"), primary_key=True, autoincrement=False),
    Column("document", LargeBinary, primary_key=True),
    Column("file", LargeBinary, primary_key=True),
)  # fmt: skip
