"""What requests cost: an answer by its usage, a run beforehand, and a budget that stops it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from datetime import date
from typing import NamedTuple

from labeler import hints
from labeler.coders.llm.prices import FILE, Price
from labeler.errors import ProjectError

MILLION = 1_000_000
FRAMING = 11
STALE = 180
UNCOUNTED = "the server did not count tokens"


class Range(NamedTuple):
    """A quantity between two bounds; both are the same where it is known."""

    low: float
    high: float


ASSUMED = Range(60, 250)


class CostEstimate(NamedTuple):
    """What a run is going to take. Tokens are of all requests, but for `shared_prefix_tokens`,
    the beginning that is the same text in each; costs are in `currency`, None without a price.
    """

    requests: int
    prompt_tokens: int
    shared_prefix_tokens: int
    answer_tokens: Range
    cost_plain: Range | None
    cost_cached: Range | None
    cost_job: Range | None
    cost_job_cached: Range | None
    currency: str
    notes: tuple[str, ...]


def cost(
    *,
    prompt_tokens: int | None,
    cached_tokens: int | None,
    answer_tokens: int | None,
    price: Price | None,
    model: str,
    in_job: bool = False,
    source: str = FILE,
) -> tuple[float | None, str]:
    """What an answer cost by its server's `usage`, or None and why that is unknown.

    `cached_tokens` are those of `prompt_tokens` that came from the cache; where the server does
    not say, all count as fresh, which is the most that it can have cost.
    """
    if price is None:
        return None, f"no price for model {model} in {source}"
    if price.free:
        return 0.0, ""
    if prompt_tokens is None or answer_tokens is None or min(prompt_tokens, answer_tokens) < 0:
        return None, UNCOUNTED
    cached = min(max(cached_tokens or 0, 0), prompt_tokens)
    return _cost(prompt_tokens, cached, answer_tokens, price, in_job=in_job), ""


def calibration(counted: Sequence[int], billed: Sequence[int]) -> float:
    """Tokens billed for each token counted, over answered requests; 1.0 with none.

    `counted` are the tokens of a request's texts, `billed` its `prompt_tokens` (0: not told).
    A ratio of sums: a mean of ratios would give short requests too much weight.
    """
    pairs = [(c + FRAMING, b) for c, b in zip(counted, billed, strict=True) if b > 0]
    return sum(b for _, b in pairs) / sum(c for c, _ in pairs) if pairs else 1.0


def estimate(
    system_tokens: int,
    user_tokens: Sequence[int],
    *,
    answers: float | Range = ASSUMED,
    price: Price | None,
    calibration: float = 1.0,
) -> CostEstimate:
    """Tokens and costs of one request for each of `user_tokens`.

    `system_tokens`: tokens of what is the same in each request and comes first (system message,
    schema). `answers`: tokens of an answer, as the mean of those observed or as a range that is
    assumed. Each request has 11 tokens more, the marks around its two messages; `calibration`
    multiplies all that is sent. With the cache, the first request pays its prefix in full and all
    others find it; the real share is smaller.
    """
    requests = len(user_tokens)
    prompt = calibration * (requests * (system_tokens + FRAMING) + sum(user_tokens))
    prefix = calibration * system_tokens
    each = answers if isinstance(answers, Range) else Range(answers, answers)
    total = Range(requests * each.low, requests * each.high)
    cacheable = price is not None and price.cached is not None and prefix >= price.cache_from
    cached = max(requests - 1, 0) * prefix if cacheable else 0.0

    return CostEstimate(
        requests=requests,
        prompt_tokens=round(prompt),
        shared_prefix_tokens=round(prefix),
        answer_tokens=total,
        cost_plain=_costs(prompt, 0.0, total, price, in_job=False),
        cost_cached=_costs(prompt, cached, total, price, in_job=False),
        cost_job=_costs(prompt, 0.0, total, price, in_job=True),
        cost_job_cached=_costs(prompt, cached, total, price, in_job=True),
        currency=price.currency if price else "",
        notes=(
            _answers_note(answers),
            *_notes(prefix, price, calibration),
        ),
    )


def lines(
    estimate: CostEstimate,
    *,
    model: str,
    price: Price | None,
    source: str = FILE,
    today: str = "",
) -> list[str]:
    """An estimate for people, a line each; with `today` (ISO date) old prices are named as old."""
    e = estimate
    shown = [
        f"requests: {e.requests:,}",
        f"tokens sent: {e.prompt_tokens:,}; the first {e.shared_prefix_tokens:,} of each request "
        "are the same text",
        f"tokens answered: {_numbers(e.answer_tokens)}",
    ]
    if price is None:
        shown.append(
            f"cost: unknown, no price for model {model} in {source}; add it to a copy of "
            "that file, and name the copy"
        )
    else:
        named = [
            ("cost at full price", e.cost_plain),
            ("cost with the prompt cache, at best", e.cost_cached),
            ("cost as jobs", e.cost_job),
            ("cost as jobs with the prompt cache, at best", e.cost_job_cached),
        ]
        shown += [f"{name}: {_money(c, e.currency)}" for name, c in named if c is not None]
        shown.append(_priced(model, price, source))
        if today and (age := (date.fromisoformat(today) - date.fromisoformat(price.as_of)).days):
            shown += [f"note: this price is {age} days old; verify it"] if age > STALE else []
    return shown + [f"note: {note}" for note in e.notes]


class Budget:
    """What may be spent: a reservation before each request, its true cost after.

    Nothing is sent that would bring what is spent and what is reserved above `amount`. So the
    most that can be spent beyond it is what the requests in flight cost more than was reserved
    for them, and with `reservation` that is nothing where answers have a limit and counts are
    right. A request whose cost stays unknown counts as what was reserved (`guessed` says how
    many). For one thread.
    """

    def __init__(self, amount: float, *, spent: float = 0.0) -> None:
        self.amount = amount
        self.spent = spent
        self.guessed = 0
        self._held: dict[str, float] = {}

    @property
    def reserved(self) -> float:
        """What the requests in flight may still cost."""
        return math.fsum(self._held.values())

    def reserve(self, completion: str, estimate: float) -> bool:
        """Whether this request may be sent; if so, `estimate` is set aside until it settles.

        A request that has its reservation and is sent again keeps it.
        """
        if completion in self._held:
            return True
        if not may_send(self.spent, self.reserved, estimate, self.amount):
            return False
        self._held[completion] = estimate
        return True

    def settle(self, completion: str, cost: float | None) -> None:
        """Put what a request cost in place of its reservation: 0.0 if it was never answered,
        None if that is unknown."""
        held = self._held.pop(completion)
        self.guessed += cost is None
        self.spent += held if cost is None else cost


def split(total: int | None, among: int) -> list[int | None]:
    """A count split among rows, whole numbers that add up to it; None stays None."""
    if total is None:
        return [None] * among
    each, rest = divmod(total, among)
    return [each + (place < rest) for place in range(among)]


def may_send(spent: float, reserved: float, next_estimate: float, budget: float | None) -> bool:
    """Whether a request fits beside all that is spent and in flight; always without a budget."""
    return budget is None or spent + reserved + next_estimate <= budget


def reservation(
    prompt_tokens: int,
    *,
    answer_limit: int,
    price: Price,
    calibration: float = 1.0,
    in_job: bool = False,
) -> float:
    """The most that a request costs: nothing cached, and an answer as long as is allowed.

    `prompt_tokens` are the tokens of its texts.
    """
    return _cost(calibration * (prompt_tokens + FRAMING), 0.0, answer_limit, price, in_job=in_job)


def open_budget(
    amount: float,
    *,
    price: Price | None,
    model: str,
    spent: float = 0.0,
    counts: bool | None = None,
    source: str = FILE,
) -> Budget:
    """A budget of `amount`, of which `spent` is gone; `counts`: does the server count tokens
    (None: not yet known)? ProjectError where a budget could not be kept."""
    if not (math.isfinite(amount) and amount > 0):
        raise ProjectError(f"{amount:g} is no amount to spend: a budget lies above 0")
    if price is None:
        raise ProjectError(
            f"no price for model {model} in {source}, so nobody can tell when the budget is spent",
            hint=hints.ADD_PRICE,
        )
    if counts is False and not price.free:
        raise ProjectError(
            f"{UNCOUNTED} of model {model}, so nobody can tell when the budget is spent",
            hint=hints.COUNT_TOKENS,
        )
    return Budget(amount, spent=spent)


def _cost(
    prompt: float, cached: float, answer: float, price: Price, *, in_job: bool = False
) -> float:
    """In the currency of `price`; `cached` tokens are part of `prompt`."""
    from_cache = price.cached if price.cached is not None else price.input
    if in_job and not price.cached_in_job:
        from_cache = price.input
    full = (prompt - cached) * price.input + cached * from_cache + answer * price.output
    return full * (price.in_job if in_job else 1.0) / MILLION


def _costs(
    prompt: float, cached: float, answers: Range, price: Price | None, *, in_job: bool
) -> Range | None:
    if price is None:
        return None
    return Range(*(_cost(prompt, cached, answer, price, in_job=in_job) for answer in answers))


def _answers_note(answers: float | Range) -> str:
    if isinstance(answers, Range):
        return f"{_numbers(answers)} tokens an answer are assumed; a few answers will tell"
    return f"{answers:,.0f} tokens an answer, as observed so far"


def _notes(prefix: float, price: Price | None, calibration: float) -> Iterator[str]:
    if calibration == 1.0:
        yield "tokens are counted offline and not yet calibrated by what a server billed"
    else:
        yield f"tokens are counted offline and calibrated (× {calibration:.3f}) by those billed"
    yield "what a model reasons before it answers is billed as answer and not included"
    if price is None or price.free:
        return
    if price.cached is None:
        yield "the price file lists no discount for cached tokens"
    elif prefix < price.cache_from:
        yield (
            f"prompts are cached from {price.cache_from:,} tokens of the same beginning; this one "
            f"has {prefix:,.0f}, so the cache saves nothing"
        )
    else:
        yield (
            f"prompts are cached from {price.cache_from:,} tokens of the same beginning, in steps, "
            "for minutes, and the first requests in flight find nothing"
        )
        if price.in_job < 1 and not price.cached_in_job:
            yield "no request of a job is served from the prompt cache"
    if price.in_job == 1:
        yield "the price file lists no discount for jobs"


def _priced(model: str, price: Price, source: str) -> str:
    cached = "" if price.cached is None else f", {price.cached:g} cached"
    return (
        f"price of {model} in {source}, as of {price.as_of}: {price.input:g} input{cached}, "
        f"{price.output:g} output {price.currency} a million tokens, jobs × {price.in_job:g} "
        f"({price.source})"
    )


def _numbers(of: Range) -> str:
    return f"{of.low:,.0f}" if of.low == of.high else f"{of.low:,.0f} to {of.high:,.0f}"


def _money(of: Range, currency: str) -> str:
    """Two digits after the point, more where amounts are small."""
    digits = 2 if of.low >= 1 or not of.high else 4 if of.low >= 0.01 else 6
    low, high = (f"{amount:,.{digits}f}" for amount in of)
    return f"{low} {currency}" if low == high else f"{low} to {high} {currency}"
