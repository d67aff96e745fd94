"""The flows: the only place that knows Prefect."""

import logging
import os

# Nobody's tools report home, however a flow is started; to be set before they are imported.
os.environ.setdefault("DO_NOT_TRACK", "1")
os.environ.setdefault("DVC_NO_ANALYTICS", "1")
os.environ.setdefault("PREFECT_SERVER_ANALYTICS_ENABLED", "false")

# Prefect passes the steps' logs on to a run's page (PREFECT_LOGGING_EXTRA_LOGGERS), but not their
# level: without one of their own they would be as quiet as the root logger.
for name in ("flows", "tasks", "lightning_modules"):
    logging.getLogger(name).setLevel(logging.INFO)
