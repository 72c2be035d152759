"""A made-up embedding model: two layers, eight numbers wide, weights by chance, twenty words."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import save_file
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

WORDS = [
    "the",
    "bot",
    "calms",
    "scares",
    "me",
    "my",
    "friend",
    "sleeps",
    "badly",
    "today",
    "again",
    "never",
    "once",
    "talk",
    "help",
]
SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]
WIDTH, WIDE, HEADS, LAYERS, PLACES = 8, 16, 2, 2, 12
CONFIG = {
    "model_type": "bert",
    "hidden_act": "gelu",
    "num_attention_heads": HEADS,
    "num_hidden_layers": LAYERS,
    "max_position_embeddings": PLACES,
    "layer_norm_eps": 1e-12,
}


def weights(seed: int = 3) -> dict[str, Any]:
    """The tensors of the model, named as BERT's are."""
    chance = np.random.default_rng(seed)

    def made(*shape: int) -> Any:
        return chance.normal(0, 0.5, shape).astype(np.float32)

    found = {
        "embeddings.word_embeddings.weight": made(len(SPECIAL) + len(WORDS), WIDTH),
        "embeddings.position_embeddings.weight": made(PLACES, WIDTH),
        "embeddings.token_type_embeddings.weight": made(2, WIDTH),
        "embeddings.LayerNorm.weight": made(WIDTH),
        "embeddings.LayerNorm.bias": made(WIDTH),
    }
    parts = {
        "attention.self.query": (WIDTH, WIDTH),
        "attention.self.key": (WIDTH, WIDTH),
        "attention.self.value": (WIDTH, WIDTH),
        "attention.output.dense": (WIDTH, WIDTH),
        "attention.output.LayerNorm": (WIDTH,),
        "intermediate.dense": (WIDE, WIDTH),
        "output.dense": (WIDTH, WIDE),
        "output.LayerNorm": (WIDTH,),
    }
    for layer in range(LAYERS):
        for name, shape in parts.items():
            found[f"encoder.layer.{layer}.{name}.weight"] = made(*shape)
            found[f"encoder.layer.{layer}.{name}.bias"] = made(shape[0])
    return found


def write(folder: Path, **config: object) -> Path:
    """The model's files in `folder`; `config` replaces entries of config.json."""
    folder.mkdir(parents=True, exist_ok=True)
    save_file(weights(), folder / "model.safetensors")
    (folder / "config.json").write_text(json.dumps(CONFIG | config), "utf-8")
    names = {word: number for number, word in enumerate([*SPECIAL, *WORDS])}
    tokenizer = Tokenizer(models.WordLevel(names, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    ends = [("[CLS]", names["[CLS]"]), ("[SEP]", names["[SEP]"])]
    tokenizer.post_processor = processors.TemplateProcessing("[CLS] $A [SEP]", None, ends)
    tokenizer.save(str(folder / "tokenizer.json"))
    return folder
