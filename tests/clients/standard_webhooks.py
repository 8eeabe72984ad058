"""The official library of Standard Webhooks, as its documentation shows it.

Given: a list of {"secret", "headers", "body"}. Answers: for each, what the message says, or why it is refused.
"""

import json
import sys

from standardwebhooks.webhooks import Webhook, WebhookVerificationError


def verified(given):
    try:
        return {"message": Webhook(given["secret"]).verify(given["body"], given["headers"])}
    except WebhookVerificationError as error:
        return {"refused": str(error)}


print(json.dumps([verified(given) for given in json.load(sys.stdin)]))
