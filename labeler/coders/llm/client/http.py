"""The way to a model server: the SDK's address, key and trust, over the transport under it.

`AsyncOpenAI` says where a request goes and who asks; the body, which is encoded already, goes over
an aiohttp session, the transport that the SDK itself uses. The layers between (options copied,
URL and headers parsed again, response built twice) cost more than twice what the request does.
"""

from __future__ import annotations

import asyncio
import json
import re
import ssl
import time
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from typing import NamedTuple
from urllib.parse import quote, unquote, urlsplit
from urllib.request import getproxies, proxy_bypass

import aiohttp
import httpx2

from labeler.coders.llm.client import failures
from labeler.coders.llm.client.failures import Failure
from labeler.errors import ServiceRejected, ServiceUnavailable
from labeler.log import service_call

SERVICE = "model server"
PUBLIC = {"api-version"}
SHORTEST, SHORTEST_IN_ANSWER = 4, 16
HIDDEN = b"[key]"
_AZURE = re.compile(r"(?:^|\.)(?:azure\.com|azure\.us|azure\.cn|azure-api\.net)$")
KEEP = 4.0  # seconds that an idle connection is kept: less than the five of common servers


class Reply(NamedTuple):
    """Status, headers and body of a reply, and the seconds that it took."""

    status: int
    headers: Mapping[str, str]
    raw: bytes
    seconds: float


class ModelConnection(NamedTuple):
    """An open session and the addresses behind it; what a server repeats of `secrets` is hidden."""

    session: aiohttp.ClientSession
    completions: str
    models: str
    secrets: tuple[bytes, ...] = ()

    async def post(self, body: bytes, *, deadline: float, attempt: int = 1) -> Reply | Failure:
        """One request for a completion, within `deadline` seconds to the last byte."""
        began, connected = time.monotonic(), False
        try:
            with service_call("POST", self.completions, attempt=attempt) as call:
                async with (
                    asyncio.timeout(deadline),
                    self.session.post(self.completions, data=body) as response,
                ):
                    connected = True
                    raw = await response.read()
                    call.status = response.status
        except TimeoutError:
            return failures.of_silence(deadline)
        except aiohttp.ClientConnectorError as error:
            return failures.of_connection(error, connected=False)
        except (aiohttp.ClientError, OSError) as error:
            return failures.of_connection(error, connected=connected)
        return self._reply(response, raw, began)

    async def get_models(self, *, deadline: float) -> Reply | Failure:
        """The list of models."""
        began = time.monotonic()
        try:
            with service_call("GET", self.models) as call:
                async with asyncio.timeout(deadline), self.session.get(self.models) as response:
                    raw = await response.read()
                    call.status = response.status
        except TimeoutError:
            return failures.of_silence(deadline)
        except (aiohttp.ClientError, OSError) as error:
            return failures.of_connection(error, connected=False)
        return self._reply(response, raw, began)

    def _reply(self, response: aiohttp.ClientResponse, raw: bytes, began: float) -> Reply:
        """The reply without secrets: in an answer without long ones, a short one may be a word."""
        shortest = SHORTEST_IN_ANSWER if response.status == 200 else SHORTEST
        for secret in self.secrets:
            if len(secret) >= shortest:
                raw = raw.replace(secret, HIDDEN)
        return Reply(response.status, response.headers, raw, time.monotonic() - began)


@asynccontextmanager
async def opened(base_url: str, api_key: str) -> AsyncIterator[ModelConnection]:
    """An open connection to the server.

    A query of the address (`?api-version=…`) goes with each request. Azure takes the key of a
    deployment's address in a header of its own.
    """
    import openai  # noqa: PLC0415  (half a second, which only those who ask shall wait)

    checked(base_url)
    path, _, query = base_url.partition("?")
    secure = path.startswith("https:")
    trust = httpx2.create_ssl_context() if secure else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    async with openai.AsyncOpenAI(
        base_url=path,
        api_key=api_key.strip() or "none",
        http_client=httpx2.AsyncClient(verify=trust),
    ) as sdk:
        given = {**sdk.default_headers, **sdk.auth_headers}
        root, end = str(sdk.base_url).rstrip("/"), f"?{query}" if query else ""
    headers = {
        name: value
        for name, value in given.items()
        if isinstance(value, str) and not name.startswith("X-Stainless")
    }
    if _AZURE.search(urlsplit(base_url).hostname or ""):
        headers["api-key"] = api_key.strip()
    session = aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=KEEP, ssl=trust),
        headers=headers,
        timeout=aiohttp.ClientTimeout(),
        proxy=_proxy(base_url),
        cookie_jar=aiohttp.DummyCookieJar(),
    )
    async with session:
        secrets = _secrets(api_key.strip(), query)
        yield ModelConnection(
            session, f"{root}/chat/completions{end}", f"{root}/models{end}", secrets
        )


def checked(base_url: str) -> None:
    """ServiceRejected where an address cannot be used, or holds what may be secret."""
    parts = urlsplit(base_url)
    if parts.scheme not in ("http", "https") or not parts.hostname or "@" in parts.netloc:
        raise ServiceRejected(
            f"{SERVICE}: the address must read http(s)://HOST/v1, without user or password; the "
            "key belongs in OPENAI_API_KEY",
            service=SERVICE,
        )


def _secrets(api_key: str, query: str) -> tuple[bytes, ...]:
    """The key and the values of the address's query, in each form that a server may repeat.

    Not the version of an API, which is no secret; longest first.
    """
    pairs = [pair.partition("=") for pair in query.split("&")]
    values = [value for name, _, value in pairs if name.lower() not in PUBLIC]
    found = {form for each in (api_key, *values) for form in _forms(each)}
    return tuple(sorted((form.encode() for form in found if form), key=len, reverse=True))


def _forms(secret: str) -> Iterable[str]:
    """As it is, percent-encoded or not, and as JSON writes it."""
    for form in (secret, unquote(secret), quote(secret, safe="")):
        written = json.dumps(form)[1:-1]
        yield from (form, written, written.replace("/", "\\/"))


def _proxy(base_url: str) -> str | None:
    """The proxy that HTTP_PROXY, HTTPS_PROXY and NO_PROXY name for this address.

    Looked up once: the session would do it for every request, in a thread, and read .netrc as well.
    """
    parts = urlsplit(base_url)
    return None if proxy_bypass(parts.netloc) else getproxies().get(parts.scheme)


def where(base_url: str) -> str:
    """The server, named for a message."""
    return f"{SERVICE} {base_url.partition('?')[0]}"


def refused(base_url: str, failure: Failure) -> ServiceRejected:
    """No request can succeed: why, and what to do."""
    return ServiceRejected(
        f"{where(base_url)} answered {failure.status}: {failure.detail}; what was answered is kept",
        service=SERVICE,
        status=failure.status,
    )


def unavailable(base_url: str, why: str, *, status: int | None = None) -> ServiceUnavailable:
    """Requests stayed unanswered: why, and that the same command goes on."""
    return ServiceUnavailable(
        f"{where(base_url)}: {why}; what was answered is kept; run the same command again to ask "
        "the rest",
        service=SERVICE,
        status=status,
    )
