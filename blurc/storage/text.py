"""The bytes of a file as text."""

from __future__ import annotations

import errno
import json
import re

# What XML may declare. Python knows more codecs, some of them slow on purpose-made bytes.
DECLARED = re.compile(rb"<\?xml[^>]*?\bencoding\s*=\s*[\"'](iso-8859-\d+|windows-125\d|us-ascii)[\"']", re.IGNORECASE)


def text_of(data: bytes) -> str:
    """The text that an editor would show, with `\\n` at the end of each line: UTF-8, UTF-16 and UTF-32, with or without
    a byte order mark, and what XML declares. Raises `OSError`."""
    declared = DECLARED.match(data)
    encoding = declared[1].decode() if declared else json.detect_encoding(data)
    try:
        return re.sub(r"\r\n?", "\n", data.decode(encoding))
    except LookupError:
        raise OSError(errno.EILSEQ, f"it declares an encoding that is not known, {encoding}") from None
    except UnicodeDecodeError as error:
        found, name = data[error.start], encoding.removesuffix("-sig").upper()
        raise OSError(errno.EILSEQ, f"byte {error.start} is 0x{found:02x}, which is not {name} text") from None
