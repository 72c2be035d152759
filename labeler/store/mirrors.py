"""Tables of mirrors: rows that are updated to what a server or a person says."""

from __future__ import annotations

from sqlalchemy import Float, Integer, Text

from labeler.store import columns as shared

BATCHES = shared.mirrored(
    "batches",
    "batch",
    "Units drawn together for people to code.",
    batch=(Text, "the key: the name that was given"),
    codebook=shared.CODEBOOK,
    suggester=(Text, "the coder whose codes the assisted arm shows; '' for none"),
    design=(Text, "JSON: how the units were drawn, or which file they were imported from"),
    created=shared.CREATED,
)
SEATS = shared.mirrored(
    "seats",
    "batch arm coder",
    "One coder in one arm of one batch: one Label Studio project.",
    batch=shared.BATCH,
    arm=shared.ARM,
    coder=shared.CODER,
    server=(Text, "the Label Studio server's id, or `import:HASH` of a file; '' before a push"),
    project=(Integer, "the Label Studio project; missing before a push"),
    pulled=(Text, "the newest change that a pull has seen (ISO-8601, UTC)"),
)
TASKS = shared.mirrored(
    "tasks",
    "batch arm coder unit",
    "One unit at one seat, with the probabilities of its draw.",
    batch=shared.BATCH,
    arm=shared.ARM,
    coder=shared.CODER,
    unit=shared.UNIT,
    position=(Integer, "place in the seat's order, from 1"),
    unit_probability=(Float, "probability that the unit was drawn into this arm"),
    task_probability=(Float, "probability that the unit was drawn into this arm for this coder"),
    studio_task=(Integer, "the Label Studio task; missing before a push"),
    stratum=(Text, "the stratum that the unit was drawn from; '' in a simple draw"),
    suggested=(
        Integer,
        "of assisted tasks: 1 where a suggestion is in view, 0 where there was none; else missing",
    ),
)
FRAMES = shared.mirrored(
    "frames",
    "batch unit",
    "With which probability a draw by strata takes a unit: of its frame, or of earlier batches.",
    batch=shared.BATCH,
    unit=shared.UNIT,
    stratum=(Text, "the stratum that the unit lies in, or would, had no earlier batch held it"),
    probability=(Float, "probability of being among the units of the batch, in whatever arm"),
)
EXPOSURES = shared.mirrored(
    "exposures",
    "batch arm coder unit words",
    "That a coder had a text with codes in view; it outlives the task that showed it.",
    batch=shared.BATCH,
    arm=(Text, "`assisted` or `adjudication`"),
    coder=shared.CODER,
    unit=shared.UNIT,
    words=(
        Text,
        "the key of the text (`posts.words`), or of a near-equal one that the coder codes blind",
    ),
    since=(Text, "from when on it was, or could be, seen (ISO-8601, UTC)"),
)
SHOWN_CODES = shared.mirrored(
    "shown_codes",
    "batch arm coder unit",
    "What an adjudicator was shown of the codes of others, as it was last sent to Label Studio.",
    batch=shared.BATCH,
    arm=shared.ARM,
    coder=(Text, "the adjudicator; key of `coders`"),
    unit=shared.UNIT,
    text=(Text, "what the page showed, word for word"),
    coders=(Text, "whose codes these were, in the order of their letters, joined by commas"),
    created=(Text, "when it was sent (ISO-8601, UTC)"),
)
ANNOTATIONS = shared.mirrored(
    "annotations",
    "annotation",
    "What Label Studio returned for a task, stored before it is parsed.",
    annotation=(
        Text,
        "the key: the server's id and its number; of a file `import:HASH` and the line",
    ),
    batch=shared.BATCH,
    arm=shared.ARM,
    coder=shared.CODER,
    unit=shared.UNIT,
    studio_task=(Integer, "the Label Studio task"),
    completed_by=(Text, "the e-mail of the account that returned it"),
    result=(Text, "the raw JSON list that Label Studio returned, or the row of an imported file"),
    cancelled=(Integer, "1: the coder passed over the task"),
    withdrawn=(Integer, "1: gone from the server, or a copy"),
    lead_time=(Float, "seconds that the page was open, by Label Studio's count"),
    created=(Text, "when it was submitted, by the server's clock"),
    updated=(Text, "when it was last changed, by the server's clock"),
    draft=(Text, "when the draft that it was made of was first kept; '' where there was none"),
    copy_of=(
        Text,
        "the first annotation of the submission that the server stored once more as this; else ''",
    ),
)
