"""What another policy would have given; having that applied, and taken back."""

from pydantic import BaseModel, ConfigDict, Field

from ...common import services
from ...errors import Conflict, NotFound
from ...models.points import policy_runs, policy_versions
from ..events.events import Id
from ..http import Answer, actor, endpoint, reply
from ..operations import Says
from ..reading import Takes
from ..times import EpochMs, rfc3339
from .entries import ABOUT, Entries
from .schemas import (
    Change,
    ChangePage,
    Pruned,
    Run,
    RunAnswer,
    RunPage,
    Version,
    VersionPage,
)

_LARGEST_ID = 2**53


class Preview(BaseModel):
    """Which policy, and since when."""

    model_config = ConfigDict(extra="forbid")

    policy: Entries = Field(
        description=f"As in ACTIVITY_POINTS; with a channel, as its `points`. {ABOUT}",
        examples=[{"follow": 5, "bits": {"per_unit": 2}}],
    )
    since: EpochMs = Field(description="From this day of UTC", examples=["2026-01-01T00:00:00Z"])
    channel_id: Id | None = Field(None, description="Only this channel, by its own policy")


class PageQuery(BaseModel):
    """A page."""

    model_config = ConfigDict(extra="forbid")

    limit: int = Field(50, ge=1, le=200)
    cursor: int | None = Field(
        None, ge=0, le=_LARGEST_ID, description="The `next_cursor` of the page before"
    )


class VersionQuery(PageQuery):
    """A page of policies."""

    channel_id: Id | None = Field(None, description="Only those of this channel")


@endpoint(
    "/twitch/api/policies",
    "GET",
    tag="Points",
    takes=Takes(VersionQuery, "query"),
    answers={200: VersionPage},
)
def list_policies(query: VersionQuery) -> Answer:
    """List which points policies have been in force, newest first: since when, set by whom."""
    with services().base.database.transaction(write=False) as transaction:
        found = policy_versions.recent(transaction, query.channel_id, query.cursor, query.limit + 1)
    shown = found[: query.limit]
    more = len(found) > query.limit
    return reply(
        VersionPage(
            policies=[
                Version(
                    id=one.id,
                    since=rfc3339(one.at_ms),
                    set_by=one.actor,
                    source=one.source,
                    channel_id=one.channel_id,
                    policy=one.policy,
                )
                for one in shown
            ],
            next_cursor=str(shown[-1].id) if more else None,
        )
    )


@endpoint(
    "/twitch/api/policies/preview",
    "POST",
    tag="Points",
    takes=Takes(Preview, "json"),
    answers={202: Says(RunAnswer, "It is being worked out: ask for the run until it is `read`")},
    errors=(NotFound,),
)
def preview(given: Preview) -> Answer:
    """Find out what another policy would have given, from the stored events. Changes no points.

    The events up to now are looked at, and no later ones. Days of which events are forgotten
    already are left out, and named in `pruned`.
    """
    run = services().points.runs.preview(actor(), given.policy, given.channel_id, given.since)
    return reply(RunAnswer(run=_shown(run)), 202)


@endpoint(
    "/twitch/api/policies/runs",
    "GET",
    tag="Points",
    takes=Takes(PageQuery, "query"),
    answers={200: RunPage},
)
def list_runs(query: PageQuery) -> Answer:
    """List previews, newest first, and what became of them."""
    with services().base.database.transaction(write=False) as transaction:
        found = policy_runs.recent(transaction, query.cursor, query.limit + 1)
    shown = found[: query.limit]
    more = len(found) > query.limit
    return reply(
        RunPage(
            runs=[_shown(run) for run in shown], next_cursor=str(shown[-1].id) if more else None
        )
    )


@endpoint("/twitch/api/policies/runs/<run_id>", "GET", tag="Points", answers={200: RunAnswer})
def show_run(run_id: str) -> Answer:
    """Show a preview: how far it is, how many users gain and lose, what was forgotten already."""
    return reply(RunAnswer(run=_shown(services().points.runs.get(_number(run_id)))))


@endpoint(
    "/twitch/api/policies/runs/<run_id>/changes",
    "GET",
    tag="Points",
    takes=Takes(PageQuery, "query"),
    answers={200: ChangePage},
)
def list_changes(query: PageQuery, run_id: str) -> Answer:
    """List who gains and loses what: those first whose points change most."""
    run = services().points.runs.get(_number(run_id))
    with services().base.database.transaction(write=False) as transaction:
        found = policy_runs.differences(
            transaction, run.id, after=query.cursor or 0, limit=query.limit + 1
        )
    shown = found[: query.limit]
    more = len(found) > query.limit
    return reply(
        ChangePage(
            changes=[
                Change(
                    number=one.number,
                    channel_id=one.channel_id,
                    user_id=one.user_id,
                    user_name=one.user_name or None,
                    activity_type=one.activity_type,
                    day=str(rfc3339(one.day * 24 * 3600 * 1000))[:10],
                    points_before=one.points_before,
                    points_after=one.points_after,
                    activity_id=one.activity_id,
                )
                for one in shown
            ],
            next_cursor=str(shown[-1].number) if more else None,
        )
    )


@endpoint(
    "/twitch/api/policies/runs/<run_id>/apply",
    "POST",
    tag="Points",
    answers={202: Says(RunAnswer, "Corrections are being written")},
    errors=(Conflict,),
)
def apply(run_id: str) -> Answer:
    """Write what a preview has found as corrections, which are delivered like all activities.

    The policy in force stays as it is: set it for what comes.
    """
    return reply(RunAnswer(run=_shown(services().points.runs.apply(actor(), _number(run_id)))), 202)


@endpoint(
    "/twitch/api/policies/runs/<run_id>/undo",
    "POST",
    tag="Points",
    answers={202: Says(RunAnswer, "The corrections are being taken back")},
    errors=(Conflict,),
)
def undo(run_id: str) -> Answer:
    """Take all corrections of a run back, by further ones."""
    return reply(RunAnswer(run=_shown(services().points.runs.undo(actor(), _number(run_id)))), 202)


def _number(run_id: str) -> int:
    """Raises NotFound for what is none."""
    if run_id.isascii() and run_id.isdigit() and len(run_id) <= 15:
        return int(run_id)
    raise NotFound(f"There is no run {run_id!r}")


def _shown(run: policy_runs.Run) -> Run:
    with services().base.database.transaction(write=False) as transaction:
        summary = policy_runs.summary(transaction, run.id)
    return Run(
        id=run.id,
        created_at=rfc3339(run.at_ms),
        created_by=run.actor,
        channel_id=run.channel_id,
        since=rfc3339(run.since_ms),
        policy=run.policy,
        state=run.state,  # type: ignore[arg-type]
        reason=run.reason,
        up_to=run.up_to,
        pruned=[Pruned(**one) for one in run.pruned],
        to_do=run.to_do,
        done=run.done,
        changes=run.changes,
        users=summary.users,
        gain=summary.gain,
        lose=summary.lose,
    )
