"""Builds read models anew in tables beside the live ones, which serve until the swap."""

from collections.abc import Callable, Sequence
from typing import Final

from domain.errors import StoreUnavailable, Unavailable
from infrastructure.projection_feed import ProjectionFeed
from infrastructure.projection_positions import BUILDING, FAILED, Positions
from infrastructure.views import Views
from projections.projection import Projection

SWAP_TRIES: Final = 40

Progress = Callable[[int, int], None]
"""Told how many events of how many were read."""


class RebuildFailed(Unavailable):
    """A read model could not be built anew, the live one stands; facts: `name`, `reason`."""

    code = "rebuild-failed"


class Rebuild:
    """One rebuild. Whatever it leaves behind when it is killed, the next one of the same name clears."""

    def __init__(
        self,
        feed: ProjectionFeed,
        views: Views,
        log: str,
        chosen: Sequence[Projection],
        progress: Progress | None,
    ) -> None:
        self._feed, self._views, self._log = feed, views, log
        self._chosen, self._progress = chosen, progress

    def run(self) -> None:
        """Build all, then swap each as soon as it has passed the live one. `RebuildFailed`."""
        shadows = self._begin()
        try:
            self._build(shadows)
            for live, shadow in zip(self._chosen, shadows, strict=True):
                self._replace(live, shadow)
        finally:
            self._clear(shadows)

    def _begin(self) -> list[Projection]:
        with self._views.changing() as connection:
            positions = Positions(connection, self._log)
            standing = positions.all()
            shadows = [one.beside(f"__g{standing[one.key].generation + 1}") for one in self._chosen]
            for shadow in shadows:
                positions.drop(shadow.key)
                shadow.drop(connection)
                shadow.create(connection)
            positions.begin((shadow.key for shadow in shadows), BUILDING)
        return shadows

    def _build(self, shadows: Sequence[Projection]) -> None:
        target = self._feed.head()
        while tracks := self._feed.behind(shadows, target):
            self._feed.advance(tracks, target)
            if self._progress is not None:
                done = min(found.position for found in self._feed.standing(shadows))
                self._progress(done + 1, target + 1)
        for shadow, found in zip(shadows, self._feed.standing(shadows), strict=True):
            if found.status == FAILED:
                raise RebuildFailed(name=shadow.name, reason=found.error)

    def _replace(self, live: Projection, shadow: Projection) -> None:
        for _ in range(SWAP_TRIES):
            self._build([shadow])
            try:
                if self._swap(live, shadow):
                    return
            except StoreUnavailable as error:
                if error.facts.get("reason") != "busy":
                    raise
        raise RebuildFailed(name=live.name, reason="readers do not give way")

    def _swap(self, live: Projection, shadow: Projection) -> bool:
        with self._views.changing(live) as connection:
            positions = Positions(connection, self._log)
            standing = positions.all()
            if standing[shadow.key].position < standing[live.key].position:
                return False  # nobody may read of an event and then not read of it
            live.drop(connection)
            shadow.rename(connection, live)
            positions.replace(standing[live.key], standing[shadow.key])
        return True

    def _clear(self, shadows: Sequence[Projection]) -> None:
        with self._views.changing() as connection:
            positions = Positions(connection, self._log)
            left = positions.all()
            for shadow in shadows:
                if shadow.key in left:
                    positions.drop(shadow.key)
                    shadow.drop(connection)
