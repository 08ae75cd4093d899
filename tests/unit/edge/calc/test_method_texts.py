"""Every method that a page names is told in both languages, with the same numbers and symbols."""

import re
from collections import Counter
from dataclasses import replace

import pytest

from cloud.live import made
from edge.calc.method_texts import formula_of, text_of
from edge.calc.registry import methods


@pytest.mark.parametrize("name", made.METHODS)
def test_a_method_that_pages_name_is_told_in_chinese(name: str) -> None:
    method = methods()[name]
    paragraphs = [text_of(method, language).split("\n\n") for language in ("en", "zh")]
    assert len(paragraphs[0]) == len(paragraphs[1])
    assert text_of(method, "en") == method.text
    # every number of the English text stands in the Chinese one; formulas have the same units
    numbers = [Counter(re.findall(r"[0-9]+(?:\.[0-9]+)?", " ".join(text))) for text in paragraphs]
    assert numbers[0] - numbers[1] == Counter()
    units = [re.findall(r"\[([^\]]*)\]", formula_of(method, one)) for one in ("en", "zh")]
    assert len(units[0]) == len(units[1])
    with pytest.raises(KeyError):
        text_of(replace(method, version=method.version + 1), "zh")


@pytest.mark.parametrize("formula", [made.ANODE, made.METAL, made.MATERIAL, made.CLINKER])
def test_formulas_of_our_own_have_the_same_units_and_numbers(formula: dict[str, str]) -> None:
    found = [re.findall(r"\[[^\]]*\]|[0-9/]{2,}", formula[one]) for one in ("en", "zh")]
    assert found[0] == found[1]
