"""Jobs that follow from what became of another: the thumbnail of a saved asset, the mail about a dead letter."""

from uuid import NAMESPACE_URL, uuid5

from bmn.db.records import DeadLetter, Job, NewAsset, NewJob
from bmn.errors import CAUSES
from bmn.schemas.payloads import OPS_TEMPLATE, EmailSend, ImageUpload
from bmn.settings import Settings
from bmn.work.registry import get_queue

_MAILS = "email-send"


def thumbnail_job(job: Job, asset: NewAsset) -> NewJob:
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


def ops_mail(settings: Settings, dead: DeadLetter, key: str) -> NewJob | None:
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
                "error": dead.error,
                "advice": CAUSES[dead.cause].advice,
            },
        }
    )
    return get_queue(_MAILS).new_job(payload, job_id=f"{_MAILS}-{uuid5(NAMESPACE_URL, f'escalation/{key}')}")
