"""The API as functions. Which there are stands in `bmn.client.calls`, by noun."""

from bmn.client.calls.account import Account
from bmn.client.calls.administering import Administering
from bmn.client.calls.bulk import Bulk
from bmn.client.calls.generating import Generating
from bmn.client.calls.jobs import Jobs
from bmn.client.calls.library import Library
from bmn.client.calls.operating import Operating
from bmn.client.calls.webhooks import Webhooks


class Client(Generating, Jobs, Library, Account, Webhooks, Bulk, Operating, Administering):
    """Talks to one server as one user.

    role: `user` or `admin`, for the tokens we sign ourselves on the local development server.
    on_notice: called with a sentence about what the client waits for.
    Every method raises BmnError: the server's refusal, or NoServer where nobody answers.
    """
