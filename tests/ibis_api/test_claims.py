"""Claims about signatures of Ibis hold, or are refused with what is so."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from ibert_builder.ibis_api.claims import Claim


@pytest.mark.parametrize(
    ("claim", "is_about_a_default"),
    [
        ({"of": "Table.head", "parameter": "n", "default": 5}, True),
        ({"of": "Table.head", "parameter": "n"}, False),
        ({"of": "Table.limit", "parameters": ["n", "offset"]}, False),
        ({"of": "ibis.options.interactive", "value": False}, True),
    ],
)
def test_a_true_claim_is_accepted(claim, is_about_a_default):
    assert Claim(**claim).is_about_a_default == is_about_a_default


@pytest.mark.parametrize(
    ("claim", "problem"),
    [
        (
            {"of": "Table.head", "parameter": "n", "default": 6},
            "the default of 'n' in Table.head is 5, not 6",
        ),
        ({"of": "Table.head", "parameter": "n", "default": 5.0}, "is 5, not 5.0"),
        ({"of": "Table.head", "parameter": "m"}, "unknown parameter of Table.head 'm'"),
        ({"of": "Table.limit", "parameter": "n"}, "Table.limit has no default for 'n'"),
        ({"of": "Table.limit", "parameters": ["offset", "n"]}, "are ['n', 'offset'], not ['offset', 'n']"),
        ({"of": "Table.head"}, "expected a `parameter`, all `parameters` or a `value`"),
        ({"of": "ibis.options.interactive", "value": True}, "ibis.options.interactive is False, not True"),
        ({"of": "Table.hed", "parameter": "n"}, "did you mean 'head'"),
    ],
)
def test_a_false_claim_is_refused_with_what_is_so(claim, problem):
    with pytest.raises(ValidationError) as refused:
        Claim(**claim)
    assert problem in str(refused.value)
