"""What every part of results.json is: checked when read, unknown keys refused, never NaN."""

from pydantic import BaseModel, ConfigDict


class ResultsModel(BaseModel):
    model_config = ConfigDict(
        extra="forbid", frozen=True, allow_inf_nan=False, validate_by_name=True, validate_by_alias=True
    )
