"""Jobs that follow from what became of another: the thumbnail of a saved asset, the mails to the operators."""

from uuid import NAMESPACE_URL, uuid5

from bmn.db.operators.alert_store import Alert
from bmn.db.records import DeadLetterRow, JobRow, NewAsset, NewJob
from bmn.errors import CAUSES
from bmn.schemas.payloads import ALERT_TEMPLATE, OPS_TEMPLATE, EmailSend, ImageUpload
from bmn.settings import Settings
from bmn.work.registry import get_queue

_MAILS = "email-send"


def thumbnail_job(job: JobRow, asset: NewAsset) -> NewJob:
    """Makes the small picture of an asset that a job has just saved."""
    payload = ImageUpload.model_validate(
        {
            "userId": job.user_id,
            "brandId": asset.brand_id,
            "assetType": "video_thumbnail" if asset.asset_type == "video" else asset.asset_type,
            "storageKey": asset.storage_key,
            "assetId": asset.id,
            "fileName": asset.storage_key.rsplit("/", 1)[-1],
            "mimeType": asset.mime_type,
        }
    )
    queue = get_queue("image-upload")
    return queue.new_job(payload, job_id=f"image-upload-{asset.id}", request_id=job.request_id)


def ops_mail(settings: Settings, dead: DeadLetterRow, key: str) -> NewJob | None:
    """Tells the operators of a dead letter. None for a mail that died: it never makes another one."""
    if dead.queue == _MAILS:
        return None
    payload = EmailSend.model_validate(
        {
            "to": settings.support_email,
            "template": OPS_TEMPLATE,
            "data": {
                "queue": dead.queue,
                "jobId": dead.job_id,
                "cause": dead.cause,
                "error": CAUSES[dead.cause].told,
                "advice": CAUSES[dead.cause].advice,
            },
        }
    )
    return get_queue(_MAILS).new_job(payload, job_id=f"{_MAILS}-{uuid5(NAMESPACE_URL, f'escalation/{key}')}")


def alert_mail(settings: Settings, address: str, alert: Alert, words: str, next_step: str) -> NewJob:
    """Tells an address of an alert, or that it is over. The same alert, address and state are the same job."""
    over = alert.resolved_at is not None
    payload = EmailSend.model_validate(
        {
            "to": address,
            "template": ALERT_TEMPLATE,
            "data": {
                "id": alert.id,
                "state": "resolved" if over else "open",
                "kind": alert.kind,
                "about": alert.subject,
                "message": words,
                "nextStep": "" if over else next_step,
            },
        }
    )
    changes = f"/{alert.changes}" if alert.changes and not over else ""
    name = f"alert/{alert.id}/{alert.opened_at}/{over}/{address}{changes}"
    return get_queue(_MAILS).new_job(payload, job_id=f"{_MAILS}-{uuid5(NAMESPACE_URL, name)}")
