"""Near-duplicates are found across groups, and only there."""

from __future__ import annotations

from ibert_builder.audit.near_duplicates import across


def test_near_duplicates_are_found_across_groups_only():
    base = "SELECT customer_id, SUM(amount) AS total FROM orders WHERE status = 'paid' GROUP BY customer_id"
    texts = [base, base.replace("paid", "open"), "SELECT 1", base.replace("'paid'", "'late'")]
    assert across(["a", "a", "b", "b"], texts) == [(3, 0)]
    assert across(["a", "a", "a", "a"], texts) == []
    assert across(["a", "b"], ["x = 1", "completely other words stand here"]) == []
