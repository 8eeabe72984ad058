"""The official client of Python for chat completions, with only its base URL and key changed.

Given: {"base_url", "key", "stream"}.
Answers: {"text", "pieces", "first_ms", "last_ms"}, or {"status", "code"} of a refusal.
"""

import json
import sys
import time

from openai import APIStatusError, OpenAI

given = json.load(sys.stdin)
client = OpenAI(base_url=given["base_url"], api_key=given["key"], max_retries=0)
messages = [{"role": "user", "content": "Where do keys stay?"}]


def ask():
    started = time.monotonic()
    since = lambda: int((time.monotonic() - started) * 1000)
    if not given["stream"]:
        answer = client.chat.completions.create(model="stand-in", messages=messages)
        return {"text": answer.choices[0].message.content}
    pieces, times = [], []
    for chunk in client.chat.completions.create(model="stand-in", messages=messages, stream=True):
        times.append(since())
        pieces.append(chunk.choices[0].delta.content or "")
    return {"text": "".join(pieces), "pieces": len(pieces), "first_ms": times[0], "last_ms": times[-1]}


try:
    print(json.dumps(ask()))
except APIStatusError as refused:
    print(json.dumps({"status": refused.status_code, "code": refused.response.json()["code"]}))
