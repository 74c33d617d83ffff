"""What happens when a timer rings; a timer that no longer fits the state of its case does nothing."""

from bot.case import RequesterCase
from handoff import desk
from handoff.models import ConversationState
from handoff.timers import TimerKind


def ring(case: RequesterCase, kind: str) -> None:
    """Do what was put off until now, unless somebody has acted in the meantime."""
    state, expects = case.conversation.state, case.conversation.expects
    match kind:
        case TimerKind.FACTS if state == ConversationState.WITH_BOT and expects == "fact":
            case.open_ticket()
        case TimerKind.IDLE if state == ConversationState.WITH_BOT and expects != "fact":
            case.let_go()
        case TimerKind.FIRST_RESPONSE:
            case.warn_about_first_response()
        case TimerKind.CLOSE_RESOLVED if state == ConversationState.RESOLVED:
            desk.close(case.session, case.conversation, "assumed", case.now)
