"""The tables: what each holds, its key, its columns and what they mean.

Times are ISO-8601 UTC text. A coded value is text: the code, a number in decimal, or several
codes in codebook order joined by `+`; so equality of text is equality of values in SQL, pandas
and CSV. Columns that are compared or grouped are never JSON. `docs/tables.md` is made from the
comments by `python -m labeler.store.reference`.
"""

from __future__ import annotations

from sqlalchemy import Float, Index, Integer, Text

from labeler.store import columns as shared
from labeler.store.columns import METADATA as METADATA
from labeler.store.frames import check as check
from labeler.store.frames import columns as columns
from labeler.store.frames import frame as frame
from labeler.store.frames import keys as keys
from labeler.store.frames import records as records
from labeler.store.frames import rows as rows
from labeler.store.frames import typed as typed

TAUGHT = "taught"  # the error of a completion: the coder learned from this unit

# facts: added once, never changed
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

# mirrors: updated to what a server says
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

# derived: replaced slice by slice
SEGMENTS = shared.derived(
    "segments",
    "codebook unit coder arm replicate segment",
    "A stretch of a unit that a coder marked.",
    codebook=shared.CODEBOOK,
    unit=shared.UNIT,
    coder=shared.CODER,
    arm=shared.ARM,
    replicate=shared.REPLICATE,
    segment=(Text, "the number of the segment within the unit, in order of place"),
    start=(Integer, "offset of its first character (code points of the post's text)"),
    end=(Integer, "offset behind its last character"),
    quote=(Text, "its words"),
    found=(
        Text,
        "`selected` by a person, or how it was found: `exact`, `normalised`, `fuzzy`, `missing`",
    ),
)
CODINGS = shared.derived(
    "codings",
    "codebook unit segment coder arm replicate variable",
    "One coder, one unit or segment, one variable, one value.",
    codebook=shared.CODEBOOK,
    unit=shared.UNIT,
    segment=shared.SEGMENT,
    coder=shared.CODER,
    arm=shared.ARM,
    replicate=shared.REPLICATE,
    variable=shared.VARIABLE,
    value=(Text, "the code, a decimal number, or codes in codebook order joined by `+`"),
    source=(Text, "the completion or the annotation that it was read from"),
)
CHANGES = shared.derived(
    "changes",
    "codebook unit coder arm replicate segment suggested_segment variable",
    "What a person did with one suggested value that was in view.",
    codebook=shared.CODEBOOK,
    unit=shared.UNIT,
    coder=shared.CODER,
    arm=shared.ARM,
    replicate=shared.REPLICATE,
    segment=shared.SEGMENT,
    suggested_segment=(Text, "the number of the suggested segment; '' for none or the whole unit"),
    variable=(Text, "the variable's name, or `segment` for the segment's own place"),
    suggester=(Text, "the coder whose codes were shown"),
    suggested=(Text, "the suggested value; of a segment `start-end`"),
    value=(Text, "the coder's value; of a segment `start-end`"),
    change=(Text, "`accepted`, `edited`, `added` or `deleted`"),
)
FINDINGS = shared.derived(
    "findings",
    "batch arm coder studio_task number",
    "What a task's annotations hold that does not fit, as they were last read.",
    batch=shared.BATCH,
    arm=shared.ARM,
    coder=shared.CODER,
    unit=shared.UNIT,
    studio_task=(Integer, "the Label Studio task; 0 where none is known"),
    number=(Integer, "which finding of the task, from 1"),
    annotation=(Text, "the annotation it is about; key of `annotations`; '' for the task itself"),
    kind=(Text, "`missing`, `contradiction`, `unchecked` …; `labeler/studio/findings.py` has all"),
    variable=(Text, "the variable that it is about; '' for none"),
    segment=shared.SEGMENT,
    detail=(Text, "what was found, in words"),
)
CONFIDENCE = shared.derived(
    "confidence",
    "codebook unit coder segment variable code kind",
    "How sure a model is of one code.",
    codebook=shared.CODEBOOK,
    unit=shared.UNIT,
    coder=shared.CODER,
    segment=shared.SEGMENT,
    variable=shared.VARIABLE,
    code=(Text, "one code of the value, or `{segment}` for the segment's being there"),
    kind=(Text, "`vote`, `segment` or `logprob`: what the number is a share or probability of"),
    confidence=(Float, "0 to 1; it orders units and is no probability of being right"),
    replicates=(Integer, "how many replicates voted; of `logprob` the number of the replicate"),
)
RELIABILITY = shared.derived(
    "reliability",
    "batch panel variable code coefficient weighting",
    "One coefficient of agreement of one panel, for a variable or one of its codes.",
    batch=shared.SAMPLE,
    codebook=shared.CODEBOOK,
    kind=(Text, "the kind of panel: `human-human`, `model-panel`, `model-human`, `assisted` …"),
    panel=(Text, "the panel's name"),
    variable=shared.VARIABLE,
    code=shared.CODE,
    coefficient=(Text, "the coefficient's name, with its level of measurement where it has one"),
    weighting=(Text, "`design`: weighted by the draw's probabilities; '' unweighted"),
    coders=(Text, "the coders compared, joined by commas"),
    evidence=(Integer, "1: blind and independent; 0: shown beside, never counted"),
    value=(Float, "the coefficient; missing where undefined"),
    low=shared.LOW,
    high=shared.HIGH,
    bound=(Float, "lower one-sided 95% bound; the gate compares that of its look (`verdicts`)"),
    upper=(Float, "upper one-sided 95% bound"),
    se=(Float, "standard error; missing where it is not made"),
    method=(Text, "how the interval was made"),
    percent=(Float, "percent agreement over units, 0 to 1"),
    n_units=(Integer, "units that enter; of quotes those that two coders of the panel coded"),
    n_pairable=(Integer, "codings in units with at least two"),
    n_positive=(Float, "units in which somebody gave the code; of a variable: missing"),
    n_compared=(Integer, "units with codings to compare, which alone enter; of quotes: missing"),
    n_pairs=(Integer, "pairs of codings that are compared; of quotes: missing"),
    n_there=(Integer, "units that the panel was to code; of quotes: missing"),
    n_single=(Integer, "of those that did not enter: coded by one alone (or by one group)"),
    n_pending=(Integer, "of them: not yet coded"),
    n_skipped=(Integer, "of them: skipped by a coder"),
    n_seen=(Integer, "of them: excluded, coded blind after the text was in view with codes"),
    n_unasked=(Integer, "of them: not asked"),
    n_open=(Integer, "of them: without a value (not applicable, left open, no segment)"),
    n_unsuggested=(Integer, "of them: coded by people, but not by the model"),
    left_out=(Text, "why the others of them did not enter, with how many"),
    tentative=(Float, "the codebook's lower threshold, which `bound` must reach"),
    reliable=(Float, "the codebook's upper threshold"),
    verdict=shared.VERDICT,
    note=shared.NOTE,
    computed_from=shared.COMPUTED_FROM,
)
ASSESSMENTS = shared.derived(
    "assessments",
    "batch assessment coder variable code measure",
    "One measure of one assessment of a batch.",
    batch=shared.SAMPLE,
    codebook=shared.CODEBOOK,
    assessment=(Text, "the assessment's name"),
    coder=(Text, "the coder it is about; '' for none"),
    variable=shared.VARIABLE,
    code=shared.CODE,
    measure=(Text, "what the figure is, within the assessment"),
    value=(Float, "the figure; missing where undefined"),
    low=shared.LOW,
    high=shared.HIGH,
    p=(Float, "p value of the test that `method` names; missing where there is none"),
    n=(Integer, "how many units or codings it stands on"),
    method=(Text, "how figure and interval were made"),
    verdict=(Text, "what the assessment says; '' where it says nothing"),
    note=shared.NOTE,
    computed_from=shared.COMPUTED_FROM,
)
VERDICTS = shared.derived(
    "verdicts",
    "batch variable code comparison",
    "What the gate says of a variable or code, and how that was decided.",
    batch=shared.SAMPLE,
    codebook=shared.CODEBOOK,
    variable=shared.VARIABLE,
    code=shared.CODE,
    comparison=(Text, "`human-human` or `human-model`"),
    coefficient=(Text, "the coefficient judged"),
    value=(Float, "its value; missing where undefined"),
    bound=(Float, "its lower one-sided bound at the confidence 1 - `level`"),
    upper=(Float, "its upper one-sided 95% bound"),
    tentative=(Float, "the threshold that the bound must reach"),
    reliable=(Float, "the threshold above which agreement is called reliable"),
    verdict=shared.VERDICT,
    further=(Integer, "units that would decide an inconclusive verdict; else missing"),
    p=(Float, "one-sided p of the hypothesis that the coefficient is at most `tentative`"),
    p_adjusted=(Float, "the same, adjusted for the family (Holm)"),
    family=(Text, "`all`: everything must pass; `holm`: which of them passed"),
    n_units=(Integer, "units that enter the coefficient"),
    computed_from=shared.COMPUTED_FROM,
    run=shared.RUN,
    note=shared.NOTE,
    look=(Integer, "which look at this study sample it is, from 1 (`looks`); undefined: missing"),
    level=(Float, "the one-sided level that this look may spend of 5% over all looks"),
)
CONSENSUS = shared.derived(
    "consensus",
    "batch unit variable",
    "The value kept for a unit, from blind human codings alone.",
    batch=shared.SAMPLE,
    codebook=shared.CODEBOOK,
    unit=shared.UNIT,
    variable=shared.VARIABLE,
    value=(Text, "the value kept; '' where unresolved, or for the empty set"),
    rule=(Text, "`majority` or `unresolved`"),
    agreeing=(Integer, "coders whose whole value is the one kept"),
    coders=(Integer, "coders who coded the unit blind"),
    computed_from=shared.COMPUTED_FROM,
)
DISAGREEMENTS = shared.derived(
    "disagreements",
    "batch variable panel unit coder arm",
    "The value of each coder of a panel on a unit where they differ.",
    batch=shared.SAMPLE,
    codebook=shared.CODEBOOK,
    panel=(Text, "`humans`, or `MODEL vs humans` where it differs from what blind humans kept"),
    unit=shared.UNIT,
    variable=shared.VARIABLE,
    coder=shared.CODER,
    arm=shared.ARM,
    value=(Text, "the value compared; of a segment's variable the set over the unit's segments"),
    why=(Text, "why such a set is empty: `no segment`, `not answered`, `not asked`; else ''"),
    computed_from=shared.COMPUTED_FROM,
)
COMPARISONS = shared.derived(
    "comparisons",
    "batch variable panel",
    "How many units of a batch a panel's coders could differ on, and differ on.",
    batch=shared.SAMPLE,
    codebook=shared.CODEBOOK,
    panel=(Text, "as in `disagreements`"),
    variable=shared.VARIABLE,
    compared=(Integer, "units with a value to compare"),
    differ=(Integer, "units on which they differ; their rows are in `disagreements`"),
    computed_from=shared.COMPUTED_FROM,
)
ESTIMATES = shared.derived(
    "estimates",
    "batch variable code",
    "The share of units that carry a code, small cells hidden.",
    batch=shared.SAMPLE,
    codebook=shared.CODEBOOK,
    variable=shared.VARIABLE,
    code=shared.CODE,
    count=(Integer, "codings with the code; missing where hidden"),
    units=(Integer, "units in all; missing where hidden"),
    share=(Float, "share of units with the code, 0 to 1; missing where hidden"),
    low=shared.LOW,
    high=shared.HIGH,
    method=(Text, "how share and interval were made"),
    verdict=shared.VERDICT,
    override=(Text, "the reason given for setting the gate aside; '' where it was open"),
    note=shared.NOTE,
    computed_from=shared.COMPUTED_FROM,
)
GROUNDS = shared.derived(
    "grounds",
    "batch",
    "What the results of a batch stand on: `computed_from` begins with its number.",
    batch=shared.BATCH,
    ground=(Integer, "how often what the results are computed from has changed; no row: never"),
)

# logs
RUNS = shared.logged(
    "runs",
    "run",
    "One run of a command.",
    run=(Text, "the key: when it began, and six random digits"),
    command=(Text, "the command's name"),
    settings=(Text, "JSON of the settings that decided what it did"),
    version=(Text, "the version of labeler"),
    started=(Text, "when it began (ISO-8601, UTC)"),
    ended=(Text, "when it ended, or was found to be killed; '' before"),
    outcome=(Text, "`running`, `done`, `interrupted`, `killed`, or the error in words"),
    host=(Text, "the machine that it ran on"),
    pid=(Integer, "the number of its process there"),
    process=(Text, "what tells that process from a later one with the same number"),
)
LEDGER = shared.logged(
    "ledger",
    "run host",
    "What left the machine in a run, and to whom.",
    run=shared.RUN,
    host=(Text, "the host that it went to"),
    purpose=(Text, "the command it went for"),
    posts=(Integer, "how many posts at most"),
    fields=(Text, "which fields of a post"),
    rules=(Text, "the rules of de-identification that were applied"),
    started=(Text, "when the first could have left (ISO-8601, UTC)"),
)
CLAIMS = shared.logged(
    "claims",
    "claim",
    "Who works on what right now; it lasts no longer than the process or job that made it.",
    claim=(Text, "the key: of a unit as a coder is asked about it, or a job"),
    holder=(Text, "machine, process and run that hold it, or `job:KEY`"),
    taken=(Text, "when it was taken or last renewed (ISO-8601, UTC)"),
)
JOBS = shared.logged(
    "jobs",
    "job",
    "One job at a model server (OpenAI's batch), or one file of requests in a folder.",
    job=(Text, "the key, which its file and the job at the server carry"),
    coder=shared.CODER,
    codebook=shared.CODEBOOK,
    host=(Text, "the server's address, or `files in FOLDER`"),
    server_file=(Text, "the server's id of the file"),
    server_job=(Text, "the server's id of the job"),
    state=(Text, "`noted`, `written`, `unknown`, or the state that the server names"),
    requests=(Integer, "requests in it"),
    created=shared.CREATED,
    fetched=(Text, "when its answers were stored; '' before"),
    tokens=(Integer, "tokens that it was counted to hold"),
    done=(Integer, "requests done, by the server's count"),
    failed=(Integer, "requests failed, by the server's count"),
    detail=(Text, "the server's reasons, in words"),
    run=shared.RUN,
)
JOB_REQUESTS = shared.logged(
    "job_requests",
    "job completion",
    "One request of a job that is not fetched yet.",
    job=(Text, "the job; key of `jobs`"),
    completion=(Text, "the completion that it will become"),
    claim=(Text, "the claim that keeps others from asking"),
    unit=shared.UNIT,
    replicate=shared.REPLICATE,
    asked=(Text, "the request's id in the file; several posts may share one"),
    request=(Text, "JSON of what is asked, as in `completions`"),
    most=(Float, "the most that it may cost, in the price file's currency"),
)
LOOKS = shared.logged(
    "looks",
    "codebook suggester comparison variable look",
    "A look that the gate took at the codings of a study sample; recomputing the same is none.",
    codebook=shared.CODEBOOK,
    suggester=(Text, "the suggester of the study sample; '' for none"),
    comparison=(Text, "`human-human` or `human-model`"),
    variable=shared.VARIABLE,
    look=(Integer, "its number, from 1"),
    codings=(Text, "the key of the codings looked at, over all that entered"),
    batch=shared.SAMPLE,
    level=(Float, "the one-sided level that it was given"),
    value=(Float, "the coefficient of the variable seen; missing where undefined"),
    bound=(Float, "its lower one-sided bound at the confidence 1 - `level`"),
    verdict=shared.VERDICT,
    n_units=(Integer, "units that entered"),
    run=shared.RUN,
    created=shared.CREATED,
)
OVERRIDES = shared.logged(
    "overrides",
    "run variable",
    "A verdict of the gate that was set aside, and why.",
    run=shared.RUN,
    variable=shared.VARIABLE,
    batch=shared.BATCH,
    verdict=shared.VERDICT,
    reason=(Text, "the reason that was given, which stands on every result"),
    created=shared.CREATED,
)
MIGRATIONS = shared.logged(
    "migrations",
    "name",
    "A change of the tables that this database has seen.",
    name=(Text, "the migration's name"),
    applied=(Text, "when it was applied (ISO-8601, UTC)"),
)

# Answers and annotations are long: what is counted of them stands whole in an index.
Index(
    "completions_counted",
    *(COMPLETIONS.c[name] for name in ("codebook", "coder", "unit", "replicate", "error")),
)
Index("completions_of_unit", COMPLETIONS.c.unit)
Index(
    "annotations_counted",
    *(ANNOTATIONS.c[name] for name in ("batch", "arm", "coder", "unit")),
    *(ANNOTATIONS.c[name] for name in ("updated", "created", "annotation")),
    *(ANNOTATIONS.c[name] for name in ("withdrawn", "cancelled", "completed_by")),
)
Index("annotations_of_unit", ANNOTATIONS.c.unit)
Index("tasks_of_unit", TASKS.c.unit)
Index("shown_codes_of_unit", SHOWN_CODES.c.unit)
Index("posts_by_platform", POSTS.c.platform, POSTS.c.created)
Index("posts_by_source", POSTS.c.source)
Index("posts_by_words", POSTS.c.words)
Index("exposures_of_coder", EXPOSURES.c.coder, EXPOSURES.c.words, EXPOSURES.c.since)
