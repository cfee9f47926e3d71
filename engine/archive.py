"""The calendar files in what somebody uploads: a file, or a ZIP archive of them.

An archive is not trusted: what it holds is counted and measured before and while it
is unpacked, and nothing of it reaches the disk.
"""

import io
import zipfile
import zlib
from dataclasses import dataclass

#: Names that calendar files have.
ENDINGS = (".ics", ".ical", ".icalendar", ".ifb", ".vcs")
#: A megabyte that is packed more than so many times is no calendar.
MAX_RATIO = 200
RATIO_FROM = 1_000_000


class ArchiveError(Exception):
    """An upload that is not read.

    :param str code: ``too_large``, ``too_many``, ``bomb``, ``nested``, ``locked``,
        ``broken``, ``empty``
    """

    def __init__(self, code, name=""):
        super().__init__(code)
        self.code = code
        self.name = name


@dataclass(frozen=True, slots=True)
class ArchiveLimits:
    """How much is read of one upload: octets in all, and files of an archive."""

    octets: int = 50_000_000
    entries: int = 2_000


def calendar_files(name, data, limits=ArchiveLimits()):  # noqa: B008
    """The calendar files of an upload.

    :param str name: of the file
    :param bytes data: what is in it
    :return: list of (name, bytes)
    :raises ArchiveError: when it is not read
    """
    if len(data) > limits.octets:
        raise ArchiveError("too_large", name)
    if not data.strip():
        raise ArchiveError("empty", name)
    if data[:4] not in (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08"):
        return [(name, data)]
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return _unpacked(name, archive, limits)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, ValueError) as error:
        raise ArchiveError("broken", name) from error


def _unpacked(name, archive, limits):
    entries = archive.infolist()
    if len(entries) > limits.entries:
        raise ArchiveError("too_many", name)
    if sum(entry.file_size for entry in entries) > limits.octets:
        raise ArchiveError("too_large", name)
    found, left = [], limits.octets
    for entry in entries:
        if not _is_calendar(entry):
            continue
        with archive.open(entry) as stream:
            # What the archive says of its sizes may be wrong.
            content = stream.read(left + 1)
        left -= len(content)
        if left < 0:
            raise ArchiveError("too_large", entry.filename)
        found.append((entry.filename.rsplit("/", 1)[-1], content))
    if not found:
        raise ArchiveError("empty", name)
    return found


def _is_calendar(entry):
    """Whether an entry of an archive is to be read.

    :raises ArchiveError: when it is one that cannot be, or means harm
    """
    name = entry.filename
    if entry.is_dir() or _is_noise(name):
        return False
    if name.lower().endswith(".zip"):
        raise ArchiveError("nested", name)
    if not name.lower().endswith(ENDINGS):
        return False
    if entry.flag_bits & 1:
        raise ArchiveError("locked", name)
    if entry.file_size > RATIO_FROM and entry.file_size > MAX_RATIO * entry.compress_size:
        raise ArchiveError("bomb", name)
    return True


def _is_noise(name):
    """What macOS and others put into archives beside the files."""
    parts = name.split("/")
    return "__MACOSX" in parts or parts[-1].startswith(".")
