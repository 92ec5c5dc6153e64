"""Notification policies become automations."""

import re
from uuid import uuid4

from pydantic import BaseModel, JsonValue

import backfill
from backfill import Delete, Insert

BODY = """
Flow run {flow_name}/{flow_run_name} observed in state {flow_run_state_name} at {flow_run_state_timestamp}.
"""
VARIABLES = {
    "flow_name": "flow.name",
    "flow_run_name": "flow_run.name",
    "flow_run_state_name": "flow_run.state.name",
    "flow_run_state_timestamp": "flow_run.state.timestamp",
}


class Policy(BaseModel):
    """Read."""

    is_active: bool | None
    state_names: list[str] | None
    tags: list[str] | None
    message_template: str | None
    block_document_id: str | None


class Automation(BaseModel):
    """Inserted."""

    name: str = "Flow Run State Change Notification"
    description: str = "Migrated from a flow run notification policy"
    enabled: bool
    trigger: dict[str, JsonValue]
    actions: list[dict[str, JsonValue]]


def as_jinja(template: str) -> str:
    """`{flow_name}` is spelled `{{ flow.name }}` in an automation."""
    return re.sub(r"\{(\w+)\}", lambda found: f"{{{{ {VARIABLES.get(found[1], found[1])} }}}}", template)


@backfill.transform("flow_run_notification_policy")
def policies_to_automations(policy: Policy) -> list[Insert[Automation] | Delete]:
    """The policy goes in the same transaction in which its automation comes."""
    tags: list[JsonValue] = [f"prefect.tag.{tag}" for tag in policy.tags or ()]
    trigger: dict[str, JsonValue] = {
        "id": str(uuid4()),
        "expect": [f"prefect.flow-run.{state}" for state in policy.state_names or ["*"]],
        "match_related": {"prefect.resource.id": tags, "prefect.resource.role": "tag"} if tags else {},
        "posture": "Reactive",
        "within": 10,
    }
    action: dict[str, JsonValue] = {
        "type": "send-notification",
        "block_document_id": policy.block_document_id,
        "body": as_jinja(policy.message_template or BODY),
    }
    automation = Automation(enabled=bool(policy.is_active), trigger=trigger, actions=[action])
    return [Insert("automation", automation), Delete()]


STEPS = (policies_to_automations,)
