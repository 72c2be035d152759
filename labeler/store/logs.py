"""Tables of logs: what was run, sent, claimed or overruled."""

from __future__ import annotations

from sqlalchemy import Float, Integer, Text

from labeler.store import columns as shared

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
