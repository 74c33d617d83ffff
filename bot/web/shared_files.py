"""Files of a case for people on platforms that take none from us: opened by a signed link, without signing in."""

from urllib.parse import quote

from fastapi import APIRouter
from fastapi.responses import Response

from bot.file_links import PATH, FileLinks
from bot.session_secret import session_secret
from bot.web.context import Parts
from bot.web.errors import Refusal
from handoff.models import Attachment

router = APIRouter(include_in_schema=False)


@router.api_route(f"{PATH}{{token}}", methods=["GET", "HEAD"])
def open_shared_file(token: str, web: Parts) -> Response:
    """The file a link stands for. It is always saved, never shown: it is somebody else's content on our address."""
    number = FileLinks(session_secret(web.settings)).number(token)
    if number is None:
        raise Refusal(404, "error_link_ended")
    with web.sessions() as session:
        file = session.get(Attachment, number)
        if file is None or file.content is None:
            raise Refusal(404, "error_link_ended")
        headers = {"content-disposition": f"attachment; filename*=UTF-8''{quote(file.name, safe='')}"}
        return Response(file.content, media_type="application/octet-stream", headers=headers)
