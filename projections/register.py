"""All read models, in the order in which they are brought up to date."""

from typing import Final

from projections import (
    access_log,
    accounts,
    assignments,
    catalogue,
    draws,
    inspectors,
    intakes,
    persons,
    plans,
    public_results,
    quarterly_statistics,
    rechecks,
    recusals,
    referrals,
    sites,
    timeline,
    violation_ledger,
    worklist,
)
from projections.projection import Projection

PROJECTIONS: Final[tuple[Projection, ...]] = (
    sites.PROJECTION,
    inspectors.PROJECTION,
    catalogue.PROJECTION,
    plans.PROJECTION,
    draws.PROJECTION,
    assignments.PROJECTION,
    worklist.PROJECTION,
    recusals.PROJECTION,
    violation_ledger.PROJECTION,
    rechecks.PROJECTION,
    referrals.PROJECTION,
    public_results.PROJECTION,
    quarterly_statistics.PROJECTION,
    accounts.PROJECTION,
    access_log.PROJECTION,
    intakes.PROJECTION,
    persons.PROJECTION,
    timeline.PROJECTION,
)
