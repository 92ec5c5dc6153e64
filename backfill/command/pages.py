"""Pages: what commands print, made from what the verbs return."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from backfill.batch import Tally
from backfill.declaration.decorator import Transform
from backfill.escaping import excerpt, one_line, safe_text
from backfill.finding import Severity
from backfill.key import printable_key
from backfill.phrase import counted, spelled
from backfill.planner import Plan, Sample, TablePlan
from backfill.run import Run
from backfill.running.owner import describe, is_dead
from backfill.running.undoer import Undone
from backfill.status import ACTIVE, Status
from backfill.verifier import Verdict

VALUE_WIDTH = 60
"""Characters of a value that a plan shows."""


def plan_page(plan: Plan, options: Sequence[str] = ()) -> str:
    """What a run would do; `options` are those that it was planned with."""
    return "\n".join([*_prose(plan), *map(one_line, _plan_lines(plan, options))])


def _prose(plan: Plan) -> Iterator[str]:
    """The author's own words, in as many lines as they have."""
    if plan.description:
        yield f"{safe_text(plan.description)}\n"


def _plan_lines(plan: Plan, options: Sequence[str]) -> Iterator[str]:
    yield f"  rows        {plan.arrival}"
    yield f"  reads       {', '.join(plan.reads) or 'nothing'}"
    yield f"  writes      {', '.join(plan.writes)}"
    yield f"  where       {plan.where or 'every row'}"
    nature = "by nature" if plan.repeatability.by_nature else "by its checkpoint only"
    yield f"  repeatable  {nature}: {plan.repeatability.reason}"
    workers = "as many as you like" if plan.divisibility.is_divisible else "one"
    yield f"  workers     {workers}: {plan.divisibility.reason}"
    yield f"  undo        {_undo(plan)}"
    for table in plan.tables:
        yield from _table_lines(table)
    for finding in plan.findings:
        mark = "note" if finding.severity is Severity.WARNING else "accepted"
        yield from ("", f"  {mark} [{finding.code}] {finding.message}")
    if plan.run is not None:
        yield from ("", f"  so far: {_standing(plan.run)}")
    is_needed = any(table.samples or table.changes for table in plan.tables)
    command = " ".join(("backfill run", plan.name, *options))
    yield from ("", f"Nothing was written.{f' To run it:  {command}' if is_needed else ''}")


def _undo(plan: Plan) -> str:
    if not plan.keeps_undo:
        return "not kept; with --keep-undo what the rows held can be restored"
    sizes = [table.image_bytes for table in plan.tables]
    room = f", about {sum(map(int, filter(None, sizes))) / 1e6:,.0f} MB" if any(sizes) else ""
    return f"kept: what the rows hold before and after{room}, until it is undone or forgotten"


def _table_lines(table: TablePlan) -> Iterator[str]:
    estimate = table.rows_estimated
    rows = "unknown number of rows" if estimate is None else f"about {counted(estimate, 'row')}"
    yield from ("", f"{table.table}: {rows}{_forecast(table.seconds_estimated)}")
    if table.tally is None:
        yield "  no row is left to write"
        return
    yield f"  the first batch: {_counts(table.tally)}"
    for sample in table.samples:
        yield f"  {_sample(sample)}"
    for change in table.changes:
        yield f"  {change.verb} {change.table}"
        for row in change.samples:
            yield f"    {_assignments(row)}"


def _standing(run: Run) -> str:
    """Where the run is of which a plan shows what its first batch would be."""
    walked = f"its run is {run.status}, {counted(run.rows_read, 'row')} walked"
    if run.status is Status.COMPLETED:
        return f"{walked}; `backfill run` would take up only rows that its condition still finds"
    return f"{walked}; `backfill run` goes on behind them" if run.status in ACTIVE else walked


def _counts(tally: Tally) -> str:
    """What was done, in the words for each kind; nothing is said of what did not happen."""
    counts = {
        "updated": tally.updated,
        "inserted": tally.inserted,
        "deleted": tally.deleted,
        "left as they are": tally.skipped,
    }
    said = [f"{count:,} {word}" for word, count in counts.items() if count]
    return ", ".join(said) or "nothing is changed"


def _forecast(seconds: float | None) -> str:
    return "" if seconds is None else f", about {duration(seconds)} at the rate of the first batch"


def _sample(sample: Sample) -> str:
    after = "deleted" if sample.after is None else _assignments(sample.after) or "no change"
    return f"{printable_key(sample.key)}: {_assignments(sample.before)}  →  {after}"


def _assignments(values: Mapping[str, Any]) -> str:
    return ", ".join(f"{name}={_value(value)}" for name, value in values.items())


def _value(value: Any) -> str:
    text = repr(value)  # escapes whatever a terminal would obey
    return text if len(text) <= VALUE_WIDTH else f"{text[:VALUE_WIDTH]}…"


def list_line(transform: Transform[..., Any]) -> str:
    """A transform in one line."""
    tables, (first, *_) = ", ".join(transform.definition.tables), transform.definition.description.splitlines() or ("",)
    return one_line(f"{transform.name}  ({tables})  {first}".rstrip())


def status_page(runs: Sequence[Run], name: str | None = None) -> str:
    """Every run, where it is, and what it waits for; `name` is whose runs were asked for."""
    if not runs:
        whose = "no run" if name is None else f"{excerpt(name)} has no run"
        return f"{whose} in this database yet. To see what there is:  backfill {'list' if name is None else 'status'}"
    rows = [("name", "status", "walked", "written", "rows/s", "updated (UTC)"), *map(_status_row, runs)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    reasons = [safe_text(f"{run.name}: {reason}") for run in runs if (reason := waits_for(run) or _worked_on(run))]
    return "\n".join([*lines, *([""] if reasons else []), *reasons])


def _status_row(run: Run) -> tuple[str, str, str, str, str, str]:
    is_open = run.status in ACTIVE and run.rows_estimated is not None
    of = f" of about {run.rows_estimated:,}" if is_open else ""
    rate = f"{run.rows_per_second:,.0f}" if run.rows_per_second else "-"
    return (
        one_line(run.name),
        run.status,
        f"{run.rows_read:,}{of}",
        f"{run.rows_written:,}",
        rate,
        f"{run.updated_at:%F %T}",
    )


def status_json(runs: Sequence[Run]) -> str:
    """The same for programs: a list of objects."""
    return json.dumps([_status_object(run) for run in runs], indent=2)


def _status_object(run: Run) -> Mapping[str, Any]:
    return {
        "name": run.name,
        "status": run.status,
        "reason": spelled(waits_for(run) or "") or None,
        "rows_done": run.rows_read,
        "rows_written": run.rows_written,
        "rows_updated": run.tally.updated,
        "rows_inserted": run.tally.inserted,
        "rows_deleted": run.tally.deleted,
        "rows_skipped": run.tally.skipped,
        "rows_estimated": run.rows_estimated,
        "rows_per_second": None if run.rows_per_second is None else round(run.rows_per_second, 1),
        "started_at": _moment(run.started_at),
        "updated_at": _moment(run.updated_at),
        "completed_at": _moment(run.completed_at),
    }


def waits_for(run: Run) -> str | None:
    """Why a run is not going on, and what to type; None when there is nothing to do or it is going on."""
    if run.status is Status.PENDING:
        return f"deferred by its migration; to fill: backfill run {run.name}"
    if run.status is Status.UNDOING and _is_abandoned(run):
        return f"it was being undone when that was interrupted; to go on: backfill undo {run.name}"
    if run.status is Status.RUNNING and _is_abandoned(run):
        return f"its worker is gone; to go on: backfill run {run.name}"
    if run.status in (Status.PAUSED, Status.FAILED):
        return f"{run.reason}. To go on: backfill run {run.name}"
    return None


def _worked_on(run: Run) -> str | None:
    at_work = run.status in (Status.RUNNING, Status.UNDOING) and run.owner
    return f"{describe(run.owner)} is at work" if at_work and run.owner else None


def _is_abandoned(run: Run) -> bool:
    return run.owner is None or is_dead(run.owner) or (run.lease_left or 0) <= 0


def verdict_page(verdict: Verdict) -> str:
    """What verify found out, and what it could not."""
    rest = f" Not compared: {'; '.join(verdict.not_compared)}." if verdict.not_compared else ""
    if not verdict.mismatches:
        proof = "what it wrote comes out again" if verdict.by_images else "a second pass would change nothing"
        return f"{verdict.name}: {proof}.{rest}"
    first = ", ".join(f"{m.table} {printable_key(m.key)}" for m in verdict.mismatches[:5])
    count = f"{'' if verdict.is_counted else 'more than '}{counted(len(verdict.mismatches), 'row')}"
    count = count if verdict.tells_rows else f"some of {count}"
    fault = "for which something else comes out" if verdict.by_images else "would still change"
    return f"{verdict.name}: {count} {fault}, first: {first}{f'.{rest}' if rest else ''}"


def undo_page(name: str, undone: Sequence[Undone]) -> str:
    """What was put back, and what was not."""
    if not undone:
        return f"{excerpt(name)}: nothing to undo. To see what there is:  backfill status"
    return "\n".join(_undone(each) for each in undone)


def _undone(undone: Undone) -> str:
    told = f"{undone.run.name}: undone. {counted(undone.restored, 'row')} put back"
    return f"{told}; {undone.told_of_rest()}" if undone.left else f"{told}."


def forget_page(name: str, tables: int) -> str:
    """What cannot be undone any more."""
    if not tables:
        return f"{excerpt(name)}: no run keeps images."
    return f"{name}: {counted(tables, 'image table')} dropped; its runs cannot be undone any more."


def run_page(run: Run, before: Run | None = None) -> str:
    """How a run ended; `before` is what the ledger said when it was asked for."""
    if before is not None and before.id == run.id and before.status is Status.COMPLETED:
        return (
            f"{run.name}: nothing to do, it was completed on {run.completed_at:%F %T} (UTC) with "
            f"{counted(run.rows_written, 'row')} written. "
            f"To walk again from the first row, where that changes no row twice:  backfill run {run.name} --from-start"
        )
    return f"{run.name}: completed. {counted(run.rows_read, 'row')} walked, {_written(run.tally)}."


def _written(tally: Tally) -> str:
    """In one word where rows were only updated, else by the words for each kind."""
    if tally.updated == tally.written and not tally.skipped:
        return f"{tally.written:,} written"
    return _counts(tally)


def duration(seconds: float) -> str:
    """A duration as people say it: '40 s', '12 min', '3.5 h'."""
    if seconds < 100:
        return f"{max(seconds, 1):.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 6_000 else f"{seconds / 3_600:.1f} h"


def _moment(moment: datetime | None) -> str | None:
    return None if moment is None else f"{moment.isoformat(timespec='microseconds')}Z"
