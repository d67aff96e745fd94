"""Where PostgreSQL is asked for and missing, the tests on it do not pass by not being run."""

import pytest

from tests import databases


def test_what_is_asked_for_is_run_whether_it_is_there_or_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(databases, "_postgres_programs", lambda: None)
    monkeypatch.delenv("DAYSHIFT_DATABASES", raising=False)
    assert databases._wanted() == ["sqlite"]
    monkeypatch.setenv("DAYSHIFT_DATABASES", "sqlite postgresql")
    assert databases._wanted() == ["sqlite", "postgresql"]


def test_a_server_that_is_missing_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(databases, "_postgres_programs", lambda: None)
    with pytest.raises(pytest.fail.Exception, match="no PostgreSQL: install its server"):
        databases._needed_programs()
