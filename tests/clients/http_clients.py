"""Python's HTTP clients, used as their documentation shows.

Given: {"client": "requests" | "httpx", "method", "url", "headers", "json"}.
Answers: {"status", "text"}.
"""

import json
import sys


def with_requests(given):
    import requests

    response = requests.request(given["method"], given["url"], headers=given["headers"], json=given["json"], timeout=10)
    return {"status": response.status_code, "text": response.text}


def with_httpx(given):
    import httpx

    response = httpx.request(given["method"], given["url"], headers=given["headers"], json=given["json"], timeout=10)
    return {"status": response.status_code, "text": response.text}


CLIENTS = {"requests": with_requests, "httpx": with_httpx}

given = json.load(sys.stdin)
print(json.dumps(CLIENTS[given["client"]](given)))
