"""The recipe of an analysis: which tables, contrasts and trends, declared before looking. Pure.

Read from YAML, as the codebook is. A *table* counts posts or segments: those with each code of a
variable (`of`), by the groups of another variable or of a column of posts (`by`), apart for each
group of a third (`within`). The hash of the text stands with every result, so that a recipe that
was written down before the coding serves as pre-registration.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Annotated, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from labeler.codebook.codebook import Codebook, Variable
from labeler.codebook.yaml_text import Unreadable, finding, parsed
from labeler.errors import RecipeError
from labeler.keys import key
from labeler.text.coded_values import named, named_parts
from labeler.text.names import unknown

Text = Annotated[str, Field(min_length=1)]
Target = Literal["collection", "population"]
Estimator = Literal["model", "blind", "corrected", "two-phase"]
Counted = Literal["posts", "segments"]
Measure = Literal[
    "share",
    "count",
    "rate",
    "mean",
    "share of row",
    "share of column",
    "chi-square",
    "cramers v",
    "cramers v corrected",
    "residual",
    "pearson residual",
    "delta-pmi",
]
TARGETS: tuple[Target, ...] = get_args(Target)
ESTIMATORS: tuple[Estimator, ...] = get_args(Estimator)
COUNTED: tuple[Counted, ...] = get_args(Counted)
POST_COLUMNS = ("platform", "month", "year", "source")
ASSOCIATION: tuple[Measure, ...] = (
    "chi-square",
    "cramers v",
    "cramers v corrected",
    "residual",
    "pearson residual",
)
CROSSED: tuple[Measure, ...] = ("share of row", "share of column", *ASSOCIATION)


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=False, allow_inf_nan=False)


class RecipeTable(_Entry):
    """One table: the codes of `of` (or `posts`, `segments`), by the groups of `by`, within others.

    `count` says what is counted: `posts`, or `segments`, as a table with a variable of segments
    does if nothing is said. `measures`: those that `measures_of` has if nothing is said.
    `between`: two codes of `within`, for delta-PMI. `tuning`: `cell` corrects each cell as well as
    it can be; `common` all alike, so that they add up to their margins (so do crossed tables).
    """

    table: Text
    of: Text
    by: str = ""
    within: str = ""
    count: Counted | None = None
    measures: tuple[Measure, ...] = ()
    between: tuple[Text, Text] | None = None
    tuning: Literal["cell", "common"] | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """The variables and columns that it is of."""
        return tuple(name for name in (self.of, self.by, self.within) if name)


class Contrast(_Entry):
    """A difference (or ratio) declared beforehand: `measure` of `code` in group a against b.

    `a` and `b` are groups of the table's `by`, as `condition:adhd`; `code`, as `impact:positive`,
    is needed for a share.
    """

    table: Text
    measure: Literal["mean", "share", "share of row", "share of column", "rate"]
    a: Text
    b: Text
    code: str = ""
    kind: Literal["difference", "ratio"] = "difference"


class TrendLine(_Entry):
    """A straight line through a table by month: its slope, and whether there is one."""

    table: Text
    measure: Literal["mean", "share", "rate"]
    code: str = ""


class Recipe(_Entry):
    """Everything that an analysis computes. `figures`: the names of those it is told by."""

    recipe: Text
    codebook: Text
    title: str = ""
    targets: tuple[Target, ...] = TARGETS
    estimators: tuple[Estimator, ...] = ESTIMATORS
    tables: Annotated[tuple[RecipeTable, ...], Field(min_length=1)]
    contrasts: tuple[Contrast, ...] = ()
    trends: tuple[TrendLine, ...] = ()
    figures: tuple[Text, ...] = ()

    @property
    def hash(self) -> str:
        """The key of all that it says."""
        return key(self.model_dump(mode="json"))

    def variables(self, codebook: Codebook) -> list[str]:
        """The variables that its tables are of, in codebook order."""
        asked = {name for table in self.tables for name in table.names}
        return [v.variable for v in codebook.variables if v.variable in asked]


def read(text: str, codebook: Codebook, *, source: str) -> Recipe:
    """The recipe in `text` (YAML) for this codebook; `source` names it in messages.

    Raises RecipeError with one finding for each fault.
    """
    try:
        content = parsed(text)
    except Unreadable as error:
        raise RecipeError([f"{source}: not readable as YAML: {error}"]) from error
    if not isinstance(content, dict):
        raise RecipeError([f"{source}: a recipe is a mapping with the key 'recipe'"])
    try:
        recipe = Recipe.model_validate(content)
    except ValidationError as error:
        raise RecipeError([finding(source, fault) for fault in error.errors()]) from error
    faults = [f"{source}: {path}: {reason}" for path, reason in _broken(recipe, codebook)]
    if faults:
        raise RecipeError(faults)
    return recipe


def default(codebook: Codebook, *, by: Sequence[str] = ()) -> Recipe:
    """The share of every code of every variable, and means where codes have numbers.

    For a variable of segments once of the segments and once of the posts that hold one. `by`:
    columns of posts (or variables), for each of which every variable has one more table. Raises
    RecipeError for a name that is neither.
    """
    made: list[RecipeTable] = []
    for variable in codebook.variables:
        name = variable.variable
        made.append(RecipeTable(table=name, of=name))
        if variable.of == "segment" and variable.values:
            posts = {"table": f"{name} in posts", "of": name, "count": "posts"}
            made.append(RecipeTable.model_validate({**posts, "measures": ("share", "count")}))
    for column in by:
        made += [
            RecipeTable(table=f"{v.variable} by {column}", of=v.variable, by=column)
            for v in codebook.variables
            if v.variable != column
        ]
    recipe = Recipe(recipe="default", codebook=codebook.codebook, tables=tuple(made))
    faults = [reason for path, reason in _broken(recipe, codebook) if path.endswith(".by")]
    if faults:
        raise RecipeError([f"to divide by: {reason}" for reason in dict.fromkeys(faults)])
    return recipe


def counted(table: RecipeTable, codebook: Codebook) -> Counted:
    """What a table counts: posts, or segments where a variable of segments is in it."""
    if table.of in COUNTED:
        return "posts" if table.of == "posts" else "segments"
    if table.count:
        return table.count
    return "segments" if any(v.of == "segment" for v in coded(table, codebook)) else "posts"


def coded(table: RecipeTable, codebook: Codebook) -> list[Variable]:
    """The variables that a table is of; columns of posts are none."""
    known = {variable.variable: variable for variable in codebook.variables}
    return [known[name] for name in table.names if name in known]


def has_numbers(variable: Variable) -> bool:
    """Whether a mean can be had: its codes have numbers, or it is a number itself."""
    if not variable.values:
        return True
    return not variable.multiple and any(value.number is not None for value in variable.values)


def measures_of(table: RecipeTable, codebook: Codebook) -> tuple[Measure, ...]:
    """The measures of a table: those it names, else all that make sense of it."""
    if table.measures:
        return table.measures
    if table.between:
        return ("delta-pmi",)
    segments = counted(table, codebook) == "segments"
    if table.of in COUNTED:
        return ("count", "rate") if segments else ("count",)
    known = {variable.variable: variable for variable in codebook.variables}
    own = known[table.of]
    found: list[Measure] = ["share", "count"] if own.values else []
    if segments and not table.by and own.values:
        found.append("rate")
    if table.by in known and own.values:
        found += CROSSED
    if has_numbers(own):
        found.append("mean")
    return tuple(found)


def _broken(recipe: Recipe, codebook: Codebook) -> Iterator[tuple[str, str]]:
    """Where a recipe breaks a rule, and which."""
    if recipe.codebook != codebook.codebook:
        yield "codebook", f"is for {recipe.codebook!r}, and the study's is {codebook.codebook!r}"
        return
    names = Counter(table.table for table in recipe.tables)
    for place, table in enumerate(recipe.tables):
        path = f"tables[{place}]"
        if names[table.table] > 1:
            yield f"{path}.table", f"there are several tables called {table.table!r}"
        faults = list(_unknown_names(table, codebook))
        yield from ((f"{path}.{part}", reason) for part, reason in faults)
        if not faults:
            yield from ((f"{path}.{part}", reason) for part, reason in _unfit(table, codebook))
    by_name = {table.table: table for table in recipe.tables}
    made: set[tuple[str, ...]] = set()
    for place, contrast in enumerate(recipe.contrasts):
        path = f"contrasts[{place}]"
        if contrast.table not in by_name:
            yield f"{path}.table", unknown("table", contrast.table, by_name)
            continue
        own = by_name[contrast.table]
        for part, reason in _contrast_faults(contrast, own, codebook):
            yield f"{path}.{part}", reason
        same = (contrast.table, contrast.kind, contrast.code, contrast.a, contrast.b)
        if same in made:
            yield path, "the same contrast stands twice"
        made.add(same)
    for place, trend in enumerate(recipe.trends):
        path = f"trends[{place}]"
        if trend.table not in by_name:
            yield f"{path}.table", unknown("table", trend.table, by_name)
        elif by_name[trend.table].by != "month":
            yield f"{path}.table", f"table {trend.table!r} is not by month"


def _unknown_names(table: RecipeTable, codebook: Codebook) -> Iterator[tuple[str, str]]:
    variables = [variable.variable for variable in codebook.variables]
    if table.of not in (*variables, *COUNTED):
        yield "of", unknown("variable", table.of, [*variables, *COUNTED])
    for part, name in (("by", table.by), ("within", table.within)):
        if name and name not in (*variables, *POST_COLUMNS):
            yield part, unknown("variable or column of posts", name, [*variables, *POST_COLUMNS])


def _unfit(table: RecipeTable, codebook: Codebook) -> Iterator[tuple[str, str]]:
    """What does not go together in a table whose names are all known."""
    known = {variable.variable: variable for variable in codebook.variables}
    if len(set(table.names)) < len(table.names):
        yield "by", "a variable is not crossed with itself"
    if table.within and not table.by:
        yield "within", "needs a `by`; to divide by one variable name it as `by`"
    for part, name in (("by", table.by), ("within", table.within)):
        if name in known and not known[name].values:
            yield part, f"{name} is a free number and has no groups"
    own, asked = known.get(table.of), set(table.measures)
    if "mean" in asked and (own is None or not has_numbers(own)):
        yield "measures", f"{table.of} has no numbers of which there is a mean"
    if asked & set(CROSSED) and not (own is not None and own.values and table.by in known):
        yield "measures", "residuals and shares of rows need two variables with codes: of and by"
    if own is None and asked - {"count", "rate", "share"}:
        yield "measures", f"{table.of} have no codes: count, rate and share are all there is"
    if "rate" in asked and counted(table, codebook) == "posts":
        yield "measures", "a rate is of segments, and this table counts posts"
    if asked & {"mean"} and counted(table, codebook) == "posts" and own and own.of == "segment":
        yield "measures", f"a mean of {table.of} is one of segments: leave out `count: posts`"
    pairs = "delta-pmi" in asked or table.between
    if pairs and not (table.between and table.by in known and table.within in known and own):
        yield "between", "delta-PMI needs of, by and within, and two codes of within"
    elif table.between:
        for code in table.between:
            if code not in known[table.within].codes:
                yield "between", unknown("code", code, known[table.within].codes)


def _contrast_faults(
    contrast: Contrast, table: RecipeTable, codebook: Codebook
) -> Iterator[tuple[str, str]]:
    known = {variable.variable: variable for variable in codebook.variables}
    if not table.by or table.within:
        yield "table", "a contrast is between two groups of a table with a `by` and no `within`"
        return
    for part, text in (("a", contrast.a), ("b", contrast.b)):
        name, value = named_parts(text)
        if name != table.by:
            yield part, f"{text!r} is no group of {table.by}: write {named(table.by, '…')}"
        elif name in known and value not in known[name].codes:
            yield part, unknown("code", value, known[name].codes)
    if contrast.measure not in measures_of(table, codebook):
        yield "measure", f"table {table.table!r} has no {contrast.measure}"
    if contrast.measure == "mean":
        if contrast.code:
            yield "code", "a mean is of the variable as a whole: leave it out"
        return
    name, value = named_parts(contrast.code)
    if name != table.of or (name in known and value not in known[name].codes):
        yield "code", f"{contrast.code!r} is no code of {table.of}: write {named(table.of, '…')}"
