"""Use cases: the only place where decisions meet transactions."""
