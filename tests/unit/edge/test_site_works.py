"""What the site file of a kiln or a steelworks may not say of its meters."""

from pathlib import Path

import pytest

from edge.errors import SiteConfigError
from tests.docs.test_site_statement import KILN, STEELWORKS, site
from tests.unit.edge.sites import config_of, problems, replaced, site_of

CEMENT = site("cement", "cets-ag-02.01-v01-2024", KILN)
STEEL = site("steel", "cets-ag-03.01-v01-2024", STEELWORKS)
TOLD = '[statement.clinker]\nkind = "portland"\nrule = "records"\nsource = "clinker-1"\n'
CLINKER = '[statement.clinker]\nkind = "portland"\npoint = "kiln-feed.total"\n'


@pytest.mark.parametrize(
    ("text", "change", "told"),
    [
        (CEMENT, {'use = "kiln"': 'use = "car"'}, ("fuel[0].use", "'car' is not one of")),
        (CEMENT, {'"kiln-1"': '"Kiln 1"'}, ("fuel[0].unit", "'Kiln 1' must match")),
        (CEMENT, {'"coal-kiln.total"': '"coal-kiln.feed"'},
         ("fuel[0].point", "is mass-flow; gas-volume or mass or solid-fuel-mass is needed")),
        (CEMENT, {'"coal-calciner.total"': '"coal-kiln.total"'},
         ("fuel[1].point", "it would count twice")),
        (CEMENT, {'"1.65"': '"0.99"'}, ("kiln_feed.meal_per_clinker", "is not in 1..3 t/t")),
        (CEMENT, {'"kiln-feed.feed"': '"kiln-feed.total"'},
         ("kiln_feed.flow_point", "is mass; mass-flow is needed")),
        (STEEL, {'purchased = "coal-in': 'point = "lime-in.total"\npurchased = "coal-in'},
         ("fuel[0].point", "give either it or purchased")),
        (STEEL, {"output_flow": "purchased_flow"}, ("fuel[1].purchased_flow", "unknown key")),
        (STEEL, {'"cog.flow"': '"cog.volume"'}, ("burnt[0].flow_point", "is gas-volume")),
        (STEEL, {'"crude-steel"\npoint': '"crude-steel"\noutput'},
         ("product[0].point", "is missing")),
        (CEMENT, {'use = "kiln"': 'source = "coal 1"\nuse = "kiln"'},
         ("fuel[0].source", "'coal 1' must match")),
        (CEMENT, {'use = "kiln"': 'rule = "records"\nsource = "coal-1"\nuse = "kiln"'},
         ("fuel[0].point", 'give either it or rule = "records"')),
        (CEMENT + TOLD, {'source = "clinker-1"\n': ""},
         ("clinker.rule", "source says what they are about")),
        (CEMENT + TOLD, {'"records"': '"papers"'}, ("clinker.rule", "'papers' is not one of")),
        (CEMENT + TOLD, {"clinker-1": 'clinker-1"\nbridge = "kiln-feed.feed'},
         ("clinker.bridge", "is mass-flow; mass is needed")),
        (STEEL, {'point = "lime-in.total"\nflow_point = "lime-in.feed"':
                 'rule = "records"\nsource = "lime"\nbridge = "steel.total"'},
         ("product[0].point", "it would count twice")),
        (STEEL + "# end", {'point = "steel.total"\n# end': 'point = "steel.feed"'},
         ("output.point", "is mass-flow; mass is needed")),
    ],
)  # fmt: skip
def test_mistakes(tmp_path: Path, text: str, change: dict[str, str], told: tuple[str, str]) -> None:
    key, reason = problems(tmp_path, replaced(text, change))[0]
    assert key == f"statement.{told[0]}"
    assert told[1] in reason


@pytest.mark.parametrize(
    ("text", "change", "key"),
    [
        (CEMENT, {'kind = "portland"': 'kind = "slag"'}, "statement.kiln_feed"),
        (STEEL, {'kind = "coke-oven-gas"': 'kind = "peat"'}, "statement.burnt[0]"),
        (STEEL, {'material = "limestone"': 'material = "chalk"'}, "statement.process[0]"),
        (CEMENT + CLINKER, {CLINKER: CLINKER.replace("portland", "tar")}, "statement.clinker[0]"),
    ],
)
def test_what_the_calculation_refuses_has_its_key(
    tmp_path: Path, text: str, change: dict[str, str], key: str
) -> None:
    with pytest.raises(SiteConfigError) as caught:
        config_of(site_of(tmp_path, replaced(text, change)))
    ((_, found, reason),) = caught.value.problems
    assert found == key
    assert f"{key.partition('[')[0]}: " in reason


def test_clinker_stands_alone_or_in_a_list(tmp_path: Path) -> None:
    alone = site_of(tmp_path, CEMENT + CLINKER).statement["clinker"]
    listed = replaced(CLINKER, {"[statement.clinker]": "[[statement.clinker]]"})
    assert site_of(tmp_path, CEMENT + listed).statement["clinker"] == alone
    assert alone == [{"kind": "portland", "point": "kiln-feed.total", "rule": "totaliser"}]


def test_an_entry_may_be_told_by_documents(tmp_path: Path) -> None:
    bridged = TOLD + 'bridge = "kiln-feed.total"\n'
    text = replaced(CEMENT + bridged, {'use = "kiln"': 'source = "coal-1"\nuse = "kiln"'})
    statement = config_of(site_of(tmp_path, text))["statement"]
    assert statement["clinker"] == [
        {"kind": "portland", "rule": "records", "source": "clinker-1", "bridge": "kiln-feed.total"}
    ]
    assert statement["fuels"][0]["source"] == "coal-1"


def test_what_is_in_no_line_is_no_second_count(tmp_path: Path) -> None:
    """Output may be a product's meter; what burns may be what was bought."""
    burnt = 'kind = "coke-oven-gas"\nflow_point = "cog.flow"'
    both = replaced(STEEL, {burnt: 'kind = "coke"\nflow_point = "coke-out.feed"'})
    statement = site_of(tmp_path, both).statement
    assert statement["output"]["point"] == statement["products"][0]["point"]
    assert statement["burnt"][0]["flow_point"] == statement["fuels"][1]["output_flow"]
