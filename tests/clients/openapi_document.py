"""Reads an OpenAPI document from its standard input, and prints what is wrong with it."""

import json
import sys

from openapi_spec_validator import OpenAPIV31SpecValidator

errors = OpenAPIV31SpecValidator(json.load(sys.stdin)).iter_errors()
print(json.dumps([str(error) for error in errors]))
