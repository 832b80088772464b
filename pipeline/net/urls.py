"""URL helpers: removing credentials, filling in secrets, and keys that identify a feed's audio offer."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from html.entities import html5
from urllib.parse import parse_qsl, quote, unquote, unquote_to_bytes, urlencode, urljoin, urlsplit

# `user:password@`, up to the last @ before the path (RFC 3986, section 3.2.1), in an address or in a text that contains
# one.
_USERINFO = re.compile(r"(?<=://)[^/?#\s]*@")
# As written in feeds.yaml, and as httpx percent-encodes it.
_VARIABLE = re.compile(r"\$(?:\{|%7B)([A-Za-z_][A-Za-z0-9_]*)(?:\}|%7D)", re.IGNORECASE)
_ENCODED = re.compile(r"(?:[\w\-.~!$&'()*+,;=:@/?]|%[0-9A-F]{2})+", re.ASCII | re.IGNORECASE)  # RFC 3986, 3.3
# Query parameters that hosts change when the audio at an address changes (Megaphone, Audioboom, and others).
_VERSIONS = frozenset({"updated", "modified", "version", "v", "revision", "rev"})
# A step of a path that signs the address for a while, such as Akamai's `exp=1767225600~acl=/*~hmac=0a1b`.
_SIGNED = re.compile(r"(?:^|~)(?:exp|expires|hmac|acl|token|sig|signature|hdn[a-z]+)=", re.IGNORECASE)
SHORTEST = 8  # characters; shorter secrets are not searched for in responses, since they may be ordinary words


class MissingVariableError(LookupError):
    """An address needs an environment variable that is not set."""


def shown(text: str) -> str:
    """Replace ``user:password@`` in an address, or a text with addresses, so that it can be shown or stored.

    ``${NAME}`` is kept: it is only filled in while an address is being requested.
    """
    return _USERINFO.sub("***@", _VARIABLE.sub(r"${\1}", text))


def has_login(url: str) -> bool:
    """Tell whether an address contains ``user:password@``."""
    return _USERINFO.search(url) is not None


def variables(url: str) -> frozenset[str]:
    """Return the names of the environment variables, ``${NAME}``, in an address."""
    return frozenset(_VARIABLE.findall(url))


def filled_in(text: str, allowed: Iterable[str], environment: Mapping[str, str], *, quoted: bool = True) -> str:
    """Replace the variables in an address by their values; variables that are not ``allowed`` are kept.

    Args:
        text: the address, or a part of it.
        allowed: names of variables.
        environment: their values.
        quoted: whether to percent-encode the values; a value that is already encoded is kept.

    Raises:
        MissingVariableError: an allowed variable is not set, or empty.
    """
    names = frozenset(allowed)

    def value(found: re.Match[str]) -> str:
        name = found[1]
        if name not in names:
            return found[0]
        if not environment.get(name):
            raise MissingVariableError(f"feeds.yaml uses the environment variable {name}, which is not set: set it")
        return _encoded(environment[name]) if quoted else environment[name]

    return _VARIABLE.sub(value, text)


def tokens(secrets: Mapping[str, str]) -> dict[str, str]:
    """Return the secrets that are long enough to be told from ordinary text, by name."""
    return {name: value for name, value in secrets.items() if len(value) >= SHORTEST}


def concealed(text: str, secrets: Mapping[str, str]) -> str:
    """Replace each secret, in any URL or XML encoding, by ``${NAME}``: servers echo what they were sent."""
    for name, value in sorted(secrets.items(), key=lambda pair: len(pair[1]), reverse=True):
        if value:
            text = _repeated(value).sub(f"${{{name}}}", text)
    return text


@lru_cache
def _repeated(value: str) -> re.Pattern[str]:
    """Match a secret, with each character in any encoding; the given value may itself be encoded."""
    return re.compile("|".join(dict.fromkeys("".join(map(_written, one)) for one in (value, unquote(value)))))


def _written(character: str) -> str:
    """Match a character that is percent-encoded, an entity, also one within escaped markup, or as it is."""
    number = ord(character)
    percent = "".join(f"%{byte:02x}" for byte in character.encode(errors="surrogateescape"))
    names = [name for name, meant in html5.items() if meant == character and name.endswith(";")]
    entity = f"&(?:amp;)*(?:{'|'.join([f'#0*{number};', f'#x0*{number:x};', *names])})"
    plus = r"|\+" if character == " " else ""
    return f"(?:(?i:{percent}|{entity})|{re.escape(character)}{plus})"


def _encoded(value: str) -> str:
    """A value percent-encoded for a URL; a value copied from a URL may be encoded already.

    It is taken for encoded if it has a percent sign, only characters allowed in URLs, and decodes to UTF-8.
    """
    is_encoded = "%" in value and _ENCODED.fullmatch(value) and _is_utf8(unquote_to_bytes(value))
    return quote(value, safe="%" if is_encoded else "")


def _is_utf8(content: bytes) -> bool:
    try:
        content.decode()
    except UnicodeDecodeError:
        return False
    return True


def without_trackers(url: str) -> str:
    """Return the address without the prefixes of services that count downloads."""
    from yt_dlp.utils import clean_podcast_url  # noqa: PLC0415 - it takes half a second to import

    return str(clean_podcast_url(url))


def without_signature(path: str) -> str:
    """Return the path of an address without steps that sign it for a while; its last step is kept."""
    *steps, last = path.split("/")
    return "/".join([*(step for step in steps if not _SIGNED.search(step)), last])


def offer(url: str, length: int | None) -> str:
    """Return a key for an audio offer that changes when the audio may have changed, but not with every poll.

    It consists of the address without scheme, query and signature (hosts vary these), any version parameters of the
    query, and the declared length in bytes, or ``-`` if the feed gives none.
    """
    try:
        parts = urlsplit(url)
        said = [(name, value) for name, value in parse_qsl(parts.query) if name.lower() in _VERSIONS]
        host = parts.netloc.rpartition("@")[2].lower()
    except ValueError:  # not an address, such as `http://[`
        return f"{shown(url)} -"
    version = f"?{urlencode(sorted(said))}" if said else ""
    return f"{host}{without_signature(parts.path)}{version} {length or '-'}"


def same_offer(one: str, other: str) -> bool:
    """Tell whether two keys are the same offer; a length that is missing in one of them does not matter."""
    (address, _, length), (address_too, _, length_too) = one.rpartition(" "), other.rpartition(" ")
    return address == address_too and (length == length_too or "-" in {length, length_too})


def absolute(base: str, address: str) -> str | None:
    """Return an address, resolved against ``base`` if relative; None if it is empty or invalid."""
    try:
        return urljoin(base, address.strip()) if address.strip() else None
    except ValueError:  # such as `http://[`
        return None


def scheme(url: str) -> str:
    """Return the scheme of an address in lower case; empty if it has none or is invalid."""
    try:
        return urlsplit(url).scheme
    except ValueError:  # such as `http://[`
        return ""


def host(url: str) -> str:
    """Return the host of an address in lower case; empty if it has none or is invalid."""
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""
