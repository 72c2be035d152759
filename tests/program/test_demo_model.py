"""The made-up model behind its server: real requests through the client that studies use."""

from __future__ import annotations

import json
import os
import socket
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest
from places import ROOT

from labeler.codebook.codebook import Codebook, read
from labeler.coders import requests
from labeler.coders.answers import content
from labeler.coders.llm.client.complete import Completion, complete, probe
from labeler.coders.requests import PromptTemplates
from labeler.errors import AnswerError, ProjectError, ServiceRejected
from labeler.workflow.demo.demo import model
from labeler.workflow.demo.model_server import FIRST_PORT, MODEL, serving, without_proxy
from labeler.workflow.demo.sample import sample_posts

SECRET = b"of some project"
TEMPLATES = PromptTemplates(
    *(
        (ROOT / "templates" / "prompt" / name).read_text("utf-8")
        for name in ("system.jinja", "user.jinja")
    )
)


@pytest.fixture(scope="module")
def codebook() -> Codebook:
    path = ROOT / "codebook" / "llm-mental-health.yaml"
    return read(path.read_text(encoding="utf-8"), source=path.name)


@pytest.fixture
def address(tmp_path: Path, codebook: Codebook) -> Iterator[str]:
    """The made-up model, answering."""
    with serving(tmp_path, lambda: model(codebook)) as url:
        yield url


def asked(url: str, texts: dict[str, str], codebook: Codebook) -> dict[str, Completion]:
    """Unit → what the server answers about its text."""
    spec = requests.spec(base_url=url, model=MODEL, templates=TEMPLATES)
    prompt = requests.prompt(codebook, spec, TEMPLATES)
    posts = pd.DataFrame(list(texts.items()), columns=["unit", "text"], dtype="str")
    made = requests.requests(
        posts, codebook, spec=spec, prompt=prompt, templates=TEMPLATES, secret=SECRET, limit=2000
    )
    found: dict[str, Completion] = {}
    whose = dict(zip(made["completion"], made["unit"], strict=True))
    complete(
        list(zip(made["completion"], made["body"], strict=True)),
        base_url=url,
        api_key="",
        on_answer=lambda one: found.update({whose[one.completion]: one}),
    )
    return found


def test_answers_as_the_model_does(address: str, codebook: Codebook) -> None:
    """What comes over the network is the model's own answer, or its refusal, with its tokens."""
    texts = {name: post.text for name, post in list(sample_posts().items())[:120]}
    found, knows = asked(address, texts, codebook), model(codebook)
    assert found.keys() == texts.keys()
    for name, one in found.items():
        expected = knows.answer(texts[name], limit=2000)
        assert one.served == MODEL
        assert one.prompt_tokens and one.prompt_tokens > (one.cached_tokens or 0) > 1024
        if expected.refusal or expected.cut:
            with pytest.raises(AnswerError):
                content(one.body)
        else:
            assert content(one.body) == expected.content


def test_refuses_posts_that_it_does_not_know(address: str, codebook: Codebook) -> None:
    """A study's own posts get no made-up codes."""
    [one] = asked(address, {"u": "My bot told me a joke tonight."}, codebook).values()
    with pytest.raises(AnswerError, match="knows the posts of the bundled sample"):
        content(one.body)


def test_probe_sees_what_it_is(address: str) -> None:
    """It counts tokens, lists itself alone, and takes a schema without keeping to it."""
    found = probe(address, "", MODEL)
    assert (found.enforces_schema, found.usage, found.models) == (False, True, (MODEL,))


def test_another_model_is_not_there(address: str) -> None:
    """Who names another model hears so."""
    with pytest.raises(ServiceRejected, match="answered 404"):
        probe(address, "", "gpt-5-mini")


def test_no_proxy_stands_between(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The demo asks this machine alone, also where the environment names a proxy."""
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv("no_proxy", "one.example")
    monkeypatch.delenv("NO_PROXY", raising=False)
    with without_proxy():
        assert probe(address, "", MODEL).models == (MODEL,)
        assert os.environ["no_proxy"] == "one.example,127.0.0.1"
    assert (os.environ["no_proxy"], os.environ.get("NO_PROXY")) == ("one.example", None)


def test_address_stays_the_same(tmp_path: Path, codebook: Codebook) -> None:
    """A model at another address would be another coder, and would be asked everything again."""
    with serving(tmp_path, lambda: model(codebook)) as first:
        with serving(tmp_path, lambda: model(codebook)) as second:
            assert second == first  # the same one serves two demos of a folder
        with serving(tmp_path / "other", lambda: model(codebook)) as third:
            assert third != first
    with serving(tmp_path, lambda: model(codebook)) as again:
        assert again == first
    assert int(first.rpartition(":")[2].removesuffix("/v1")) >= FIRST_PORT


def test_port_taken_by_another_program_is_told(tmp_path: Path, codebook: Codebook) -> None:
    """Where something else answers at the port of last time, nothing is asked of it."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        (tmp_path / "made-up-model.port").write_text(str(port))
        other.close()
    with socket.create_server(("127.0.0.1", port)) as stranger:
        stranger.settimeout(0.1)
        with (
            pytest.raises(ProjectError, match=f"port {port} is taken by another program"),
            serving(tmp_path, lambda: model(codebook), patience=0.5),
        ):
            pass


def test_torn_request_gets_an_error_of_the_protocol(address: str) -> None:
    """What is no chat completion is answered with a status and words, as servers do."""
    request = urllib.request.Request(f"{address}/chat/completions", data=b"{", method="POST")
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(request, timeout=60)
    with refused.value as answer:
        assert answer.status == 400
        assert "no chat completion" in json.load(answer)["error"]["message"]
