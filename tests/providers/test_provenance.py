"""Who made a file is written into it, and not one pixel changes; what was signed is not touched.

The files below `signed/` were signed by the C2PA project's own library, which found all four valid.
"""

import asyncio
import io
import struct
import zlib
from functools import cache
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from xml.etree import ElementTree

import av
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from bmn.errors import JobFailure
from bmn.mime import mime_of
from bmn.providers.films import verify_film
from bmn.providers.images import verify_picture
from bmn.providers.packets import OddLayout, find
from bmn.providers.xmp import SANDBOX, PictureMaker, maker_of, stamp, stamped
from bmn.schemas.provenance import provenance_of

FLUX = PictureMaker("Black Forest Labs", "flux-2-pro")
MODEL = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"
PROGRAM = "http://cv.iptc.org/newscodes/digitalsourcetype/algorithmicMedia"
_SIGNED = sorted((Path(__file__).parent / "signed").iterdir())
_OLD = (
    b'<?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/">'
    b'<r:RDF xmlns:r="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><r:Description r:about="" '
    b'xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmp:CreatorTool="The vendor"/></r:RDF></x:xmpmeta><?xpacket end="w"?>'
)


def _noise(mode: str) -> Image.Image:
    size = (61, 40)
    return Image.merge(mode, [Image.effect_noise(size, 90 + 20 * n) for n in range(len(mode))])


def _encoded(image: Image.Image, kind: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


@cache
def _film(**options: str) -> bytes:
    with TemporaryDirectory() as folder, av.open(path := f"{folder}/film.mp4", "w", options=options) as container:
        stream = container.add_stream("mpeg4", rate=5)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for color in ("red", "green", "blue"):
            container.mux(stream.encode(av.VideoFrame.from_image(Image.new("RGB", (64, 48), color))))
        container.mux(stream.encode())
        container.close()
        return Path(path).read_bytes()


@cache
def _files() -> dict[str, bytes]:
    rgb, rgba = _noise("RGB"), _noise("RGBA")
    old = PngInfo()
    old.add_itxt("XML:com.adobe.xmp", _OLD.decode())
    frames = {"save_all": True, "append_images": [_noise("RGB")]}
    exif = Image.Exif()
    exif[0x0112] = 6
    return {
        "png": _encoded(rgb, "PNG"),
        "png, transparent": _encoded(rgba, "PNG"),
        "png, animated": _encoded(rgb, "PNG", **frames),
        "png with another packet": _encoded(rgb, "PNG", pnginfo=old),
        "jpeg": _encoded(rgb, "JPEG"),
        "jpeg, progressive and turned": _encoded(rgb, "JPEG", progressive=True, exif=exif),
        "jpeg, four inks": _encoded(_noise("CMYK"), "JPEG"),
        "jpeg with another packet": _encoded(rgb, "JPEG", xmp=_OLD),
        "webp": _encoded(rgb, "WEBP"),
        "webp, lossless": _encoded(rgb, "WEBP", lossless=True),
        "webp, lossless and transparent": _encoded(rgba, "WEBP", lossless=True),
        "webp, transparent": _encoded(rgba, "WEBP"),
        "webp, animated": _encoded(rgb, "WEBP", **frames),
        "webp with another packet": _encoded(rgb, "WEBP", xmp=_OLD),
        "mp4": _film(),
        "mp4, its index first": _film(movflags="faststart"),
        "mp4 of fragments": _film(movflags="frag_keyframe+empty_moov"),
    }


def _looks(data: bytes) -> list[bytes]:
    """Every frame's pixels."""
    if mime_of(data) == "video/mp4":
        with av.open(io.BytesIO(data), "r", format="mp4") as container:
            return [frame.to_ndarray().tobytes() for frame in container.decode(video=0)]
    with Image.open(io.BytesIO(data)) as picture:
        frames = []
        for number in range(getattr(picture, "n_frames", 1)):
            picture.seek(number)
            frames.append(picture.convert("RGBA").tobytes())
        return frames


def _note(data: bytes) -> str:
    """The packet, as programs of others find it: Pillow, and FFmpeg. It is XML that says everything once."""
    if mime_of(data) == "video/mp4":
        with av.open(io.BytesIO(data), "r", format="mp4", options={"export_xmp": "1"}) as container:
            packet = container.metadata["xmp"]
    else:
        with Image.open(io.BytesIO(data)) as picture:
            given = picture.info["xmp"]
        packet = given if isinstance(given, str) else given.decode()
    said = [name for part in ElementTree.fromstring(packet).iter() for name in part.attrib]
    assert len([name for name in said if name.endswith("CreatorTool")]) == 1
    assert len([name for name in said if name.endswith("DigitalSourceType")]) == 1
    return packet


@pytest.mark.parametrize("name", _files())
async def test_a_file_says_which_model_made_it_and_looks_as_before(name: str) -> None:
    data = _files()[name]
    noted, known = stamp(data, FLUX)
    note = _note(noted)
    assert f'DigitalSourceType="{MODEL}"' in note and "Black Forest Labs flux-2-pro" in note
    assert ("The vendor" in note) == ("another" in name), "what stood there stays"
    assert _looks(noted) == _looks(data)
    assert known.dump() == {"madeBy": "Black Forest Labs", "model": "flux-2-pro", "signed": False}
    assert stamp(noted, SANDBOX)[0] == noted, "said once"
    if mime_of(data) == "video/mp4":
        assert await verify_film(noted) == await verify_film(data)
    else:
        await verify_picture(noted)


@pytest.mark.parametrize("path", _SIGNED, ids=lambda path: path.suffix)
def test_what_a_vendor_has_signed_stays_to_the_byte(path: Path) -> None:
    signed = path.read_bytes()
    kept, known = stamp(signed, FLUX)
    assert kept == signed
    assert (known.signed, known.signer) == (True, "Acme Pictures")
    assert known.told() == "made by flux-2-pro of Black Forest Labs; carries a C2PA manifest signed by Acme Pictures"


def test_a_packet_that_names_a_manifest_elsewhere_stays_as_well() -> None:
    elsewhere = _OLD.replace(b"xmp:CreatorTool=", b'xmlns:dcterms="http://purl.org/dc/terms/" dcterms:provenance=')
    data = _encoded(_noise("RGB"), "JPEG", xmp=elsewhere)
    kept, known = stamp(data, FLUX)
    assert kept == data
    assert known.told() == "made by flux-2-pro of Black Forest Labs; carries a C2PA manifest"


@pytest.mark.parametrize("name", ["png", "jpeg", "webp", "mp4"])
def test_what_the_sandbox_makes_is_a_drawing(name: str) -> None:
    noted, known = stamp(_files()[name], SANDBOX)
    assert f'DigitalSourceType="{PROGRAM}"' in _note(noted) and "by no model" in _note(noted)
    assert known.told() == "drawn by the sandbox, by no model"
    assert maker_of(known) == SANDBOX


@pytest.mark.parametrize("name", _files())
async def test_whatever_is_cut_or_changed_is_no_worse_afterwards(name: str) -> None:
    """A seeded fuzz: a note raises nothing of its own, and what could be shown without it can be shown with it."""
    whole, random = _files()[name], Random(name)
    for _ in range(60):
        broken = bytearray(whole[: random.randrange(12, len(whole))] if random.random() < 0.3 else whole)
        for _ in range(random.randrange(4)):
            broken[random.randrange(12, len(broken))] = random.randrange(256)
        noted, _ = stamp(bytes(broken), FLUX)
        if noted == broken or mime_of(bytes(broken)) == "video/mp4":
            continue
        try:
            before = await verify_picture(bytes(broken))
        except JobFailure:
            continue
        after = await verify_picture(noted)
        assert (after.width, after.height) == (before.width, before.height)


@pytest.mark.parametrize("data", [
    b"",
    b"GIF89a" + bytes(20),
    _encoded(Image.new("P", (9, 9)), "GIF"),
    _film()[:-7],
    _film() + struct.pack(">I4s", 0, b"free"),
    _encoded(Image.new("L", (9, 9)), "JPEG", xmp=b"no packet of RDF"),
], ids=["nothing", "broken", "gif", "cut", "open end", "no XML"])  # fmt: skip
def test_a_file_without_a_safe_place_stays_as_it_is(data: bytes) -> None:
    kept, known = stamp(data, FLUX)
    assert kept == data
    assert known.told() == "made by flux-2-pro of Black Forest Labs"


_PNG, _JPEG = (_encoded(Image.new("L", (9, 9)), kind) for kind in ("PNG", "JPEG"))


def _chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


_MANY = 10_001  # of what takes almost no bytes, so that a file of allowed size could have millions


@pytest.mark.parametrize("data", [
    _PNG[:33] + _chunk(b"tEXt", b"") * _MANY + _PNG[33:],
    b"\xff\xd8" + b"\xff\xeb\x00\x08JPc2pa" * _MANY + _JPEG[2:],
    b"\xff\xd8" + b"\xff" * _MANY + _JPEG[2:],
    b"RIFF" + struct.pack("<I", 4 + 8 * _MANY) + b"WEBP" + b"ABCD\0\0\0\0" * _MANY,
    _film() + struct.pack(">I4s", 8, b"free") * _MANY,
    _PNG[:33] + _chunk(b"iTXt", b"XML:com.adobe.xmp" + bytes(5) + _OLD + b" " * 1_000_000) + _PNG[33:],
], ids=["chunks", "segments", "fill bytes", "riff", "boxes", "packet"])  # fmt: skip
async def test_a_file_made_to_take_long_is_left_alone(data: bytes) -> None:
    looking = asyncio.ensure_future(stamped(data, FLUX))
    await asyncio.sleep(0)
    assert not looking.done(), "looked at in a thread: meanwhile others go on"
    kept, known = await looking
    assert kept == data
    assert (known.signed, known.signer) == (b"c2pa" in data, None)


def test_a_signature_of_very_many_certificates_is_one_by_nobody_known() -> None:
    signed = _SIGNED[[path.suffix for path in _SIGNED].index(".png")].read_bytes()
    manifest = find(signed).manifest
    at = manifest.rfind(b"c2pa.signature") + 14
    for number, signer in {99: "Acme Pictures", 100: None}.items():
        broken = b"\x30\x82\xff\xff\x30\x82\xff\xff" * number
        data = _PNG[:33] + _chunk(b"caBX", manifest[:at] + broken + manifest[at:]) + _PNG[33:]
        kept, known = stamp(data, FLUX)
        assert kept == data
        assert (known.signed, known.signer) == (True, signer)


def test_an_asset_that_says_nothing_of_its_origin_is_not_guessed_at() -> None:
    assert provenance_of({}) is None
    assert provenance_of({"provenance": {"madeBy": 7}}) is None
    with pytest.raises(OddLayout):
        find(b"text")
