"""Bodies of requests: what all that are of one kind have in common."""

import pytest
from pydantic import BaseModel, ValidationError

from bmn.schemas import requests
from bmn.server.operators.admin_view import Act

_TAKES_A_REASON = [
    body
    for body in (*vars(requests).values(), Act)
    if isinstance(body, type) and issubclass(body, BaseModel) and "reason" in body.model_fields
]


@pytest.mark.parametrize("body", _TAKES_A_REASON)
def test_a_reason_is_one_line(body: type[BaseModel]) -> None:
    for reason in ("ticket 7\nqueue.pause", "ticket 7\r\n", "ticket 7\u2028queue.pause"):
        with pytest.raises(ValidationError, match="line break"):
            body.__pydantic_validator__.validate_assignment(body.model_construct(), "reason", reason)
