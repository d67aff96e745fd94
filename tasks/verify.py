"""Step: is everything that the ledger names there, and is it what it was?"""

import hashlib
from collections.abc import Iterator

from pydantic import Field

from tasks import bundle, workspace
from tasks.bundle import CorruptBundleError
from tasks.ledger import Ledger, Version
from tasks.nights import beside
from tasks.record import Record


class Verified(Record):
    """What was looked at, and what is wrong with it."""

    application: str
    versions: int
    attachments: int
    damage: tuple[str, ...] = Field(description="Each with its file and cure; empty is well.")


def verify(ledger: Ledger, application: str) -> Verified:
    """Compare every version's bundle, manifest and attachments with their digests.

    What a collection has taken is not looked for. Reads all bytes of all bundles; changes nothing.
    """
    gone = ledger.collected(application)
    known = {
        name: about for name, about in ledger.versions(application).items() if name not in gone
    }
    attached = {version: ledger.attached(application, version) for version in known}
    damage = [
        *(said for version in known.values() for said in _bundle(application, version)),
        *(
            said
            for version, digests in attached.items()
            for said in _attachments(application, version, digests)
        ),
    ]
    return Verified(
        application=application,
        versions=len(known),
        attachments=sum(map(len, attached.values())),
        damage=tuple(damage),
    )


def verify_data() -> tuple[int, list[str]]:
    """How many files data.dvc locks, and which of them in data/ are not what it says."""
    try:
        locked = workspace.data_manifest()
    except FileNotFoundError:  # a restored workspace, before its first pull
        pull = "Run `dvc pull data.dvc`"
        return 0, [f"which files {workspace.DATA_DVC} locks is not in DVC's cache. {pull}"]
    damage = []
    for path, md5 in locked.items():
        place = workspace.DATA / path
        if not place.exists():
            damage.append(f"{place} is missing. Run `dvc pull data.dvc`")
        elif hashlib.md5(place.read_bytes()).hexdigest() != md5:
            damage.append(f"{place} is not the file that data.dvc locks. {workspace.CURE}")
    return len(locked), damage


def _bundle(application: str, version: Version) -> Iterator[str]:
    try:
        stored = bundle.load(workspace.BUNDLES, application, version.version)
    except CorruptBundleError as problem:
        yield str(problem)
        return
    if stored.digest != version.manifest:
        yield f"{stored.path}: the ledger knows this version by another manifest"


def _attachments(application: str, version: str, digests: dict[str, str]) -> Iterator[str]:
    for name, sha256 in digests.items():
        place = beside(application, version, name)
        if not place.exists():
            yield f"{place} is missing: restore it from a backup; nothing that serves needs it"
        elif hashlib.sha256(place.read_bytes()).hexdigest() != sha256:
            yield f"{place} is not what was committed: restore it from a backup"
