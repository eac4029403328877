"""The registries as one consistent reading, from their read models."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Final

from sqlalchemy import Connection

from application.ports import Enterprise, InspectorRow, RegistrySnapshot, SiteRow
from domain.errors import ProjectionBehind
from infrastructure.event_store.recorder import EventRecorder
from infrastructure.projection_runner import ProjectionRunner
from projections import inspectors, sites
from projections.inspectors import InspectorEntry, pool_inspectors
from projections.projection import Projection, position_of
from projections.sites import FrameSite, frame_sites, site_owners

MODELS: Final = (sites.PROJECTION, inspectors.PROJECTION)


class ProjectedRegistries:
    """The port `Registries`. It brings its two read models to the head of the log itself."""

    def __init__(self, runner: ProjectionRunner, recorder: EventRecorder) -> None:
        self._runner, self._recorder = runner, recorder

    def snapshot(self, areas: Sequence[str]) -> RegistrySnapshot:
        """Sites and inspectors of the areas, removed ones with their status.

        `as_of` is at least the log's head at the time of asking; one of the two may already know of
        later events, which whoever seals refuses. `ProjectionBehind` if a read model has failed.
        """
        with self._reading(*MODELS) as (connection, as_of):
            return read_snapshot(connection, areas, as_of)

    def enterprises(self, sites: Sequence[str]) -> Mapping[str, Enterprise]:
        """Whose the sites are, listed or removed, at the head of the log; `ProjectionBehind`."""
        with self._reading(MODELS[0]) as (connection, _):
            return {id: Enterprise(uscc, region) for id, uscc, region in site_owners(connection, sites)}

    def _reading(self, *models: Projection) -> AbstractContextManager[tuple[Connection, int]]:
        return read_at_head(self._runner, self._recorder, *models)


@contextmanager
def read_at_head(
    runner: ProjectionRunner, recorder: EventRecorder, *models: Projection
) -> Iterator[tuple[Connection, int]]:
    """One reading of read models brought to the head of the log, with the position they are all at.

    `ProjectionBehind` if one of them has failed.
    """
    head = recorder.head()
    wanted = -1 if head is None else head
    runner.catch_up(wanted, names=[model.name for model in models])
    with runner.views.reading(*models) as connection:
        found = {model.name: position_of(connection, model, runner.log) for model in models}
        name, as_of = min(found.items(), key=lambda item: item[1])
        if as_of < wanted:
            raise ProjectionBehind(projection=name, position=as_of, wanted=wanted)
        yield connection, as_of


def read_snapshot(connection: Connection, areas: Sequence[str], as_of: int) -> RegistrySnapshot:
    """The registries of the areas as the two read models of a database have them, which stand at `as_of`."""
    return RegistrySnapshot(
        as_of=as_of,
        sites=[_site(one) for one in frame_sites(connection, areas)],
        inspectors=[_inspector(one) for one in pool_inspectors(connection, areas)],
    )


def _site(site: FrameSite) -> SiteRow:
    return SiteRow(**site._asdict())


def _inspector(person: InspectorEntry) -> InspectorRow:
    first, last = person.certificate_from, person.certificate_to
    return InspectorRow(
        id=person.id,
        kind=person.kind,
        areas=person.areas,
        skills=person.skills,
        lead=person.lead,
        certificate_from=first.isoformat() if first else "",
        certificate_to=last.isoformat() if last else "",
        certificate_areas=person.certificate_areas,
        relations=tuple((relation.uscc, relation.ground) for relation in person.relations),
        status=person.status,
    )
