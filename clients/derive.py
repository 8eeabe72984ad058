"""Mints derived keys of Keyward: short-lived keys that may do less than the private key at hand.

Python 3.9 or newer, standard library only. Mint on a server, and give the page the result.
"""

import base64
import hashlib
import hmac
import re
import time
import unicodedata

DAY = 24 * 60 * 60


def derive(secret, *, scopes=None, paths=None, referrers=None, any_referrer=False, ips=None, user=None, limit=None,
           expires_in=15 * 60, not_before=None, environment=None, now=None):
    """A derived key. What is left out is as the private key has it.

    scopes, paths, referrers, ips: lists of rules, as in a key's fields. any_referrer: True for any
    website; without it and referrers no web page may use the key. user: what the origin receives as
    Keyward-User. limit: (calls, seconds), its own. expires_in: seconds from now, at most a day.
    not_before: seconds since 1970. environment: only for an imported key that was made elsewhere.
    """
    if not 0 < expires_in <= DAY:
        raise ValueError("a derived key ends within 24 hours")
    now = time.time() if now is None else now
    # What is empty would otherwise be as the private key has it.
    if any(rules is not None and (isinstance(rules, str) or not rules) for rules in (scopes, paths, referrers, ips)):
        raise ValueError("rules are a list that is not empty")
    if any_referrer not in (True, False) or (any_referrer and referrers):
        raise ValueError("name websites, or allow any with True")
    lines = (["a*"] if any_referrer else []) + [f"i{rule}" for rule in ips or ()]
    lines += [f"l{limit[0]}/{limit[1]}"] if limit else []
    lines += [] if not_before is None else [f"n{round(not_before * 1000)}"]
    lines += [f"p{rule}" for rule in paths or ()]
    lines += [f"r{rule}" for rule in referrers or ()]
    lines += [f"s{scope}" for scope in scopes or ()]
    lines += [] if user is None else [f"u{user}"]
    lines += [f"x{round((now + expires_in) * 1000)}"]
    if any(len(line) < 2 or any(unicodedata.category(c) == "Cc" for c in line) for line in lines):
        raise ValueError("a value is empty or has control characters")
    prefix = _prefix(secret, environment)
    said = hashlib.sha256(secret.encode()).digest() + "\n".join(lines).encode()
    derivation_key = hmac.digest(secret.encode(), b"keyward/derive/1", "sha256")
    mac = hmac.digest(derivation_key, prefix.encode() + said, "sha256")
    body = base64.b64encode(said + mac).decode().rstrip("=")
    key = prefix + body.replace("+", "_p").replace("/", "_s")
    if len(key) > 512:
        raise ValueError("the key would be longer than 512 characters")
    return key


def _prefix(secret, environment):
    own = re.fullmatch(r"([a-z0-9]{2,10})_(pk|sk|mk|dk)_([a-z0-9]{1,12})_1\w{32,}", secret, re.ASCII)
    whole = r".*_sk_[a-z0-9]+_1[0-9A-Za-z]{32}" if own else r"[!-~]{20,512}"
    if not re.fullmatch(whole, secret):
        raise ValueError("only private keys derive, and this is none, or not the whole of one")
    return f"{own[1]}_dk_{own[3]}_1" if own else f"kw_dk_{environment or 'live'}_1"
