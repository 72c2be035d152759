"""A small codebook, a post and answers to it, all made up: what tests of prelabelling share."""

from __future__ import annotations

import json
from typing import Any

import yaml
from places import ROOT

from labeler.codebook import codebook as codebooks
from labeler.codebook.codebook import Codebook
from labeler.coders import requests
from labeler.coders.requests import PromptTemplates

PROMPT = ROOT / "templates" / "prompt"
TEMPLATES = PromptTemplates(
    (PROMPT / "system.jinja").read_text(), (PROMPT / "user.jinja").read_text()
)
SPEC = requests.spec(base_url="http://127.0.0.1:1/v1", model="made-up", templates=TEMPLATES)
CODER = requests.coder(SPEC)
TEXT = "I talk to the bot each night. 😀 It calms me down. It calms me down."

CODES = [{"code": code, "label": code.title(), "definition": "Made up."} for code in "abc"]
TALK = {
    "codebook": "talk",
    "version": "1",
    "title": "Talking to bots (made up)",
    "about": "Made-up posts.",
    "segments": {"segment": "use", "label": "Use", "definition": "A use.", "min_words": 2},
    "variables": [
        {"variable": "on_topic", "of": "unit", "level": "nominal", "values": CODES[:2]},
        {
            "variable": "tone",
            "of": "unit",
            "level": "nominal",
            "values": CODES,
            "applies_when": {"on_topic": ["a"]},
        },
        {
            "variable": "effect",
            "of": "segment",
            "level": "nominal",
            "values": CODES,
            "applies_when": {"on_topic": ["a"]},
        },
        {
            "variable": "needs",
            "of": "segment",
            "level": "nominal",
            "multiple": True,
            "none": "c",
            "values": CODES,
            "applies_when": {"effect": ["a", "b"]},
        },
        {
            "variable": "nights",
            "of": "segment",
            "level": "ratio",
            "minimum": 0,
            "maximum": 7,
            "required": False,
        },
    ],
}


def book(content: dict[str, Any]) -> Codebook:
    """A codebook from a mapping; label and question are made where they lack."""
    for variable in content["variables"]:
        variable.setdefault("label", variable["variable"].title())
        variable.setdefault("question", "Which one?")
    return codebooks.read(yaml.safe_dump(content), source="talk.yaml")


TALK_BOOK = book(TALK)


def segment(quote: str, **codes: Any) -> dict[str, Any]:
    """A segment of an answer; codes that are not named are a plain answer."""
    return {"quote": quote, "codes": {"effect": "a", "needs": ["a"], "nights": None} | codes}


def talk(*segments: dict[str, Any], on_topic: str = "a", tone: str | None = "b") -> dict[str, Any]:
    """An answer to the codebook TALK."""
    return {
        "rationale": "Made up.",
        "variables": {"on_topic": on_topic, "tone": tone},
        "segments": list(segments),
    }


def body(content: str | None, finish: str = "stop", **message: Any) -> str:
    """The body of a response whose message is `content`."""
    choice = {"message": {"content": content, **message}, "finish_reason": finish}
    return json.dumps({"choices": [choice]})
