"""The API as functions. Which there are stands in `bmn.client.calls`, by noun."""

from bmn.client.calls.account import AccountCalls
from bmn.client.calls.administering import AdminCalls
from bmn.client.calls.bulk import BulkCalls
from bmn.client.calls.generating import GenerationCalls
from bmn.client.calls.jobs import JobCalls
from bmn.client.calls.library import LibraryCalls
from bmn.client.calls.operating import OperatorCalls
from bmn.client.calls.webhooks import WebhookCalls


class Client(GenerationCalls, JobCalls, LibraryCalls, AccountCalls, WebhookCalls, BulkCalls, OperatorCalls, AdminCalls):
    """Talks to one server as one user.

    role: `user` or `admin`, for the tokens we sign ourselves on the local development server.
    on_notice: called with a sentence about what the client waits for.
    Every method raises BmnError: the server's refusal, or NoServer where nobody answers.
    """
