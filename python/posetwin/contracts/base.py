"""What every generated contract has in common."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Contract(BaseModel):
    """Frozen; an unknown key, a missing key, NaN and infinity are refused. Defaults live in the zod schemas alone."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)
