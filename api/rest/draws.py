"""Draws, step by step: announce, commit, seal, reveal, public value, complete, open; or void."""

from typing import Annotated, Any, Final

import msgspec
from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from api.access import Asked, ask
from api.rest.commands import Command, Step, change, create, head_of, projected
from api.rest.description import does, gives, lists, shows
from api.rest.fields import Reasoned, Words
from api.rest.presenting import Page, found, show, show_one
from application import draws, sealing, supplements
from domain.draw import Draw
from domain.draw_values import Contributor
from domain.errors import NotFound
from projections.draws import DrawEntry, get_draw, list_draws

router = APIRouter(prefix="/draws", tags=["draws"])
PLACE = "/api/v1/draws/{id}"
PROOF: Final = "text/plain; charset=utf-8"


class Custodian(BaseModel):
    """A party that holds one of the secrets, and the account of its custodian."""

    model_config = ConfigDict(extra="forbid")

    party: str = Field(description="参与方 agency, discipline, or further parties.", max_length=64)
    account: str = Field(description="保管人账号 The custodian's account.", max_length=100)


class Announcement(Step):
    """The draw of a row of a published plan: who contributes secrets, and which public chance it uses."""

    plan: str = Field(description="计划编号 Id of the plan.", max_length=100)
    row: str = Field(description="任务号 Number of the row.", max_length=4)
    contributors: tuple[Custodian, ...] = Field(description="参与方 At least agency and discipline.")
    public_source: dict[str, Any] = Field(
        description=(
            "公共随机源 `{kind: dice, rolls: 20}`, `{kind: lottery, name, issue, at}` or "
            "`{kind: drand-quicknet, round}`; its own time lies in the future."
        )
    )


class SupplementAnnouncement(Step):
    """Which seats to fill, and from where officers may come beside the row's areas."""

    seats: Words = Field(description="席位 The seats that are missing together, in the team's order.")
    areas: Words = Field(default=(), description="抽调地区 Further regions whose officers may come.")
    reason: str = Field(default="", description="抽调理由 Why from there; public.", max_length=2000)
    contributors: tuple[Custodian, ...] = Field(description="参与方 At least agency and discipline.")
    public_source: dict[str, Any] = Field(description="公共随机源 As for any draw.")


class Commitment(Step):
    """A party's commitment.

    SHA-256, in hex, of: `sunlot-commit-v1`, a zero byte, the log's name, a zero byte, the draw's number
    and attempt (32 bits each, big-endian), the party, a zero byte, and 32 random bytes that the party keeps.
    """

    party: str = Field(description="参与方 The party.", max_length=64)
    commitment: str = Field(description="承诺 64 lower-case hexadecimal digits.", max_length=200)


class Sealing(Step):
    """A repeated attempt keeps its frame unless a reason for another is given, which is public."""

    frame_reason: str = Field(default="", description="名录变更理由 Why the frame differs.", max_length=2000)


class Reveal(Step):
    """A party's secret, and the receipt of the seal that it fetched and kept before."""

    party: str = Field(description="参与方 The party.", max_length=64)
    secret: str = Field(description="秘密 The 32 bytes in hex.", max_length=200)
    receipt: str = Field(description="封存回执 The .tlog-proof, as it was fetched.", max_length=65_536)


class TypedValue(Step):
    """The public value as one party's custodian saw it."""

    party: str = Field(description="参与方 The party.", max_length=64)
    value: str = Field(description="公共值 The digits.", max_length=2000)


class PublicValue(Step):
    """The public value with its evidence: `witnesses`, `reference` or `signature`, by the kind of source."""

    value: str = Field(description="公共值 The value.", max_length=2000)
    evidence: dict[str, Any] = Field(description="证据 Evidence.")


class VoidAsking(Step):
    """Why the draw is to be voided; public for ever."""

    ground: str = Field(description="作废理由 The ground.", max_length=2000)


class SealedFiles(msgspec.Struct, frozen=True, kw_only=True):
    """The files of a draw's bundle by name, as far as the draw has come."""

    draw: str
    files: dict[str, str]


@router.post("", status_code=201, summary="公告抽取 Announce a draw")
@does(draw_no=1, attempt=1)
def announce(body: Announcement, command: Command = create("draw.run")) -> Response:
    """Names the draw before any chance exists. Numbers of draws and attempts follow without gaps."""
    contributors = [Contributor(one.party, one.account) for one in body.contributors]
    return command.run(
        body,
        lambda call: draws.announce_draw(
            command.office,
            call,
            plan=body.plan,
            row=body.row,
            contributors=contributors,
            public_source=body.public_source,
        ),
        place=PLACE,
    )


@router.post("/{id}/supplements", status_code=201, summary="公告补充抽取 Announce a supplementary draw")
@does(draw_no=2, attempt=1)
def announce_supplement(
    id: str, body: SupplementAnnouncement, command: Command = create("draw.run")
) -> Response:
    """Names the draw that fills seats which nobody has: a whole draw, with secrets and chance of its own."""
    contributors = [Contributor(one.party, one.account) for one in body.contributors]
    return command.run(
        body,
        lambda call: supplements.announce_supplement(
            command.office,
            call,
            id,
            seats=body.seats,
            areas=body.areas,
            reason=body.reason,
            contributors=contributors,
            public_source=body.public_source,
        ),
        place=PLACE,
    )


@router.get("", summary="抽取列表 List draws")
@lists(DrawEntry)
def read_draws(
    page: Annotated[Page, Depends()],
    region: str = "",
    status: str = "",
    period: str = "",
    plan_row: Annotated[str, Query(description="plan id / row number")] = "",
    warning: str = "",
    asked: Asked = ask("draw.read"),
) -> Response:
    """Every attempt, voids and warnings included, the latest first."""
    with asked.views() as views:
        rows = list_draws(
            views,
            asked.regions("draw.read", region),
            status=status,
            period=period,
            plan_row=plan_row,
            warning=warning,
            after=page.after,
            limit=page.one_more,
        )
    return page.show(rows)


@router.get("/{id}", summary="抽取 One draw")
@shows(DrawEntry, etag=True)
def read_draw(id: str, request: Request, asked: Asked = ask("draw.read")) -> Response:
    """Where the draw stands. Until it is opened, only the hashes published with seal and completion."""
    with asked.views() as views:
        draw = found(get_draw(views, id), "draw", id)
    asked.require("draw.read", draw.region)
    return show_one(request, draw, draw.version)


@router.post("/{id}/commitments", summary="承诺 Commit a secret")
@does()
def commit(id: str, body: Commitment, command: Command = change("draw.contribute")) -> Response:
    """Files the commitment of a party, by its custodian."""
    return command.run(
        body,
        lambda call: draws.commit_secret(
            command.office, call, id, party=body.party, commitment=body.commitment
        ),
    )


@router.post("/{id}/seal", summary="封存 Seal a draw")
@does()
def seal(id: str, body: Sealing | None = None, command: Command = change("draw.run")) -> Response:
    """Freezes frame, pool and rules; when it answers, a checkpoint that covers the seal is published.

    Where the trust policy asks for a quorum, its witnesses have cosigned it. 503 `not-witnessed` if they have
    not in time: the seal stands, nobody can reveal yet, and the same request with the same Idempotency-Key
    asks them again.
    """
    reason = body.frame_reason if body else ""
    sealed = command.decide(body, lambda call: sealing.seal(command.office, call, id, frame_reason=reason))
    sealing.publish_seal(command.office, sealed)
    return command.answer(sealed)


@router.get("/{id}/seal/receipt", summary="封存回执 Receipt of the seal")
@gives(PROOF)
def read_seal_receipt(id: str, asked: Asked = ask("draw.contribute")) -> Response:
    """The proof that the seal is in the log: every contributor fetches, checks and keeps it, then reveals."""
    draw = asked.office.workflow.load(Draw, id)
    asked.require("draw.contribute", draw.region)
    version = draws.seal_version(asked.office, draw)
    idx = asked.system.store.recorder.locate(id, version)
    if idx is None:
        raise NotFound(kind="event", id=f"{id}/{version}")
    name = f'attachment; filename="{id}-seal.tlog-proof"'
    proof = asked.office.ledger.witnessed_receipt(idx)
    return Response(proof, media_type=PROOF, headers={"Content-Disposition": name})


@router.post("/{id}/reveals", summary="揭示 Reveal a secret")
@does()
def reveal(id: str, body: Reveal, command: Command = change("draw.contribute")) -> Response:
    """Reveals a party's secret with the kept receipt of the seal, before the public source's time."""
    return command.run(
        body,
        lambda call: draws.reveal_secret(
            command.office,
            call,
            id,
            party=body.party,
            secret=body.secret,
            receipt=body.receipt.encode(),
        ),
    )


@router.post("/{id}/typed-values", summary="录入公共值 Type the public value")
@does()
def type_value(id: str, body: TypedValue, command: Command = change("draw.contribute")) -> Response:
    """Each party types what it saw, by itself. With the last agreeing one, dice count as observed."""
    return command.run(
        body,
        lambda call: draws.type_value(command.office, call, id, party=body.party, value=body.value),
    )


@router.post("/{id}/public-value", summary="公共值 Observe the public value")
@does()
def observe(id: str, body: PublicValue, command: Command = change("draw.run")) -> Response:
    """Records the value with its evidence; typed values must agree with it."""
    return command.run(
        body,
        lambda call: draws.observe_value(command.office, call, id, value=body.value, evidence=body.evidence),
    )


@router.post("/{id}/completion", summary="完成抽取 Complete a draw")
@does(assignments=12, unfilled=0)
def complete(id: str, body: Step | None = None, command: Command = change("draw.run")) -> Response:
    """Computes sample and teams and makes one assignment for each drawn site. The result stays sealed."""
    return command.run(body, lambda call: draws.complete(command.office, call, id))


@router.post("/{id}/opening", summary="开启抽取 Open a draw")
@does()
def open_draw(id: str, body: Step | None = None, command: Command = change("draw.run")) -> Response:
    """Makes the bundle public, once every assignment is reviewed or void."""
    return command.run(body, lambda call: draws.open_draw(command.office, call, id))


@router.post("/{id}/void-request", summary="申请作废 Ask to void a draw")
@does()
def ask_void(id: str, body: VoidAsking, command: Command = change("draw.void")) -> Response:
    """The first of two people asks; impossible once the public value exists."""
    return command.run(body, lambda call: draws.ask_void_draw(command.office, call, id, ground=body.ground))


@router.post("/{id}/void", summary="作废抽取 Void a draw")
@does()
def void(id: str, body: Step | None = None, command: Command = change("draw.void")) -> Response:
    """The second person voids it, publicly and for ever."""
    return command.run(body, lambda call: draws.void_draw(command.office, call, id))


@router.post("/{id}/end-of-attempt", summary="结束本次抽取 End an attempt")
@does()
def end_attempt(id: str, body: Step | None = None, command: Command = change("draw.run")) -> Response:
    """Ends an attempt in which a party did not reveal in time; a warning shows for ever."""
    return command.run(body, lambda call: draws.end_attempt(command.office, call, id))


@router.post("/{id}/readings", summary="查阅密封结果 Read a sealed draw")
@shows(SealedFiles)
def read_sealed(id: str, body: Reasoned, command: Command = create("draw.read-sealed")) -> Response:
    """The bundle's files before the opening, for those entitled; the reading is recorded first."""
    files = draws.read_sealed(command.office, command.reading(body), id, reason=body.reason)
    shown = SealedFiles(draw=id, files={name: content.decode() for name, content in files.items()})
    return show(shown, headers=projected(command, head_of(command)))
