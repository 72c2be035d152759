"""Costs, estimates and budgets. Prices are made up unless a test says otherwise."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from thorough import examples

from labeler import hints, resources
from labeler.coders.llm import costs as spending
from labeler.coders.llm.costs import Budget, Range
from labeler.coders.llm.prices import Price, price_of, prices
from labeler.errors import ProjectError

MADE_UP = Price(2.0, 0.5, 8.0, 0.5, "USD", "2026-01-31", "made up", cached_in_job=True)
FREE = Price(0.0, 0.0, 0.0, 1.0, "USD", "2026-01-31", "made up")


def entry(**changes: Any) -> str:
    """A price file in YAML with one model `m`; a key that is None is left out."""
    fields = {"input": 2, "cached": 0.5, "output": 8, "as_of": "2026-01-31", "source": "made up"}
    shown = {name: value for name, value in {**fields, **changes}.items() if value is not None}
    inner = ", ".join(f"{name}: {value}" for name, value in shown.items())
    return f"currency: EUR\nmodels:\n  m: {{{inner}}}\n"


def bundled() -> dict[str, Price]:
    """The price file that travels with the package."""
    path = resources.folder("templates") / "prices.yaml"
    return prices(path.read_text(encoding="utf-8"), source="prices.yaml")


TABLE = {
    "gpt-4.1": MADE_UP._replace(source="large"),
    "gpt-4.1-mini": MADE_UP._replace(source="small"),
    "gpt-4.1-mini-2025-04": MADE_UP._replace(source="odd"),
    "local": FREE,
}


class TestPrices:
    """The price file."""

    def test_an_entry(self) -> None:
        """Numbers are per million tokens; jobs, cache floor and the rest have defaults."""
        assert prices(entry(), source="p.yaml") == {
            "m": Price(2.0, 0.5, 8.0, 1.0, "EUR", "2026-01-31", "made up", False, 1024)
        }

    def test_no_cache_discount(self) -> None:
        """A model without `cached` has None there, not a price of 0."""
        assert prices(entry(cached=None), source="p.yaml")["m"].cached is None

    def test_bundled_file(self) -> None:
        """The bundled file has a price, a date and a source for each model, and a free `local`."""
        table = bundled()
        assert {"gpt-4o-mini", "gpt-4.1-mini", "gpt-5-mini", "gpt-5.4-mini", "local"} == set(table)
        assert table["local"].free
        assert all(price.as_of and price.source for price in table.values())
        assert all("verify" in table[m].source for m in table if m != "local")

    @pytest.mark.parametrize(
        ("text", "words"),
        [
            (entry(input=-1), "p.yaml: models.m.input: "),
            (entry(input="true"), "p.yaml: models.m.input: "),
            (entry(output=".inf"), "p.yaml: models.m.output: "),
            (entry(output="'8'"), "p.yaml: models.m.output: "),
            (entry(in_job=50), "p.yaml: models.m.in_job: "),
            (entry(cached=3), "p.yaml: models.m: cached: a cached token costs more"),
            (
                entry(input="0.000002", cached=None),
                "p.yaml: models.m: this looks like a price a token",
            ),
            (entry(as_of=None), "p.yaml: models.m.as_of: missing"),
            (entry(as_of="soon"), "p.yaml: models.m.as_of: give a day"),
            (entry(as_of="2026-02-31"), "p.yaml: not readable as YAML: "),
            (entry(source=None), "p.yaml: models.m.source: missing"),
            (entry(sauce=1), "p.yaml: models.m.sauce: unknown key"),
            (entry() + "  m: {input: 1}\n", "p.yaml: models.m: stands here twice"),
            (entry().replace("EUR", "euros"), "p.yaml: currency: "),
            ("", "p.yaml: the file: "),
            ("currency: EUR\nmodels: {4: 5}", "p.yaml: models.4: put it in quotes"),
            ("currency: [", "p.yaml: not readable as YAML: "),
            ("{[1]: 2}", "p.yaml: not readable as YAML: "),
        ],
    )
    def test_bad_entries(self, text: str, words: str) -> None:
        """What cannot be a price is refused with the file and the path of the entry."""
        with pytest.raises(ProjectError) as caught:
            prices(text, source="p.yaml")
        assert words in str(caught.value)

    def test_every_fault_is_named(self) -> None:
        """Two faults are two lines."""
        with pytest.raises(ProjectError) as caught:
            prices(entry(input=-1, in_job=0), source="p.yaml")
        assert len(str(caught.value).splitlines()) == 2


class TestPriceOf:
    """The price of the model that a server names."""

    @pytest.mark.parametrize(
        ("model", "source"),
        [
            ("gpt-4.1", "large"),
            ("gpt-4.1-2025-04-14", "large"),
            ("gpt-4.1-mini", "small"),
            ("gpt-4.1-mini-2025-04-14", "small"),
            ("gpt-4.1-mini-20250414", "small"),
            ("gpt-4.1-mini-0613", "small"),
            ("gpt-4.1-mini-latest", "small"),
            ("gpt-4.1-mini-2025-04", "odd"),
            ("gpt-4.1-mini-2025-04-1234", "odd"),
        ],
    )
    def test_known(self, model: str, source: str) -> None:
        """A name, or the longest name whose dated snapshot it is."""
        found = price_of(model, TABLE)
        assert found is not None
        assert found.source == source

    @pytest.mark.parametrize(
        "model",
        [
            "gpt-4.1-nano",
            "gpt-4.1-mini-audio",
            "ft:gpt-4.1-mini:lab",
            "gpt-4.15",
            "GPT-4.1",
            "",
            "2025",
            "latest",
            "-latest",
        ],
    )
    def test_unknown(self, model: str) -> None:
        """No other model is charged as its namesake, and none is free by accident."""
        assert price_of(model, TABLE) is None

    def test_local(self) -> None:
        """A server on this machine is free for models without an entry, and only for those."""
        assert price_of("llama3.1:8b", TABLE, local=True) == FREE
        gateway = price_of("gpt-4.1", TABLE, local=True)
        assert gateway is not None
        assert not gateway.free
        assert price_of("llama3.1:8b", {"m": MADE_UP}, local=True) is None


class TestCost:
    """What one answer cost."""

    def cost(self, **changes: Any) -> tuple[float | None, str]:
        """1,600 prompt tokens, 1,500 of them cached, 100 answered, at the made-up price."""
        given: dict[str, Any] = {
            "prompt_tokens": 1600,
            "cached_tokens": 1500,
            "answer_tokens": 100,
            "price": MADE_UP,
            "model": "m",
        }
        return spending.cost(**{**given, **changes})

    def test_by_hand(self) -> None:
        """100 × 2 + 1,500 × .5 + 100 × 8 = 200 + 750 + 800 = 1,750 millionths."""
        amount, note = self.cost()
        assert amount == pytest.approx(0.001750)
        assert note == ""

    def test_in_job(self) -> None:
        """Half of .00175 in a job; without a cache there, half of 1,600 × 2 + 800 = .0020."""
        assert self.cost(in_job=True)[0] == pytest.approx(0.000875)
        uncached = MADE_UP._replace(cached_in_job=False)
        assert self.cost(in_job=True, price=uncached)[0] == pytest.approx(0.0020)

    def test_cache_not_told(self) -> None:
        """All 1,600 count as fresh: 3,200 + 800 = 4,000 millionths."""
        assert self.cost(cached_tokens=None)[0] == pytest.approx(0.0040)
        assert self.cost(price=MADE_UP._replace(cached=None))[0] == pytest.approx(0.0040)

    def test_more_cached_than_sent(self) -> None:
        """A server that counts more cached than sent gives no money back: 1,600 × .5 + 800."""
        assert self.cost(cached_tokens=9000)[0] == pytest.approx(0.0016)

    def test_unknown_says_why(self) -> None:
        """Without a price, or without counts, the cost is None and the note says why."""
        no_price = (None, "no price for model m in prices.yaml")
        assert self.cost(price=None) == no_price
        assert self.cost(price=None, prompt_tokens=None) == no_price
        uncounted = (None, "the server did not count tokens")
        assert self.cost(prompt_tokens=None) == uncounted
        assert self.cost(answer_tokens=None) == uncounted
        assert self.cost(answer_tokens=-1) == uncounted

    def test_free_needs_no_counts(self) -> None:
        """Where tokens are free, an answer costs 0 even if nobody counted them."""
        assert self.cost(price=FREE, prompt_tokens=None, answer_tokens=None) == (0.0, "")

    @given(
        st.tuples(*[st.integers(0, 10**6)] * 3),
        st.tuples(*[st.integers(0, 10**6)] * 3),
    )
    @examples(100)
    def test_monotone(self, one: tuple[int, int, int], more: tuple[int, int, int]) -> None:
        """More tokens never cost less; more of them from the cache never cost more."""

        def at(prompt: int, cached: int, answer: int) -> float:
            amount, _ = self.cost(prompt_tokens=prompt, cached_tokens=cached, answer_tokens=answer)
            assert amount is not None
            return amount

        prompt, cached, answer = one
        assert at(prompt, cached, answer) <= at(prompt + more[0], cached, answer) + 1e-12
        assert at(prompt, cached, answer) <= at(prompt, cached, answer + more[1]) + 1e-12
        assert at(prompt, cached + more[2], answer) <= at(prompt, cached, answer) + 1e-12


class TestCalibration:
    """Tokens billed for each token counted."""

    def test_by_hand(self) -> None:
        """Counted 89 + 11 and 189 + 11 = 300 with framing, billed 110 + 220 = 330: 1.1."""
        assert spending.calibration([89, 189], [110, 220]) == pytest.approx(1.1)

    def test_nothing_billed(self) -> None:
        """Without an answer, or where the server says 0, nothing is learned."""
        assert spending.calibration([], []) == 1.0
        assert spending.calibration([89], [0]) == 1.0
        assert spending.calibration([89, 189], [110, 0]) == pytest.approx(1.1)


class TestEstimate:
    """What a run is going to cost."""

    def test_by_hand(self) -> None:
        """Ten requests of 1,989 + 11 shared and 100 of their own tokens, 50 answered each.

        Sent 10 × 2,100 = 21,000, answered 500. Plain: 21,000 × 2 + 500 × 8 = 46,000 millionths.
        Nine find 1,989 tokens cached, each 1.5 cheaper: 46,000 - 17,901 × 1.5 = 19,148.5.
        """
        made = spending.estimate(1989, [100] * 10, answers=50, price=MADE_UP)
        assert made[:4] == (10, 21_000, 1989, Range(500, 500))
        amounts = (made.cost_plain, made.cost_cached, made.cost_job, made.cost_job_cached)
        expected = (0.046, 0.0191485, 0.023, 0.00957425)
        for amount, wanted in zip(amounts, expected, strict=True):
            assert amount is not None
            assert amount == pytest.approx((wanted, wanted))
        assert made.currency == "USD"

    @pytest.mark.parametrize(
        ("model", "plain", "cached", "in_job", "both"),
        [
            ("gpt-4o-mini", 26.32, 15.07, 13.16, 13.16),
            ("gpt-4.1-mini", 70.19, 25.19, 35.10, 35.10),
            ("gpt-5-mini", 47.27, 13.52, 23.63, 6.76),
            ("gpt-5.4-mini", 136.71, 35.46, 68.35, 17.73),
        ],
    )
    def test_hundred_thousand_posts(
        self, model: str, plain: float, cached: float, in_job: float, both: float
    ) -> None:
        """100,000 short posts, a codebook of 1,500 tokens, 34 tokens answered, at bundled prices.

        A request sends 1,618.7 tokens: 1,500 shared, 11 of framing, 107.7 of its own (107 or 108).
        gpt-4o-mini: 161.87 million × .15 + 3.4 million × .60 = 24.28 + 2.04 = 26.32; cached,
        150 million of them cost .075 less: 15.07. Its jobs are never served from the cache,
        those of gpt-5 are.
        """
        own = [108] * 70_000 + [107] * 30_000
        made = spending.estimate(1500, own, answers=34, price=bundled()[model])
        amounts = (made.cost_plain, made.cost_cached, made.cost_job, made.cost_job_cached)
        for amount, wanted in zip(amounts, (plain, cached, in_job, both), strict=True):
            assert amount is not None
            assert amount.low == pytest.approx(wanted, abs=0.011)

    def test_below_the_cache_floor(self) -> None:
        """A prefix of 850 tokens is cached by nobody who caches from 1,024: it saves nothing."""
        made = spending.estimate(850, [50] * 100, answers=50, price=MADE_UP)
        assert made.cost_cached == made.cost_plain
        assert any("1,024" in note and "saves nothing" in note for note in made.notes)

    def test_calibration_lifts_over_the_floor(self) -> None:
        """1,000 counted × 1.1 = 1,100 billed tokens are above the floor."""
        made = spending.estimate(1000, [50] * 9, answers=50, price=MADE_UP, calibration=1.1)
        assert made.shared_prefix_tokens == 1100
        assert made.prompt_tokens == round(1.1 * 9 * 1061)
        assert made.cost_cached is not None
        assert made.cost_plain is not None
        assert made.cost_cached.low < made.cost_plain.low

    def test_assumed_answers_are_a_range(self) -> None:
        """Before any answer, tokens answered and costs run from low to high, and say so."""
        made = spending.estimate(1500, [50] * 10, price=MADE_UP)
        assert made.answer_tokens == Range(600, 2500)
        assert made.cost_plain is not None
        assert made.cost_plain.high - made.cost_plain.low == pytest.approx(1900 * 8 / 1e6)
        assert "assumed" in made.notes[0]
        observed = spending.estimate(1500, [50] * 10, answers=70.4, price=MADE_UP)
        assert "70 tokens an answer, as observed" in observed.notes[0]

    def test_without_a_price(self) -> None:
        """Tokens are told, costs are None."""
        made = spending.estimate(1500, [50] * 10, price=None)
        assert made.prompt_tokens == 15_610
        assert made[4:9] == (None, None, None, None, "")

    def test_nothing_to_ask(self) -> None:
        """No requests cost nothing."""
        made = spending.estimate(1500, [], price=MADE_UP)
        assert made.requests == made.prompt_tokens == 0
        assert made.cost_plain == made.cost_job_cached == Range(0, 0)

    @given(
        system=st.integers(0, 5000),
        users=st.lists(st.integers(0, 3000), max_size=20),
        one=st.integers(0, 3000),
        factor=st.floats(0.5, 2),
    )
    @examples(100)
    def test_monotone(self, system: int, users: list[int], one: int, factor: float) -> None:
        """A post more never makes a run cheaper, and no discount makes it dearer."""
        less = spending.estimate(system, users, price=MADE_UP, calibration=factor)
        more = spending.estimate(system, [*users, one], price=MADE_UP, calibration=factor)
        for before, after in zip(less[4:8], more[4:8], strict=True):
            assert before.low <= after.low + 1e-12
            assert before.high <= after.high + 1e-12
        plain, cached, in_job, both = more[4:8]
        assert both.low <= cached.low <= plain.low
        assert both.low <= in_job.low <= plain.low


class TestLines:
    """What --dry-run says."""

    def said(self, price: Price | None, *, today: str = "2026-02-01", system: int = 1500) -> str:
        """The lines of a thousand posts as one text."""
        made = spending.estimate(system, [50] * 1000, price=price)
        return "\n".join(spending.lines(made, model="m", price=price, today=today))

    def test_whole(self) -> None:
        """Requests, tokens, the four costs, the price with its date, and every assumption.

        Sent 1,000 × 1,561 = 1,561,000 × 2 = 3.122 USD; answered 60,000 or 250,000 × 8 = .48 or
        2.00; 999 × 1,500 cached tokens are 1.5 cheaper: 2.24775 less.
        """
        said = self.said(MADE_UP)
        for words in (
            "requests: 1,000",
            "tokens sent: 1,561,000; the first 1,500 of each",
            "tokens answered: 60,000 to 250,000",
            "cost at full price: 3.60 to 5.12 USD",
            "cost with the prompt cache, at best: 1.35 to 2.87 USD",
            "cost as jobs: 1.80 to 2.56 USD",
            "cost as jobs with the prompt cache, at best: 0.6771 to 1.4371 USD",
            "2 input, 0.5 cached, 8 output USD a million tokens, jobs × 0.5",
            "as of 2026-01-31",
            "cached from 1,024 tokens",
            "assumed",
            "not yet calibrated",
            "reasons before it answers is billed as answer and not included",
        ):
            assert words in said

    def test_no_price(self) -> None:
        """Without a price the lines say what is missing and where to add it."""
        said = self.said(None)
        assert "cost: unknown, no price for model m in prices.yaml" in said
        assert "add it to a copy of that file" in said

    def test_old_price(self) -> None:
        """A price that is more than half a year old is called old; a fresh one is not."""
        assert "365 days old; verify" in self.said(MADE_UP, today="2027-01-31")
        assert "days old" not in self.said(MADE_UP)
        assert "days old" not in self.said(MADE_UP, today="")

    def test_discounts_that_are_none(self) -> None:
        """A price without discounts says so, and jobs without a cache do."""
        bare = MADE_UP._replace(cached=None, in_job=1.0)
        assert "no discount for cached tokens" in self.said(bare)
        assert "no discount for jobs" in self.said(bare)
        never = MADE_UP._replace(cached_in_job=False)
        assert "no request of a job is served from the prompt cache" in self.said(never)

    def test_free_and_small(self) -> None:
        """Nothing is 0.00, and a fraction of a cent is not."""
        assert "cost at full price: 0.00 USD" in self.said(FREE)
        made = spending.estimate(100, [50], answers=10, price=MADE_UP)
        said = "\n".join(spending.lines(made, model="m", price=MADE_UP))
        assert "cost at full price: 0.000402 USD" in said


class TestBudget:
    """A hard stop."""

    def test_reserve_and_settle(self) -> None:
        """Of 1.00, two requests of .40 fit, a third does not until one settles for .10."""
        budget = Budget(1.0)
        assert budget.reserve("a", 0.4)
        assert budget.reserve("b", 0.4)
        assert not budget.reserve("c", 0.4)
        budget.settle("a", 0.1)
        assert budget.spent == pytest.approx(0.1)
        assert budget.reserved == pytest.approx(0.4)
        assert budget.reserve("c", 0.4)

    def test_sent_again(self) -> None:
        """A request that is tried again has one reservation, not two."""
        budget = Budget(1.0)
        assert budget.reserve("a", 0.6)
        assert budget.reserve("a", 0.6)
        assert budget.reserved == 0.6

    def test_never_answered(self) -> None:
        """A request that was never answered frees what was set aside for it."""
        budget = Budget(1.0)
        budget.reserve("a", 1.0)
        budget.settle("a", 0.0)
        assert (budget.spent, budget.reserved) == (0.0, 0.0)
        assert budget.reserve("b", 1.0)

    def test_unknown_cost_counts(self) -> None:
        """What an answer of unknown cost was given counts as spent, and is counted as guessed."""
        budget = Budget(1.0)
        budget.reserve("a", 0.7)
        budget.settle("a", None)
        assert (budget.spent, budget.guessed) == (0.7, 1)
        assert not budget.reserve("b", 0.4)

    def test_spent_before(self) -> None:
        """What earlier runs spent leaves so much less."""
        assert not Budget(1.0, spent=0.9).reserve("a", 0.2)

    def test_without_a_budget(self) -> None:
        """Without a budget everything may be sent; a request that just fits may, too."""
        assert spending.may_send(1e9, 1e9, 1e9, None)
        assert spending.may_send(0.25, 0.25, 0.5, 1.0)
        assert not spending.may_send(0.25, 0.25, 0.51, 1.0)

    def test_reservation(self) -> None:
        """(1,589 + 11) × 1.25 = 2,000 tokens × 2 + 500 × 8 = 8,000 millionths."""
        amount = spending.reservation(1589, answer_limit=500, price=MADE_UP, calibration=1.25)
        assert amount == pytest.approx(0.008)

    @pytest.mark.parametrize("amount", [0.0, -1.0, math.nan, math.inf])
    def test_no_amount(self, amount: float) -> None:
        """A budget must be an amount above 0."""
        with pytest.raises(ProjectError, match="a budget lies above 0"):
            spending.open_budget(amount, price=MADE_UP, model="m")

    def test_refused_where_it_could_not_be_kept(self) -> None:
        """Without a price, or without counts, a budget is refused before anything is sent."""
        with pytest.raises(ProjectError, match=r"^no price for model m in mine\.yaml") as bare:
            spending.open_budget(5.0, price=None, model="m", source="mine.yaml")
        assert bare.value.hint == hints.ADD_PRICE
        with pytest.raises(ProjectError, match=r"^the server did not count tokens"):
            spending.open_budget(5.0, price=MADE_UP, model="m", counts=False)
        assert spending.open_budget(5.0, price=FREE, model="m", counts=False).amount == 5.0
        assert spending.open_budget(5.0, price=MADE_UP, model="m", spent=2.0).spent == 2.0

    @given(
        amount=st.floats(0.01, 5),
        width=st.integers(1, 12),
        costs=st.lists(
            st.tuples(st.floats(0.001, 1), st.one_of(st.none(), st.floats(0, 3))), max_size=60
        ),
        order=st.randoms(use_true_random=False),
    )
    @examples(200)
    def test_no_schedule_overruns(
        self, amount: float, width: int, costs: list[tuple[float, float | None]], order: Any
    ) -> None:
        """With `width` in flight, settling in any order, at estimates that may be wrong.

        What is spent beyond the budget in the end is at most what the requests that were in
        flight when the last one was sent cost more than was reserved for them.
        """
        budget = Budget(amount)
        waiting = {str(number): pair for number, pair in enumerate(costs)}
        flying: dict[str, tuple[float, float | None]] = {}
        allowed = 0.0
        while waiting or flying:
            if waiting and len(flying) < width and (not flying or order.random() < 0.6):
                completion, (estimate, actual) = waiting.popitem()
                if not budget.reserve(completion, estimate):
                    waiting.clear()
                    continue
                assert budget.spent + budget.reserved <= amount + 1e-9
                flying[completion] = (estimate, actual)
                allowed = sum(a - e for e, a in flying.values() if a is not None and a > e)
            else:
                completion = order.choice(sorted(flying))
                budget.settle(completion, flying.pop(completion)[1])
        assert budget.reserved == 0.0
        assert budget.spent <= amount + allowed + 1e-9
