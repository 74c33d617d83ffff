"""Microsoft's token endpoint at the fake Teams: client credentials for the app, or why not."""

from collections.abc import Mapping
from typing import Any

from fake_teams_state import CONNECTOR_SCOPE, GRAPH_SCOPE, State

WORDS = {
    "AADSTS90002": "Tenant not found. Check to make sure you have the correct tenant ID.",
    "AADSTS700016": "Application was not found in the directory.",
    "AADSTS7000215": "Invalid client secret provided.",
    "AADSTS7000222": "The provided client secret keys for app are expired.",
    "AADSTS70003": "The app requested an unsupported grant type.",
    "AADSTS70011": "The provided request must include a 'scope' input parameter.",
}


def issue_token(state: State, tenant: str, form: Any) -> tuple[int, Any]:
    """(status, answer) to a request of a token."""
    given: Mapping[str, str] = form if isinstance(form, Mapping) else {}
    if tenant not in state.tenants:
        return _refused(400, "invalid_request", "AADSTS90002")
    if given.get("grant_type") != "client_credentials":
        return _refused(400, "unsupported_grant_type", "AADSTS70003")
    if given.get("client_id") != state.app_id or tenant != state.tenant:
        return _refused(400, "unauthorized_client", "AADSTS700016")
    if given.get("client_secret") != state.secret:
        return _refused(401, "invalid_client", "AADSTS7000215")
    if state.secret_ended:
        return _refused(401, "invalid_client", "AADSTS7000222")
    scope = {f"{state.base}graph/.default": GRAPH_SCOPE}.get(given.get("scope", ""), given.get("scope", ""))
    if scope not in (CONNECTOR_SCOPE, GRAPH_SCOPE):
        return _refused(400, "invalid_scope", "AADSTS70011")
    seconds = int(state.token_life)
    token = state.issue(scope).text
    return 200, {"token_type": "Bearer", "expires_in": seconds, "ext_expires_in": seconds, "access_token": token}


def _refused(status: int, error: str, code: str) -> tuple[int, Any]:
    told = {
        "error": error,
        "error_description": f"{code}: {WORDS[code]} Trace ID: 0 Correlation ID: 0",
        "error_codes": [int(code.removeprefix("AADSTS"))],
        "error_uri": f"https://login.microsoftonline.com/error?code={code.removeprefix('AADSTS')}",
    }
    return status, told
