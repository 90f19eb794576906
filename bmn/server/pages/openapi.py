"""What the reference reads of an OpenAPI document."""

from pydantic import BaseModel, Field


class Schema(BaseModel):
    """A type, or where it stands."""

    ref: str = Field("", alias="$ref")
    any_of: list["Schema"] = Field([], alias="anyOf")
    type: str = "anything"
    items: "Schema | None" = None
    enum: list[object] | None = None
    minimum: float | None = None
    maximum: float | None = None
    max_length: int | None = Field(None, alias="maxLength")
    default: object = None
    properties: dict[str, "Schema"] = {}
    required: list[str] = []


class Media(BaseModel):
    """A body in one of its forms."""

    schema_: Schema = Field(Schema(), alias="schema")


class Content(BaseModel):
    """What is sent or answered, by its type."""

    content: dict[str, Media] = {}


class Parameter(BaseModel):
    """Of a path, a query or a header."""

    name: str
    place: str = Field(alias="in")
    schema_: Schema = Field(alias="schema")
    required: bool = False


class Operation(BaseModel):
    """A route for one method."""

    tags: list[str] = ["others"]
    summary: str = ""
    description: str = ""
    parameters: list[Parameter] = []
    body: Content = Field(Content(), alias="requestBody")
    responses: dict[str, Content]


class Components(BaseModel):
    """What schemas refer to."""

    schemas: dict[str, Schema] = {}


class OpenApi(BaseModel):
    """The document. paths: by path and method in small letters."""

    paths: dict[str, dict[str, Operation]]
    components: Components = Components()

    def resolved(self, schema: Schema) -> Schema:
        """The schema that is meant: behind a reference, or the one that is not null."""
        while True:
            if schema.ref:
                schema = self.components.schemas[schema.ref.rpartition("/")[2]]
            elif meant := [one for one in schema.any_of if one.type != "null"]:
                schema = meant[0]
            else:
                return schema
