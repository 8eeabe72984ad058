"""Mints what the vectors on standard input ask for; prints the keys, and what is refused."""

import json
import sys
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).parents[2] / "clients"))
from derive import derive


def minted(fields, now):
    wanted = {name: value for name, value in fields.items() if name != "secret"}
    if "limit" in wanted:
        wanted["limit"] = (wanted["limit"]["calls"], wanted["limit"]["window_s"])
    for name in ("expires_in", "not_before"):
        if name in wanted:
            wanted[name] /= 1000
    try:
        return derive(fields["secret"], now=now / 1000, **wanted)
    except ValueError as error:
        return f"refused: {error}"


vectors = json.load(sys.stdin)
print(json.dumps([minted(vector["fields"], vector["now"]) for vector in vectors]))
