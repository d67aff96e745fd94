"""One script per claim that the README makes; each writes its figures under `results/`."""
