"""Stores as a model writes them; editors show them, and the conformance suite checks them."""

from __future__ import annotations

from typing import Any, Final

EXAMPLES: Final[tuple[dict[str, Any], ...]] = (
    {
        "name": "Sales",
        "source": {"url_variable": "SALES_URL"},
        "schedule": "0 * * * *",
        "datasets": [
            {"name": "customers", "key": ["id"]},
            {"name": "orders", "key": ["id", "line"], "table": "order_lines"},
        ],
    },
    {
        "name": "Warehouse",
        "owner": "logistics",
        "tags": ["stock"],
        "source": {
            "driver": "postgresql",
            "hostname": "warehouse.example.org",
            "port": 5432,
            "database": "warehouse",
            "credential": "warehouse_reader",
        },
        "source_schema": "public",
        "ingestion": "single",
        "priority": 3,
        "job_limits": {"limits_memory": "4Gi"},
        "datasets": [
            {"name": "movements", "key": ["id"]},
            {"name": "stock", "source_schema": "reporting"},
        ],
    },
)
