"""What the fault suite shares: a shop with days shown to DVC."""

from pathlib import Path

import pytest

from tests import line


@pytest.fixture(scope="session")
def shown_template(seasoned_template: Path) -> Path:
    """Three days learned, promoted, kept, promoted, and shown to DVC. Not to be changed."""
    with line.open_copy(seasoned_template, seasoned_template.with_name("shown")) as place:
        line.finish_snapshots(place)
    return place.root
