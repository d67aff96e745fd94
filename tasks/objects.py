"""DVC's store: the experiments that are shown, and the objects that nothing needs any more.

Not `dvc gc`: it takes what `data.dvc` imports for unused, in all scopes, and would empty the cache
of every landed day.
"""

import json
import logging
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import yaml

from tasks import git, workspace
from tasks.interrupted import restorable

log = logging.getLogger(__name__)
EXPERIMENTS = "refs/exps"


def experiments(application: str) -> dict[str, str]:
    """The application's experiments by day, as Git refs; a person's own are not among them."""
    found = {}
    for ref in _refs(EXPERIMENTS):
        name = re.fullmatch(rf"{application}-(\d{{4}}-\d\d-\d\d)", ref.rsplit("/", 1)[1])
        if name:
            found[ref] = name[1]
    return found


def sweep(doomed: Iterable[str], remote: bool, dry_run: bool) -> dict[str, int]:
    """Remove experiments, and each object that no ref and no file of the workspace then names.

    Returns the bytes by store: the cache, and the remote if it lies in the workspace or `remote`
    says that it is nobody else's. No snapshot or pull is at work meanwhile. A kill leaves refs or
    objects that the next call removes. Raises DVC's RevCollectionError, with nothing removed, if a
    directory's listing is lost from cache and remote.
    """
    with restorable(workspace.JOURNAL, []), workspace.open_dvc(Path()) as repo, repo.lock:
        gone = set(doomed)
        kept = [ref for ref in _refs(EXPERIMENTS, "refs/heads", "refs/tags") if ref not in gone]
        reachable = _reachable(repo, kept)
        if not dry_run:
            for ref in sorted(gone):
                git.git(Path(), "update-ref", "-d", ref)
            _forget_runs(Path(repo.stage_cache.cache_dir), reachable)
            git.git(Path(), "-c", "gc.autoDetach=false", "gc", "--auto", "--quiet")
        return {name: _remove(store, reachable, dry_run) for name, store in _stores(repo, remote)}


def _refs(*below: str) -> list[str]:
    return git.git(Path(), "for-each-ref", *below, "--format=%(refname)").splitlines()


def _reachable(repo: Any, refs: list[str]) -> set[str]:
    """The names of all objects that the workspace or one of the refs needs."""
    used = repo.used_objs(revs=refs)  # and of the workspace; a lost listing is fetched
    names = {found.value for objects in used.values() for found in objects}
    names.update(workspace.data_manifest().values())
    pointers = [workspace.DATA_DVC.read_text()]
    pointers += [git.git(Path(), "show", f"{ref}:{workspace.DATA_DVC}") for ref in refs]
    for digest in {yaml.safe_load(text)["outs"][0]["md5"] for text in pointers}:
        names.add(digest)
        listing = Path(repo.cache.local.oid_to_path(digest))
        if listing.exists():  # else it is an old one, of files that the registry has
            names.update(entry["md5"] for entry in json.loads(listing.read_bytes()))
    return names


def _stores(repo: Any, remote: bool) -> Iterator[tuple[str, Any]]:
    """Those in which no one else keeps objects."""
    here = Path.cwd().resolve()
    for name, store in (("cache", repo.cache.local), ("remote", repo.cloud.get_remote_odb())):
        inside = store.fs.protocol == "local" and Path(store.path).resolve().is_relative_to(here)
        if inside or (remote and name == "remote"):
            yield name, store
        else:
            log.warning(
                "%s, DVC's %s, lies outside the workspace: nothing is removed there",
                store.path,
                name,
            )


def _remove(store: Any, reachable: set[str], dry_run: bool) -> int:
    """Listings go first: none is ever there without its files. Returns the bytes."""
    from dvc_data.hashfile.db import get_index

    found = sorted(set(store.all()) - reachable, key=lambda name: not name.endswith(".dir"))
    paths = [store.oid_to_path(name) for name in found]
    size = sum(int(store.fs.size(path)) for path in paths)
    if paths and not dry_run:
        get_index(store).clear()  # before they go: DVC would not push again what it believes there
        store.fs.remove(paths)
    return size


def _forget_runs(folder: Path, reachable: set[str]) -> None:
    """DVC's memory of what a stage once made, where that is no longer there."""
    for path in folder.glob("*/*/*"):
        outs = yaml.safe_load(path.read_text()).get("outs", [])
        if any(out["md5"] not in reachable for out in outs):
            path.unlink()
