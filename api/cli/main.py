"""The console script `sunlot`. Exit 0: fine; 1: a finding or a refusal; 2: it cannot be done or read.

Results go to standard output (with `--json` one JSON value), everything else to standard error.
"""

from typing import Final

import typer

from api.cli.accounts import account
from api.cli.backup import add_backup
from api.cli.doctor import add_doctor
from api.cli.draws import draw
from api.cli.figures import add_statistics
from api.cli.inspections import inspection
from api.cli.items import catalogue, item
from api.cli.ledger import ledger
from api.cli.plans import plan
from api.cli.reading import projections
from api.cli.rechecks import recheck
from api.cli.recusals import barring
from api.cli.registries import inspector, site
from api.cli.replaying import add_replay
from api.cli.restore import add_restore
from api.cli.rulebooks import rulebook
from api.cli.running import add_running
from api.cli.tables import add_tables
from api.cli.tasks import assignment, recusal
from api.cli.vault import vault
from api.cli.violations import referral, violation

GROUPS: Final = (
    account,
    rulebook,
    item,
    catalogue,
    site,
    inspector,
    plan,
    draw,
    barring,
    recusal,
    assignment,
    inspection,
    violation,
    recheck,
    referral,
    vault,
    ledger,
    projections,
)


def make_app() -> typer.Typer:
    """The command line with all its commands."""
    app = typer.Typer(
        name="sunlot",
        help="Sunlot 晴签: double-random, one-public inspections, in a ledger that outsiders verify.",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    add_running(app)
    add_tables(app)
    add_replay(app)
    add_statistics(app)
    add_doctor(app)
    add_backup(app)
    add_restore(app)
    for group in GROUPS:
        app.add_typer(group)
    return app


app: Final = make_app()


def main() -> None:
    """Run the command line."""
    app()
