"""A py4web action that does nothing: what the server and the framework cost by themselves."""

from py4web import action, response


@action("/noop", method=["POST"])
def noop() -> str:
    """204, without a look at the request."""
    response.status = 204
    return ""
