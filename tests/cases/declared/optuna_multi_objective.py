"""Studies with several objectives: directions and values move to tables that can hold more than one."""

from sqlalchemy import column

import backfill
from backfill import Delete, Insert, Rows, is_missing


@backfill.transform("studies")
def study_directions(studies: Rows) -> Insert:
    """The direction so far is that of the first objective."""
    first = {"study_id": studies.c.study_id, "direction": studies.c.direction, "objective": 0}
    return Insert("study_directions", first, match=("study_id", "objective"))


@backfill.transform("trial_values", where=is_missing("objective"))
def intermediate_values(values: Rows) -> list[Insert | Delete]:
    """Values by step move away; a value of an objective, such as the next transform inserts, is none of them."""
    step = {"trial_id": values.c.trial_id, "step": values.c.step, "intermediate_value": values.c.value}
    return [Insert("trial_intermediate_values", step, match=("trial_id", "step")), Delete()]


@backfill.transform("trials", where=column("value").is_not(None))
def objective_values(trials: Rows) -> Insert:
    """A trial's own value is that of the first objective."""
    first = {"trial_id": trials.c.trial_id, "value": trials.c.value, "objective": 0}
    return Insert("trial_values", first, match=("trial_id", "objective"))


STEPS = (study_directions, intermediate_values, objective_values)
