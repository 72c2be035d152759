"""Every error that a person can see.

LabelerError                exit 1
├── ProjectError            a setting is missing or wrong
├── CodebookError           codebook/x.yaml: variables[2].values[0].code: …
├── RecipeError             analysis.yaml: tables[2].by: …
├── InputError              file, line, column of a bad record
├── TableError              a frame breaks its table
├── StoreError              database unreachable, or newer than this program
├── ServiceError            model server or Label Studio; carries service and status
│   ├── ServiceUnavailable  exit 75: gave up after n attempts; run again
│   └── ServiceRejected     the request is wrong, or the key is
├── AnswerError             the model's answer does not fit the codebook; becomes a row's error
└── GateError               exit 3
"""

from __future__ import annotations

from labeler.hints import Hint


class LabelerError(Exception):
    """The root of the tree: says what and where. Exit code 1.

    `hint` is what to do about it, for whoever shows the error to put in their own words.
    """

    exit_code = 1

    def __init__(self, *words: object, hint: Hint | None = None) -> None:
        self.hint = hint
        super().__init__(*words)


class ProjectError(LabelerError):
    """A setting is missing or wrong, or names what is not there."""


class CodebookError(LabelerError):
    """A codebook breaks its rules.

    `findings` holds one line for each broken rule: file, path and reason.
    """

    def __init__(self, findings: list[str], *, hint: Hint | None = None) -> None:
        self.findings = findings
        super().__init__("\n".join(findings), hint=hint)


class RecipeError(CodebookError):
    """A recipe of an analysis breaks its rules; `findings` as of a codebook."""


class InputError(LabelerError):
    """A bad record of an input file: file, line, column."""


class TableError(LabelerError):
    """A frame breaks the rules of its table."""


class StoreError(LabelerError):
    """The database is unreachable, full, locked, or newer than this program."""


class ServiceError(LabelerError):
    """A model server or a Label Studio failed.

    `service` names it in words; `status` is the HTTP status, or None without an answer.
    """

    def __init__(
        self,
        message: str,
        *,
        service: str,
        status: int | None = None,
        hint: Hint | None = None,
    ) -> None:
        self.service = service
        self.status = status
        super().__init__(message, hint=hint)


class ServiceUnavailable(ServiceError):
    """Gave up after some attempts; the same command again goes on. Exit code 75."""

    exit_code = 75


class ServiceRejected(ServiceError):
    """The service understood and refused: the request is wrong, or the key is."""


class AnswerError(LabelerError):
    """A model's answer does not fit the codebook; it becomes the error of its row.

    `kind` is one of `refusal`, `truncated`, `off-schema`, `rejected`, `left-out`, `no-post`,
    `taught`.
    """

    def __init__(self, message: str, *, kind: str, hint: Hint | None = None) -> None:
        self.kind = kind
        super().__init__(message, hint=hint)


class GateError(LabelerError):
    """The gate is shut: reliability does not hold. Exit code 3."""

    exit_code = 3
