"""The one statement that writes the rows of a group, and its values. Pure."""

from collections.abc import Mapping, Sequence

from gateway.storage.plan import Plan, Stream
from gateway.storage.postgres.lines import joined
from gateway.storage.postgres.write.values import numbers, placed

WRITE = """
WITH state AS MATERIALIZED (
    SELECT pg_current_xact_id()::text::bigint AS xid, xid_offset, erasures FROM gateway.state),
lines AS MATERIALIZED (
    SELECT number::int, line::jsonb AS body, exact, (now() AT TIME ZONE 'UTC')::date AS day
    FROM state, unnest(string_to_array($2::text, E'\\n'), $3::text[]) WITH ORDINALITY AS line (line, exact, number)
    WHERE state.erasures = $23::int),
events AS (
    INSERT INTO gateway.events (project, day, xid, number, dialect, type, name, message_id, user_id, anonymous_id,
        "timestamp", received_at, body, exact)
    SELECT coalesce(body->>'project', ''), day, xid + xid_offset, number, body->>'dialect', body->>'type',
        body->>'name', body->>'message_id', body->>'user_id', body->>'anonymous_id',
        (body->>'timestamp')::timestamptz, (body->>'received_at')::timestamptz, body, exact
    FROM lines, state
    RETURNING day, received_at),
times AS (
    INSERT INTO gateway.log_times AS known (gateway, day, minute, first_xid, last_xid, since, before)
    SELECT $1::int, day, date_trunc('minute', now()), xid + xid_offset, xid + xid_offset,
        min(coalesce(received_at, '-infinity')), max(coalesce(received_at, 'infinity'))
    FROM events, state GROUP BY day, xid, xid_offset
    ON CONFLICT (day, minute, gateway) DO UPDATE SET last_xid = greatest(known.last_xid, excluded.last_xid),
        first_xid = least(known.first_xid, excluded.first_xid),
        since = least(known.since, excluded.since), before = greatest(known.before, excluded.before)),
receipts AS (
    INSERT INTO gateway.receipts (project, id, xid, first, count, received_at, dialect, route, items)
    SELECT ($4::text[])[stream], id, xid + xid_offset, first, count, to_timestamp(at / 1000.0), ($5::text[])[stream],
        ($6::text[])[stream], items
    FROM state, unnest($7::text::int[], $8::text::bigint[], $9::text::int[], $10::text::int[], $11::text::bigint[],
        $12::bytea[]) AS receipt (stream, id, first, count, at, items)
    WHERE state.erasures = $23::int),
counters AS (
    INSERT INTO gateway.counters AS known (project, dialect, verdict, gateway, count)
    SELECT project, dialect, verdict, $1::int, count
    FROM unnest($13::text[], $14::text[], $15::text[], $16::bigint[]) AS added (project, dialect, verdict, count)
    ON CONFLICT (project, dialect, verdict, gateway) DO UPDATE SET count = known.count + excluded.count),
buckets AS (
    INSERT INTO gateway.counter_buckets AS known (project, span, start, dialect, verdict, gateway, count)
    SELECT project, span, start, dialect, verdict, $1::int, count
    FROM unnest($17::int[], $18::bigint[], $19::text[], $20::text[], $21::text[], $22::bigint[])
        AS added (span, start, project, dialect, verdict, count)
    ON CONFLICT (project, span, start, dialect, verdict, gateway) DO UPDATE SET count = known.count + excluded.count)
SELECT xid, xid_offset, erasures FROM state
"""
"""Of a group that knows other erasures than there are nothing is kept that a person sent; it is rolled back then."""


def values_of(plan: Plan, streams: Mapping[Stream, int]) -> Sequence[object]:
    """Return the values of WRITE after the gateway's number, but for the count of erasures, which comes last.

    `streams` are those that were known before the plan. Raises UnicodeDecodeError on an event that is not UTF-8.
    """
    lines, exact = joined([row.body for row in plan.events])
    names = {number: stream for stream, number in (*streams.items(), *plan.streams.items())}
    ids, ats, of_streams, firsts, stored, items = (plan.receipts[place::6] for place in range(6))
    different, places = placed(of_streams)
    named = [names[int(str(each))] for each in different]
    counts = [(name, count) for name, count in sorted(plan.totals().items()) if count]
    added = sorted(plan.bucket_rows())
    return [
        lines,
        exact,
        *([name[place] for name in named] for place in range(3)),
        places,
        *(numbers(values) for values in (ids, firsts, stored, ats)),
        [each.encode() if isinstance(each, str) else each for each in items] if any(items) else None,
        *([name[place] for name, _ in counts] for place in range(3)),
        [count for _, count in counts],
        *([each[place] for each in added] for place in range(6)),
    ]
