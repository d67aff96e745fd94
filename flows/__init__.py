"""The flows: the only place that knows Prefect."""

import logging

# Prefect passes the steps' logs on to a run's page (PREFECT_LOGGING_EXTRA_LOGGERS), but not their
# level: without one of their own they would be as quiet as the root logger.
for name in ("flows", "tasks", "lightning_modules"):
    logging.getLogger(name).setLevel(logging.INFO)
