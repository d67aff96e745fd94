"""A database's URL in its parts, and no message that has its password."""

from contextlib import suppress

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

PSYCOPG = "postgresql+psycopg"  # without a name SQLAlchemy asks for a driver that we do not pin


def address_of(url: str) -> URL:
    """The URL's parts; raises ValueError without any of them.

    Where a special character of the password is written as it is, a part of it is taken for the
    host or the port, and would be in the messages about them.
    """
    with suppress(ArgumentError, ValueError):
        address = make_url(url)
        if url.count("@") <= 1:
            bare = address.drivername == "postgresql"
            return address.set(drivername=PSYCOPG) if bare else address
    raise ValueError(
        "the ledger's URL (DAYSHIFT_LEDGER_URL) is not of the form dialect://user:password@host/"
        "name. In a password the characters @ : / ? # are written %40 %3A %2F %3F %23"
    )
