"""What schemathesis has to know of the deployment that it calls, beyond its OpenAPI document.

Nothing is left out of the run. What is changed about a call stands here, and beyond_schema.py has
the refusals that no JSON Schema can foresee.
"""

import itertools
import random

import schemathesis
from schemathesis.core.parameters import ParameterLocation
from schemathesis.generation.meta import CoverageScenario, TestPhase

import beyond_schema  # noqa: F401 - its hook registers itself
import lines  # noqa: F401 - the same
from deployment import DEPLOYMENT, call

CHOICE = random.Random(1)
COUNT = itertools.count()

# So many calls of a hundred keep the ids and headers that are made up.
MADE_UP = 20

# What takes the ground away from the calls that follow, and what gives it back.
UNDONE = {
    "archiveProject": "restore",
    "suspendProject": "resume",
    "archiveEnvironment": "restore",
}


@schemathesis.hook
def before_call(context, case, kwargs):
    name_what_exists(case)
    spare_own_keys(case)
    let_through(case)
    keep_to_itself(case)
    if case.operation.definition.raw["operationId"] == "selfRevoke":
        with_secret_of_its_own(case, kwargs)


@schemathesis.hook
def after_call(context, case, response):
    """One project stays in use: it is brought back at once. The others show every state."""
    verb = UNDONE.get(case.operation.definition.raw["operationId"])
    path = response.request.path_url.partition("?")[0]
    if verb and response.status_code == 200 and f"/projects/{DEPLOYMENT['steady']}/" in path:
        call("POST", path.rpartition("/")[0] + f"/{verb}")


def name_what_exists(case):
    """Ids that exist, and belong together. What is wrong on purpose stays, and what an earlier answer gave."""
    path, meta = case.path_parameters, case.meta
    if not path or meta is None or meta.pool_draws or meta.phase.name == TestPhase.STATEFUL:
        return
    if meta.is_negative_at(ParameterLocation.PATH) or CHOICE.randrange(100) < MADE_UP:
        return
    of_account = case.operation.path.startswith("/management-keys")
    path.update(
        (name, value)
        for name, value in CHOICE.choice(DEPLOYMENT["management_keys" if of_account else "keys"]).items()
        if name in path
    )


def spare_own_keys(case):
    """The keys of the run itself may be read, and are not changed: without them, nothing more is found."""
    path = case.path_parameters
    own = DEPLOYMENT["own"], DEPLOYMENT["helper"]["id"]
    if path and path.get("key") in own and case.method.upper() != "GET":
        path.update(DEPLOYMENT["management_keys"][0])


def let_through(case):
    """A made-up version is not the current one, and a key that was used for another request is a
    mismatch, whatever else the request says. So most have others."""
    headers, meta = case.headers, case.meta
    if not headers or meta is None or meta.is_negative_at(ParameterLocation.HEADER):
        return
    if "Idempotency-Key" in headers and CHOICE.randrange(100) >= MADE_UP:
        headers["Idempotency-Key"] = f"run-{next(COUNT)}"
    if "If-Match" in headers and CHOICE.randrange(100) >= MADE_UP:
        headers["If-Match"] = "*"


def keep_to_itself(case):
    """Messages go nowhere but to this machine: what is made up may be somebody's address."""
    body = case.body
    is_new = case.operation.definition.raw["operationId"] == "createWebhook" and isinstance(body, dict)
    if is_new and str(body.get("url")).lower().startswith("https:"):
        body["url"] = "https://nowhere.invalid/hook"


def with_secret_of_its_own(case, kwargs):
    """This operation revokes the secret that it is called with, so each call gets another."""
    if is_without(case, "Authorization"):
        return
    created = call("POST", f"/_keyward/v1/projects/{DEPLOYMENT['apart']}/keys").json()

    def authorize(request):
        request.headers["Authorization"] = f"Bearer {created['secret']}"
        return request

    kwargs["auth"] = authorize


def is_without(case, header):
    """Whether the case is about this header being absent."""
    data = case.meta and case.meta.phase.data
    return getattr(data, "scenario", None) == CoverageScenario.MISSING_PARAMETER and data.parameter == header
