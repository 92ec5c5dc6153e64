"""Nodes of legacy jobs: the job's state becomes a process state."""

from typing import Any

from pydantic import BaseModel
from sqlalchemy import column

import backfill

JOB = "process.calculation.calcjob.CalcJobNode."
KILLED = ("NEW", "TOSUBMIT", "SUBMITTING", "WITHSCHEDULER", "COMPUTED", "RETRIEVING", "PARSING")
EXCEPTED = ("SUBMISSIONFAILED", "RETRIEVALFAILED", "PARSINGFAILED")
EXIT_STATUS = {"FAILED": 2, "FINISHED": 0}


class Node(BaseModel):
    """Read and written."""

    attributes: dict[str, Any]


@backfill.transform("db_dbnode", where=(column("node_type") == JOB) & column("attributes").is_not(None))
def legacy_job_states(node: Node) -> Node | None:
    """A legacy state, if it has one, is replaced by the process state that stands for it."""
    attributes = {name: value for name, value in node.attributes.items() if name != "state"}
    match node.attributes.get("state"):
        case str(state) if state in KILLED + EXCEPTED:
            attributes["process_state"] = "killed" if state in KILLED else "excepted"
            attributes["process_status"] = f"Legacy `JobCalculation` with state `{state}`"
        case str(state) if state in EXIT_STATUS:
            attributes |= {"process_state": "finished", "exit_status": EXIT_STATUS[state]}
        case _:
            return None
    return Node(attributes={**attributes, "process_label": "Legacy JobCalculation"})


STEPS = (legacy_job_states,)
