"""The learners; they know no ledger, champion, Prefect or DVC."""
