"""The API as functions. Which there are stands in `bmn.client.calls`, by noun."""

from bmn.client.calls.account_calls import AccountCalls
from bmn.client.calls.admin_calls import AdminCalls
from bmn.client.calls.bulk_calls import BulkCalls
from bmn.client.calls.generation_calls import GenerationCalls
from bmn.client.calls.job_calls import JobCalls
from bmn.client.calls.library_calls import LibraryCalls
from bmn.client.calls.operator_calls import OperatorCalls
from bmn.client.calls.webhook_calls import WebhookCalls


class Client(GenerationCalls, JobCalls, LibraryCalls, AccountCalls, WebhookCalls, BulkCalls, OperatorCalls, AdminCalls):
    """Talks to one server as one user.

    role: `user` or `admin`, for the tokens we sign ourselves on the local development server.
    on_notice: called with a sentence about what the client waits for.
    Every method raises BmnError: the server's refusal, or NoServer where nobody answers.
    """
