"""Reports: the formats in which findings are told, by their names."""

from backfill.linting.report import Report
from backfill.linting.reports.annotations import report_annotations
from backfill.linting.reports.objects import report_objects
from backfill.linting.reports.sarif import report_sarif
from backfill.linting.reports.sentences import report_sentences

REPORTS: dict[str, Report] = {
    "text": report_sentences,
    "json": report_objects,
    "sarif": report_sarif,
    "github": report_annotations,
}
