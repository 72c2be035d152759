"""Texts to vectors, by a made-up model of two layers and a slow forward pass in plain loops.

That the page of numpy is BERT was shown once with the real weights of all-MiniLM-L6-v2: 200
made-up texts of 1 to 400 words through PyTorch 1.13's own `nn.TransformerEncoder`, filled with the
same weights, gave the same vectors (largest difference 4.4e-7).
"""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import made_up_model
import numpy as np
import pytest

from labeler import hints
from labeler.coders.embedding import model as embedding
from labeler.errors import ProjectError

TEXTS = ["the bot calms me", "badly", "my friend sleeps badly again and again, never once talk", ""]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder that holds the made-up model."""
    return made_up_model.write(tmp_path / "model")


def linear(parts: dict[str, Any], name: str, given: list[float]) -> list[float]:
    """A dense layer on one token."""
    rows, bias = parts[name + ".weight"].tolist(), parts[name + ".bias"].tolist()
    return [
        sum(weight * number for weight, number in zip(row, given, strict=True)) + add
        for row, add in zip(rows, bias, strict=True)
    ]


def normed(parts: dict[str, Any], name: str, given: list[float]) -> list[float]:
    """Layer normalisation of one token."""
    mean = sum(given) / len(given)
    spread = math.sqrt(sum((number - mean) ** 2 for number in given) / len(given) + 1e-12)
    scale, shift = parts[name + ".weight"].tolist(), parts[name + ".bias"].tolist()
    return [
        (number - mean) / spread * by + add
        for number, by, add in zip(given, scale, shift, strict=True)
    ]


def attended(parts: dict[str, Any], layer: str, state: list[list[float]]) -> list[list[float]]:
    """Self-attention, a head and a token at a time."""
    query, keys, values = (
        [linear(parts, f"{layer}attention.self.{name}", token) for token in state]
        for name in ("query", "key", "value")
    )
    size = made_up_model.WIDTH // made_up_model.HEADS
    mixed: list[list[float]] = [[] for _ in state]
    for head in range(made_up_model.HEADS):
        own = slice(head * size, (head + 1) * size)
        for place, asked in enumerate(query):
            scores = [
                sum(a * b for a, b in zip(asked[own], key[own], strict=True)) / math.sqrt(size)
                for key in keys
            ]
            shares = [math.exp(score) for score in scores]
            for column in range(*own.indices(made_up_model.WIDTH)):
                mixed[place].append(
                    sum(s * value[column] for s, value in zip(shares, values, strict=True))
                    / sum(shares)
                )
    return [linear(parts, layer + "attention.output.dense", token) for token in mixed]


def added(one: list[float], other: list[float]) -> list[float]:
    """The sum of two tokens."""
    return [a + b for a, b in zip(one, other, strict=True)]


def slow(ids: list[int]) -> list[float]:
    """The vector of one text, in plain Python."""
    parts = made_up_model.weights()
    state = [
        normed(
            parts,
            "embeddings.LayerNorm",
            added(
                added(
                    parts["embeddings.word_embeddings.weight"][number].tolist(),
                    parts["embeddings.position_embeddings.weight"][place].tolist(),
                ),
                parts["embeddings.token_type_embeddings.weight"][0].tolist(),
            ),
        )
        for place, number in enumerate(ids)
    ]
    for number in range(made_up_model.LAYERS):
        layer = f"encoder.layer.{number}."
        looked = attended(parts, layer, state)
        state = [
            normed(parts, layer + "attention.output.LayerNorm", added(token, more))
            for token, more in zip(state, looked, strict=True)
        ]
        wide = [linear(parts, layer + "intermediate.dense", token) for token in state]
        wide = [[x * (1 + math.erf(x / math.sqrt(2))) / 2 for x in token] for token in wide]
        state = [
            normed(
                parts,
                layer + "output.LayerNorm",
                added(token, linear(parts, layer + "output.dense", more)),
            )
            for token, more in zip(state, wide, strict=True)
        ]
    mean = [sum(column) / len(state) for column in zip(*state, strict=True)]
    length = math.sqrt(sum(number**2 for number in mean))
    return [number / length for number in mean]


def test_vectors_are_those_of_plain_loops(folder: Path) -> None:
    """Texts of different lengths, together in a batch, get the vector each has alone."""
    model = embedding.load(str(folder))
    vectors = embedding.embed(model, TEXTS)
    ids = [encoding.ids for encoding in model.tokenizer.encode_batch(TEXTS)]
    assert [len(one) for one in ids] == [6, 3, 12, 2]
    np.testing.assert_allclose(vectors, [slow(one) for one in ids], atol=2e-6)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-6)


def test_no_texts_have_no_vectors(folder: Path) -> None:
    """Nothing to read is no error."""
    assert embedding.embed(embedding.load(str(folder)), []).shape == (0, made_up_model.WIDTH)


def test_what_is_past_the_last_token_is_not_read(folder: Path) -> None:
    """The model reads as many tokens as its files say; what follows changes nothing."""
    (folder / "sentence_bert_config.json").write_text('{"max_seq_length": 5}', "utf-8")
    model = embedding.load(str(folder))
    assert model.tokens == 5
    one, other = embedding.embed(model, ["the bot calms me", "the bot calms me never again"])
    assert (one == embedding.embed(model, ["the bot calms"])[0]).all() and (one == other).all()


def test_which_model_it_is_stands_in_the_digest(folder: Path) -> None:
    """The digest is the SHA-256 of the weights' file."""
    model = embedding.load(str(folder))
    assert len(model.digest) == len(model.words) == 64
    assert model.digest != embedding.KNOWN


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("model.safetensors", None, r"model\.safetensors cannot be read \(No such file"),
        ("model.safetensors", "broken", r"model\.safetensors cannot be read: "),
        ("tokenizer.json", "{}", r"tokenizer\.json cannot be read: "),
        ("config.json", "[1", r"config\.json is no JSON"),
        ("config.json", "[1]", r"config\.json holds no JSON object"),
        ("config.json", '{"model_type": "mpnet"}', "model_type is 'mpnet'; only 'bert'"),
        (
            "config.json",
            json.dumps(made_up_model.CONFIG | {"num_hidden_layers": 3}),
            "be run: 'enc",
        ),
        ("config.json", json.dumps(made_up_model.CONFIG | {"num_hidden_layers": 0}), "is 0, not a"),
        ("config.json", json.dumps(made_up_model.CONFIG | {"num_attention_heads": 3}), "be run: "),
        ("1_Pooling/config.json", '{"pooling_mode_cls_token": true}', "take the mean"),
    ],
)
def test_wrong_files_are_named(folder: Path, name: str, content: str | None, words: str) -> None:
    """A folder that holds no such model is refused, with the file and the option."""
    path = folder / name
    path.parent.mkdir(exist_ok=True)
    if content is None:
        path.unlink()
    else:
        path.write_text(content, "utf-8")
    with pytest.raises(ProjectError, match=words) as caught:
        embedding.load(str(folder))
    assert caught.value.hint == hints.NAME_EMBEDDING_MODEL
