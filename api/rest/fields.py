"""Fields that several bodies share, with what the documentation says of them."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Annotated, Any, TypeVar

import msgspec
from fastapi import Query
from pydantic import AfterValidator, BaseModel, Field
from pydantic_core import PydanticUndefined

from api.rest.commands import Step
from domain.values import Provenance

S = TypeVar("S", bound=msgspec.Struct)

Region = Annotated[str, Field(description="行政区划代码 Region code (GB/T 2260), six digits.", max_length=6)]
Uscc = Annotated[
    str,
    Field(description="统一社会信用代码 Unified social credit code (GB 32100).", max_length=18),
]
Digest = Annotated[
    str,
    Field(description="SHA-256 (hex) of an uploaded file, from POST /blobs.", pattern="^[0-9a-f]{64}$"),
]
Words = Annotated[
    tuple[str, ...], AfterValidator(lambda words: tuple(sorted(set(words)))), Field(max_length=100)
]
"""Codes whose order does not matter."""
Year = Annotated[int, Query(ge=1900, le=2999, description="年度 Year.")]
Reason = Annotated[str, Field(description="理由 The reason; it is recorded.", max_length=2000)]


def choice(values: Sequence[str], description: str, default: Any = PydanticUndefined) -> Any:
    """A field whose values the domain checks; the documentation lists them."""
    return Field(default, description=description, max_length=100, json_schema_extra={"enum": list(values)})


class Reasoned(Step):
    """Why it is done; recorded for ever."""

    reason: Reason


class Sourced(Step):
    """A change of a registry says where it comes from, on which ground, and since when it holds."""

    source: str = Field(description="来源 Where the change comes from, such as a document.", max_length=500)
    reason: Reason
    effective_from: date = Field(description="生效日期 The first day on which it holds.")

    def provenance(self) -> Provenance:
        """The same as the domain has it."""
        return msgspec.convert(self.model_dump(), Provenance)


def struct_of(body: BaseModel, kind: type[S], **more: Any) -> S:
    """The fields of a body as a value of the domain; what the value does not have is left out."""
    given: Mapping[str, Any] = {**body.model_dump(), **more}
    return msgspec.convert(given, kind)
