"""Topics of a gateway; both ends of the broker must spell them alike."""

from cloud.collector.topics import CONFIG, FRAMES, LIVE, RECEIPTS, STATE, Sender, down, parse
from edge.uplink.topics import Topics


def test_topics() -> None:
    topics = Topics.of("a7", "north-works", "edge-1")
    assert topics.frames == "stackproof/v1/a7/north-works/edge-1/frames"
    assert topics.live == "stackproof/v1/a7/north-works/edge-1/live"
    assert topics.state == "stackproof/v1/a7/north-works/edge-1/state"
    assert topics.down == (
        "stackproof/v1/a7/north-works/edge-1/receipts",
        "stackproof/v1/a7/north-works/edge-1/config",
    )


def test_the_collector_spells_them_the_same() -> None:
    topics, sender = Topics.of("a7", "north-works", "edge-1"), Sender("north-works", "edge-1")
    for leaf, topic in ((FRAMES, topics.frames), (LIVE, topics.live), (STATE, topics.state)):
        assert parse(topic, "a7") == (sender, leaf)
    assert topics.down == (down("a7", sender, RECEIPTS), down("a7", sender, CONFIG))
