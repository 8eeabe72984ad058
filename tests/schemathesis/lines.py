"""NDJSON: OpenAPI 3.1 has no schema of it, so the document names that of a line as x-line-schema.

Here a body of lines becomes an array of them, for what is sent and what is answered.
"""

import json

import schemathesis

MEDIA = "application/x-ndjson"


@schemathesis.hook
def before_load_schema(context, raw_schema):
    for path in raw_schema["paths"].values():
        for operation in path.values():
            described(operation.get("requestBody"))
            for response in operation["responses"].values():
                described(response)


def described(message):
    content = (message or {}).get("content", {}).get(MEDIA)
    if content:
        content["schema"] = {"type": "array", "items": content["schema"]["x-line-schema"]}
        if "example" in content:
            content["example"] = [json.loads(line) for line in content["example"].splitlines()]


@schemathesis.serializer(MEDIA)
def written(context, value):
    if isinstance(value, bytes):
        return value
    lines = value if isinstance(value, list) else [value]
    return "".join(json.dumps(line) + "\n" for line in lines).encode()


@schemathesis.deserializer(MEDIA)
def read(context, response):
    # Only a line feed ends a line: JSON may hold what else Python takes for an end, such as U+0085.
    text = response.content.decode().removesuffix("\n")
    return [json.loads(line) for line in text.split("\n")] if text else []
