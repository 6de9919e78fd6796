"""Transformers as a model writes them; editors show them, and the conformance suite checks them."""

from __future__ import annotations

from typing import Any, Final

EXAMPLES: Final[tuple[dict[str, Any], ...]] = (
    {
        "name": "Revenue",
        "inputs": {"orders": "Sales.orders", "customers": "Sales.customers"},
        "outputs": [
            {
                "name": "by_country",
                "key": ["country"],
                "sql": (
                    "SELECT customers.country, SUM(orders.amount) AS amount FROM orders"
                    " JOIN customers ON customers.id = orders.customer_id"
                    " GROUP BY customers.country"
                ),
            }
        ],
    },
    {
        "name": "Nightly",
        "owner": "finance",
        "retries": 2,
        "inputs": ["Revenue.by_country"],
        "schedule": "0 3 * * *",
        "priority": 4,
        "output_store": "Reports",
        "outputs": [
            {"name": "ranking", "key": ["place"]},
            {"name": "outliers", "key": ["country"]},
        ],
        "python": "nightly_report",
    },
)
