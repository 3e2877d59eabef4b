"""What is a slash command answered with, at once or by a job once Slack has told us more?"""

from dataclasses import dataclass
from typing import Any

from portal.db import db
from portal.jobs.engine import Job
from portal.slack import connects, replies
from portal.slack.clicks import SlackCommand

Message = dict[str, Any]


@dataclass(frozen=True)
class Answer:
    """A message; `is_owed`: there is more to say once Slack has told us who is asking.

    No message: all of it has to wait for that, or for the job `then`, which finds the command under
    its `command_id` and is the one to finish it.
    """

    message: Message | None
    is_owed: bool = False
    then: Job | None = None


def finish(command_id: int, message: Message | None) -> None:
    """Forget a noted command, and say what is still owed to whoever typed it.

    Whoever gets words only and is not connected is offered that besides.
    """
    noted = db.session.get(SlackCommand, command_id)
    if noted is not None:
        db.session.delete(noted)
        db.session.flush()
        if noted.is_owed and message is not None:
            replies.say(
                message["text"],
                blocks=message.get("blocks"),
                account_id=noted.account_id,
                slack_user_id=noted.slack_user_id,
                channel_id=noted.channel_id,
                response_url=noted.response_url,
                connect_id=None
                if message.get("blocks")
                else connects.offer_to_stranger(noted.account_id, noted.slack_user_id),
            )
    db.session.commit()
