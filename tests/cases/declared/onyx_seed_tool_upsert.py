"""A tool of which there is one row."""

from pydantic import BaseModel

import backfill
from backfill import Change, Insert

DESCRIPTION = (
    "Writes little programs, starts them where they can do no harm, and tells what came of it; good for figures, "
    "tables, files and every question whose answer is easier to compute than guess."
)


class Tool(BaseModel):
    """Inserted."""

    name: str
    display_name: str
    description: str
    in_code_tool_id: str
    enabled: bool


@backfill.seed()
def coding_agent_tool() -> list[Change]:
    """Inserted if it is missing; its texts are refreshed if it is there, switched on or not."""
    tool = Tool(
        name="coding_agent",
        display_name="Coding Agent",
        description=DESCRIPTION,
        in_code_tool_id="CodingAgentTool",
        enabled=True,
    )
    return [Insert("tool", tool, match="in_code_tool_id", update=("name", "display_name", "description"))]


STEPS = (coding_agent_tool,)
