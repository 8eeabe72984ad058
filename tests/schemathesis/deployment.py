"""The deployment that schemathesis calls, as tests/harness/schemathesis.mjs has made it."""

import json
import os

import requests

with open(os.environ["KEYWARD_DEPLOYMENT"], encoding="utf-8") as file:
    DEPLOYMENT = json.load(file)


def call(method, path):
    """Calls the management API with a key of the account that is not the run's own."""
    headers = {"authorization": f"Bearer {DEPLOYMENT['helper']['secret']}"}
    response = requests.request(method, DEPLOYMENT["url"] + path, headers=headers, json={}, timeout=20)
    response.raise_for_status()
    return response
