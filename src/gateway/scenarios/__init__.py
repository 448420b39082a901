"""Scenarios: what happens in a lab, step by step, as a YAML file tells it. `docs/lab.md` says how one is written."""
