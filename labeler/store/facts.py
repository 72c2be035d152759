"""Tables of facts: rows that are added once and never changed."""

from __future__ import annotations

from sqlalchemy import Float, Integer, Text

from labeler.store import columns as shared

TAUGHT = "taught"  # the error of a completion: the coder learned from this unit

CODEBOOKS = shared.fact(
    "codebooks",
    "codebook",
    "A version of a codebook that a command has read.",
    codebook=(Text, "fingerprint of the content: the key"),
    name=(Text, "the codebook's name"),
    version=(Text, "the version that its authors gave it"),
    content=(Text, "the YAML text as it was read"),
    created=shared.CREATED,
)
CODERS = shared.fact(
    "coders",
    "coder",
    "A coder: a person, a model, the cues or an embedded coder.",
    coder=(Text, "the key: `human:NAME`, `model:NAME@HASH`, `cues@HASH` or `embed@HASH`"),
    kind=(Text, "`human`, `model`, `cues` or `embedded`"),
    spec=(Text, "JSON: an account's e-mail, or everything that decides what a program answers"),
    coder_group=(Text, "the group that a person belongs to, such as a profession; '' for none"),
    created=shared.CREATED,
)
POSTS = shared.fact(
    "posts",
    "unit",
    "A post, its text sanitised and its author hidden.",
    unit=(Text, "the key: hash of platform and platform id (without an id: of platform and text)"),
    platform=(Text, "the platform's name"),
    platform_id=(Text, "the platform's own id of the post; '' where unknown"),
    author=(Text, "a keyed hash of the author's name; '' where unknown"),
    created=(Text, "when the post was published (ISO-8601, UTC); '' where unknown"),
    url=(Text, "the post's address; '' where unknown"),
    text=(Text, "the text that is coded: without NUL and lone surrogates, line ends as LF"),
    original=(Text, "a JSON string of the text as it came where that differs from `text`, else ''"),
    source=(Text, "the name of the file that it came from"),
    ingested=(Text, "when it was added (ISO-8601, UTC)"),
    words=(Text, "a key of its words, the same for posts that a reader would take for one text"),
)
COMPLETIONS = shared.fact(
    "completions",
    "completion",
    "One answer of a coder that is no person about one unit, stored before it is parsed.",
    completion=(Text, "the key: hash of coder, codebook, request, replicate and attempt"),
    codebook=shared.CODEBOOK,
    coder=shared.CODER,
    unit=shared.UNIT,
    replicate=shared.REPLICATE,
    request=(Text, "JSON of what was asked, without what `prompts` holds"),
    answer=(Text, "the raw body of the answer; '' where there was none"),
    error=(Text, "'' or why it holds no codes: `off-schema`, `refusal`, `truncated`, `taught` …"),
    detail=(Text, "the error in words; of a canary that was obeyed, the alarm"),
    served=(Text, "the model and fingerprint that the server says it used"),
    prompt_tokens=(Integer, "tokens of the prompt, by the server's count"),
    answer_tokens=(Integer, "tokens of the answer, by the server's count"),
    seconds=(Float, "how long the answer took"),
    created=shared.CREATED,
    cached_tokens=(Integer, "those of `prompt_tokens` that came from the server's cache"),
    cost=(Float, "what it cost, in `currency`; missing where unknown"),
    currency=(Text, "the currency of `cost`"),
    cost_note=(Text, "why the cost is unknown; '' where it is known"),
)
PROMPTS = shared.fact(
    "prompts",
    "prompt",
    "What all requests of a coder share: the instructions with the codebook.",
    prompt=(Text, "the key: hash of the content"),
    content=(Text, "the text that stands still in all requests"),
    created=shared.CREATED,
)
ENDPOINTS = shared.fact(
    "endpoints",
    "address model",
    "What a model server was found to do, asked once.",
    address=(Text, "the server's address, without what may be secret in it"),
    model=(Text, "the model's name at the server"),
    enforces=(Integer, "1: it enforces the answer's JSON schema"),
    logprobs=(Integer, "1: it returns log-probabilities"),
    counts=(Integer, "1: it counts tokens"),
    listed=(Integer, "1: it lists the model; missing where it lists none"),
    detail=(Text, "what was seen, in words"),
    probed=(Text, "when it was asked (ISO-8601, UTC)"),
)
