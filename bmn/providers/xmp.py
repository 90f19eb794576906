"""Every picture and film that is kept says in its XMP who made it, in the words of the IPTC; not one pixel is encoded again.

What a vendor has signed (C2PA) or said in the same words already stays as it came, to the byte.
"""

import asyncio
import re
from dataclasses import dataclass
from itertools import islice
from xml.sax.saxutils import quoteattr

from bmn.cleaning import identifier
from bmn.logs import get_logger
from bmn.providers.decoders import DECODERS
from bmn.providers.packets import OddLayout, TooManyParts, find, put
from bmn.schemas.provenance import Provenance

log = get_logger(__name__)

_SOURCES = "http://cv.iptc.org/newscodes/digitalsourcetype/"
_IPTC = "http://iptc.org/std/Iptc4xmpExt/2008-02-29/"
_RDF_END = re.compile(rb"</([A-Za-z][\w.-]*):RDF\s*>")
_REMOTE = b"dcterms:provenance"  # in a packet: the manifest is elsewhere, and vouches for these bytes
_LONGEST_PACKET = 1_000_000  # bytes of XMP; what an editor writes is seldom a tenth of it
_SIGNATURE = 262_144  # bytes in which a signature's certificate is looked for
_CERTIFICATES = 100  # of what looks like one, how many are read
_CERTIFICATE = re.compile(rb"\x30\x82(..)\x30\x82", re.DOTALL)


@dataclass(frozen=True, slots=True)
class PictureMaker:
    """Who makes pictures: a vendor's model, or the sandbox, which draws them. model: None of what no model makes."""

    name: str
    model: str | None


SANDBOX = PictureMaker("sandbox", None)


def stamp(data: bytes, maker: PictureMaker) -> tuple[bytes, Provenance]:
    """The file with a note of its maker, and what is known of where it comes from.

    The very same bytes where they must not change, or where there is no safe place for a note.
    """
    try:
        found = find(data)
        if found.manifest or _REMOTE in found.packet[:_LONGEST_PACKET]:
            return data, _known(maker, signed=True, signer=_signer(found.manifest))
        if len(found.packet) <= _LONGEST_PACKET and b"DigitalSourceType" not in found.packet:
            data = put(data, found, _packet(maker, found.packet))
    except TooManyParts:
        return data, _known(maker, signed=b"c2pa" in data)
    except OddLayout:
        log.warning("a file has no place for a note of its maker", size=len(data), maker=maker.name)
    return data, _known(maker)


async def stamped(data: bytes, maker: PictureMaker) -> tuple[bytes, Provenance]:
    """As `stamp`, in a thread: a file that somebody has broken on purpose takes its time, and others go on."""
    return await asyncio.get_running_loop().run_in_executor(DECODERS, stamp, data, maker)


def maker_of(provenance: Provenance) -> PictureMaker:
    """Who made it, for copies that are made of it."""
    return PictureMaker(provenance.made_by, provenance.model)


def _known(maker: PictureMaker, *, signed: bool = False, signer: str | None = None) -> Provenance:
    return Provenance(made_by=maker.name, model=maker.model, signed=signed, signer=signer)


def _packet(maker: PictureMaker, old: bytes) -> bytes:
    """The old packet and our note, or a packet of our own. Raises OddLayout for one that cannot be read as text."""
    if not old:
        note = _description("rdf", maker, tool=True)
        return (
            '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>'
            '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
            f'{note}</rdf:RDF></x:xmpmeta><?xpacket end="w"?>'
        ).encode()
    end = _RDF_END.search(old)
    if end is None:
        raise OddLayout
    note = _description(end[1].decode(), maker, tool=b"CreatorTool" not in old)
    return old[: end.start()] + note.encode() + old[end.start() :]


def _description(rdf: str, maker: PictureMaker, *, tool: bool) -> str:
    """rdf: the prefix of that namespace. tool: whether to say which program made it, which is said once."""
    source = "trainedAlgorithmicMedia" if maker.model else "algorithmicMedia"
    name = f"{maker.name} {maker.model}" if maker.model else f"{maker.name}, by no model"
    fields = {"Iptc4xmpExt:DigitalSourceType": _SOURCES + source}
    if maker.model:
        fields |= {"Iptc4xmpExt:AISystemUsed": name}
    if tool:
        fields |= {"xmp:CreatorTool": name}
    attributes = "".join(f" {field}={quoteattr(value)}" for field, value in fields.items())
    spaces = f'xmlns:Iptc4xmpExt="{_IPTC}" xmlns:xmp="http://ns.adobe.com/xap/1.0/"'
    return f'<{rdf}:Description {rdf}:about="" {spaces}{attributes}/>'


def _signer(manifest: bytes) -> str | None:
    """Whom the newest signature's own certificate names, unchecked: nobody has asked whether it holds."""
    from cryptography import x509  # noqa: PLC0415 - with the first signed file: no worker needs it before

    at = max(manifest.rfind(b"c2pa.signature"), 0)
    for match in islice(_CERTIFICATE.finditer(manifest, at, at + _SIGNATURE), _CERTIFICATES):
        length = int.from_bytes(match[1])
        try:
            subject = x509.load_der_x509_certificate(manifest[match.start() : match.start() + 4 + length]).subject
        except ValueError:
            continue
        named = subject.get_attributes_for_oid(x509.NameOID.ORGANIZATION_NAME)
        return identifier(named[0].value) if named else None
    return None
