"""Makes Twitch's subscriptions what they should be: one comparison, for a channel or for all.

What should be follows from the channels; what is, from Twitch's own list; what was tried and
failed, from its failures. A list that cannot be read changes nothing.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext

import structlog

from ...domain.points.policy import Policy
from ...domain.subscriptions import subscription as rules
from ...domain.subscriptions.channel_rules import types_of, usable_policy
from ...domain.subscriptions.subscription import Known, Match, Ours, Subscription, Wanted
from ...errors import Conflict, RateLimited, TwitchRefused, TwitchUnavailable
from ...models.database import Database
from ...models.subscriptions import channels, subscription_failures, subscriptions
from ...models.tokens import tokens
from ...models.transaction import Transaction
from ..lease_holder import LeaseHolder
from .comparison import Comparison, Recorded, Result
from .failures import Failures, must_wait, note_end
from .subscriber import Subscriber

log = structlog.get_logger("reconciler")

_WAIT_SECONDS = 15.0  # for another's comparison of the same channel


class Reconciler:
    """Compares and mends. Thread-safe; blocks on Twitch. Commits between its calls."""

    def __init__(
        self,
        database: Database,
        subscriber: Subscriber,
        *,
        client_id: str,
        ours: Ours,
        policy: Policy,
        login_url: Callable[[str, str], str],
    ) -> None:
        """`ours` is what our subscriptions look like now; `policy` the usual points;
        `login_url(channel_id, type)` is the link that asks the streamer for what both need."""
        self._database = database
        self._subscriber = subscriber
        self._client_id = client_id
        self._ours = ours
        self._policy = policy
        self._login_url = login_url
        self._failures = Failures(database, login_url)

    def compare_channel(
        self, channel_id: str, *, asked: bool = False, dry_run: bool = False
    ) -> Comparison:
        """Compare one channel, monitored or not; "" is for the application's own.

        One caller at a time does it for a channel, on all machines; others wait for it. `asked`
        by somebody: then no delay after failures counts. `dry_run` changes nothing. Raises
        TwitchRefused and TwitchUnavailable when Twitch's list cannot be read.
        """
        with nullcontext() if dry_run else self._alone(channel_id):
            since_ms = self._now_ms()
            there = (
                self._subscriber.list(user_id=channel_id) if channel_id else self._subscriber.list()
            )
            there = [one for one in there if one.channel_id == channel_id]
            return self._compare(channel_id, there, since_ms, asked=asked, dry_run=dry_run)

    def compare_all(self, go_on: Callable[[float], bool]) -> bool:
        """Compare everything; whether it came to its end.

        `go_on(seconds)` is called before each channel, and to wait so long when Twitch takes no
        more calls; it says whether to go on. Raises as compare_channel does.
        """
        since_ms = self._now_ms()
        there: dict[str, list[Subscription]] = {"": []}
        for one in self._subscriber.list():
            there.setdefault(one.channel_id, []).append(one)
        with self._database.transaction(write=False) as transaction:
            for channel in channels.list_all(transaction):
                there.setdefault(channel.channel_id, [])
            for wanted in subscriptions.wanted_by_hand(transaction):
                there.setdefault(wanted.channel_id, [])
        for channel_id, found in there.items():
            wait = 0.0
            while go_on(wait):
                try:
                    self._compare_listed(channel_id, found, since_ms)
                    break
                except RateLimited as limit:
                    wait = limit.seconds
            else:
                return False
        return True

    @contextmanager
    def _alone(self, channel_id: str) -> Iterator[None]:
        """Hold the lease on a channel. Raises Conflict when another holds it for too long."""
        lease = LeaseHolder(self._database, f"compare {channel_id}")
        ends = time.monotonic() + _WAIT_SECONDS
        while not lease.hold():
            if time.monotonic() > ends:
                raise Conflict("The channel is being compared with Twitch's list right now")
            time.sleep(0.05)
        try:
            yield
        finally:
            lease.let_go()

    def _compare_listed(
        self, channel_id: str, there: Sequence[Subscription], since_ms: int
    ) -> None:
        with self._database.transaction(write=False) as transaction:
            channel = channels.get(transaction, channel_id)
        if channel is not None and channel.created_at_ms >= since_ms:
            return  # it has just been added: whoever did that sets it up, and is told how
        plan = self._compare(channel_id, there, since_ms, asked=False, dry_run=True)
        if channel_id and any(result.outcome == "created" for result in plan.results):
            # The list may be minutes old by now: look again before anything is made.
            self.compare_channel(channel_id)
        else:
            self._compare(channel_id, there, since_ms, asked=False, dry_run=False)

    def _compare(
        self,
        channel_id: str,
        there: Sequence[Subscription],
        since_ms: int,
        *,
        asked: bool,
        dry_run: bool,
    ) -> Comparison:
        """Compare what Twitch has for a channel, as listed after `since_ms`, with its record."""
        with self._database.transaction(write=False) as transaction:
            recorded = self._read(transaction, channel_id)
        if not dry_run and self._keep_list(channel_id, there, recorded, since_ms):
            with self._database.transaction(write=False) as transaction:
                recorded = self._read(transaction, channel_id)
        comparison = Comparison()
        settled: set[str] = set()
        for wanted in recorded.wanted:
            alike = [one for one in there if one.is_alike(wanted)]
            now_seconds = recorded.now_ms / 1000
            matched = rules.match(wanted, alike, recorded.known, self._ours, now_seconds)
            settled |= {one.id for one in there if one.is_alike(wanted)}
            try:
                result = self._settle(matched, recorded, asked=asked, dry_run=dry_run)
            except RateLimited as limit:
                if not asked:
                    raise
                result = Result(wanted.type, "refused", None, f"{limit}; it is tried again")
            comparison.results.append(result)
            if result.outcome != "kept" and not dry_run:
                log.info("subscription", channel_id=channel_id, **result.to_json())
        for one in there:
            if one.id not in settled and self._is_superfluous(one, recorded):
                ended = dry_run or self._remove([one])
                (comparison.removed if ended else comparison.not_removed).append(one.id)
        if not dry_run:
            self._keep_adopted(there, comparison)
        warning = comparison.warning(recorded.login)
        if not dry_run and recorded.channel is not None and warning != recorded.warning:
            with self._database.transaction() as transaction:
                channels.warn(transaction, channel_id, warning)
        return comparison

    def _read(self, transaction: Transaction, channel_id: str) -> Recorded:
        channel = channels.get(transaction, channel_id) if channel_id else None
        by_hand = subscriptions.wanted_by_hand(transaction, channel_id)
        wanted: list[Wanted] = []
        if channel is not None and channel.is_active:
            policy = usable_policy(self._policy, channel.points)
            types = types_of(policy, channel.event_types)
            wanted = rules.wanted_for_channel(channel_id, types)
        elif not channel_id:
            wanted = [rules.wanted_for_application(self._client_id)]
        wanted += [one for one in by_hand if one not in wanted]
        people = {channel_id, *(user_id for one in wanted for user_id in rules.needed_grants(one))}
        logins = ((user_id, tokens.get(transaction, user_id)) for user_id in people if user_id)
        return Recorded(
            wanted,
            by_hand,
            channel,
            subscriptions.known(transaction, channel_id),
            subscription_failures.of_channel(transaction, channel_id),
            {user_id: login for user_id, login in logins if login is not None},
            transaction.now_ms(),
        )

    def _keep_list(
        self, channel_id: str, there: Sequence[Subscription], recorded: Recorded, since_ms: int
    ) -> bool:
        """Record what Twitch's list says of a channel; whether that changed anything."""
        news, gone = self._differences(there, recorded, since_ms)
        if not news and not gone:
            return False
        with self._database.transaction() as transaction:
            for one in news:
                before = recorded.known.get(one.id)
                if before and before.status in rules.LIVING and not one.is_living():
                    note_end(transaction, one)
                subscriptions.save(transaction, one)
            subscriptions.delete(transaction, gone)
        if gone:
            log.warning("subscriptions vanished at Twitch", channel_id=channel_id, ids=gone)
        return True

    def _differences(
        self, there: Sequence[Subscription], recorded: Recorded, since_ms: int
    ) -> tuple[list[Subscription], list[str]]:
        """What Twitch's list says that we do not know, and the ids that it lacks."""
        news = [one for one in there if self._is_news(one, recorded.known)]
        listed = {one.id for one in there}
        # Not those that were made after the list was asked for, nor what somebody wished for.
        gone = [
            subscription_id
            for subscription_id, known in recorded.known.items()
            if subscription_id not in listed
            and known.first_seen_ms < since_ms
            and known.origin != subscriptions.BY_HAND
        ]
        return news, gone

    def _is_news(self, one: Subscription, known: dict[str, Known]) -> bool:
        record = known.get(one.id)
        if record is None:
            return rules.is_ours(one, known, self._ours)
        return record.status != one.status or record.callback == ""

    def _settle(self, matched: Match, recorded: Recorded, *, asked: bool, dry_run: bool) -> Result:
        """Have one that is wanted: keep it, adopt it, or create it."""
        wanted = matched.wanted
        if matched.right is not None:
            return self._keep(matched, matched.right, recorded, dry_run=dry_run)
        failure = recorded.failures.get(wanted.type)
        if failure is not None and must_wait(failure, wanted, recorded.now_ms, asked=asked):
            return self._failures.held_back(failure)
        if (lacking := recorded.lacking(wanted)) is not None:
            login_url = self._login_url(wanted.channel_id, wanted.type)
            return Result(wanted.type, "waiting", None, lacking, login_url)
        why = f"in place of one: {matched.why}" if matched.why else None
        if dry_run:
            return Result(wanted.type, "created", None, why)
        try:
            self._subscriber.delete(matched.blocking)
            outcome, made = self._subscriber.subscribe(wanted, by_hand=wanted in recorded.by_hand)
        except (TwitchRefused, TwitchUnavailable) as error:
            return self._failures.note(wanted, error)
        self._remove(matched.obsolete)
        return Result(wanted.type, outcome, made.id, why)

    def _keep(
        self, matched: Match, right: Subscription, recorded: Recorded, *, dry_run: bool
    ) -> Result:
        known = recorded.known.get(right.id)
        adopted = known is None or known.origin == subscriptions.FOUND
        if not dry_run:
            self._remove(matched.obsolete)
        age = right.challenge_age_seconds(recorded.now_ms / 1000)
        reason = None if age is None else f"its challenge is {int(age)} seconds old"
        return Result(matched.wanted.type, "adopted" if adopted else "kept", right.id, reason)

    def _keep_adopted(self, there: Sequence[Subscription], comparison: Comparison) -> None:
        ids = {one.subscription_id for one in comparison.results if one.outcome == "adopted"}
        adopted = [one for one in there if one.id in ids]
        if adopted:
            with self._database.transaction() as transaction:
                for one in adopted:
                    subscriptions.save(transaction, one, origin=subscriptions.ADOPTED)

    def wanted_for(self, channel_id: str) -> list[Wanted]:
        """What a channel should have, with what was subscribed to by hand."""
        with self._database.transaction(write=False) as transaction:
            return self._read(transaction, channel_id).wanted

    def is_wanted(self, one: Subscription) -> bool:
        """Whether there should be one like this."""
        return any(one.is_alike(wanted) for wanted in self.wanted_for(one.channel_id))

    def _is_superfluous(self, one: Subscription, recorded: Recorded) -> bool:
        monitored = [one.channel_id] if recorded.channel is not None else []
        return rules.is_superfluous(one, recorded.known, self._ours, monitored, recorded.now_ms)

    def _remove(self, ended: Sequence[Subscription]) -> bool:
        """Delete what is not needed any more; when that fails it is tried the next time."""
        try:
            self._subscriber.delete(ended)
        except RateLimited:
            raise
        except (TwitchRefused, TwitchUnavailable) as error:
            log.warning("not removed", ids=[one.id for one in ended], reason=str(error))
            return False
        return True

    def _now_ms(self) -> int:
        with self._database.transaction(write=False) as transaction:
            return transaction.now_ms()
