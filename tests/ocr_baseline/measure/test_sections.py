from __future__ import annotations

import inspect
import threading
from collections.abc import AsyncIterator, Generator, Iterator
from pathlib import Path

import pytest

from ocr_baseline import section as exported
from ocr_baseline.measure.sections import is_listening, join, leave, listen, section
from tests.ocr_baseline.measure.noted_blocks import Blocks


def test_the_package_offers_the_same_section() -> None:
    assert exported is section


def test_a_section_does_nothing_when_nobody_listens() -> None:
    with section("quiet"):
        pass

    assert not is_listening()


def test_a_block_begins_and_ends(blocks: Blocks) -> None:
    with section("outer"), section("inner"):
        pass

    assert blocks.log == ["+outer", "+inner", "-inner", "-outer"]


def test_a_block_ends_when_an_exception_leaves_it_and_the_exception_goes_on(
    blocks: Blocks,
) -> None:
    with pytest.raises(LookupError, match="mine"), section("failing"):
        raise LookupError("mine")

    assert blocks.log == ["+failing", "-failing"]


def test_one_section_may_be_used_again_and_inside_itself(blocks: Blocks) -> None:
    again = section("again")
    with again, again:
        pass
    with again:
        pass

    assert blocks.log == ["+again", "+again", "-again", "-again", "+again", "-again"]


def test_a_decorated_function_is_a_section_at_each_call_and_keeps_its_face(
    blocks: Blocks,
) -> None:
    @section("add")
    def add(left: int, *, right: int = 1) -> int:
        """Add two numbers."""
        return left + right

    assert (add(1), add(1, right=5)) == (2, 6)
    assert blocks.log == ["+add", "-add"] * 2
    assert (add.__name__, add.__doc__) == ("add", "Add two numbers.")
    assert list(inspect.signature(add).parameters) == ["left", "right"]


def test_a_decorated_method_gets_its_instance(blocks: Blocks) -> None:
    class Counter:
        count = 0

        @section("step")
        def step(self) -> int:
            self.count += 1
            return self.count

    counter = Counter()

    assert (counter.step(), counter.step()) == (1, 2)
    assert len(blocks.log) == 4


def test_each_step_of_a_decorated_generator_is_a_section_and_what_its_user_does_is_not(
    blocks: Blocks,
) -> None:
    @section("step")
    def count(end: int) -> Iterator[int]:
        for number in range(end):
            blocks.log.append(f"make {number}")
            yield number

    for number in count(2):
        blocks.log.append(f"use {number}")

    assert blocks.log == [
        *("+step", "make 0", "-step", "use 0"),
        *("+step", "make 1", "-step", "use 1"),
        *("+step", "-step"),
    ]


def test_a_decorated_generator_is_sent_to_thrown_into_and_closed_as_before(blocks: Blocks) -> None:
    ended = []

    @section("step")
    def echo() -> Generator[object, object, str]:
        received: object = "ready"
        try:
            while received != "stop":
                try:
                    received = yield received
                except LookupError as error:
                    received = error.args[0]
        finally:
            ended.append(True)
        return "stopped"

    talking = echo()
    assert next(talking) == "ready"
    assert talking.send("sent") == "sent"
    assert talking.throw(LookupError("thrown")) == "thrown"
    with pytest.raises(StopIteration) as stopped:
        talking.send("stop")
    assert stopped.value.value == "stopped"
    closed = echo()
    next(closed)
    closed.close()
    assert ended == [True, True]
    assert blocks.log == ["+step", "-step"] * 6
    failing = echo()
    next(failing)
    with pytest.raises(ZeroDivisionError):
        failing.throw(ZeroDivisionError())


def test_an_asynchronous_function_is_refused_with_what_to_do_instead() -> None:
    async def later() -> None: ...

    async def stream() -> AsyncIterator[int]:
        yield 1

    for function in (later, stream):
        with pytest.raises(TypeError, match=r"asynchronous.*put `with section"):
            section("later")(function)


def test_a_section_that_began_before_the_listener_ends_without_harm(blocks: Blocks) -> None:
    listen(None)
    with section("early"):
        listen(blocks)

    assert blocks.log == ["-early"]


def test_a_section_whose_listener_left_ends_without_harm(blocks: Blocks) -> None:
    with section("late"):
        listen(None)

    assert blocks.log == ["+late"]


def test_sections_of_all_threads_reach_the_listener(blocks: Blocks) -> None:
    def work() -> None:
        with section("thread"):
            pass

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(blocks.log) == ["+thread"] * 3 + ["-thread"] * 3


def test_any_name_is_a_name(blocks: Blocks) -> None:
    for name in ("", "|`\n", "日本", "op:x", "../etc"):
        with section(name):
            pass

    assert len(blocks.log) == 10


class Unprintable:
    def __str__(self) -> str:
        raise ArithmeticError("no text")


class Shouted(str):
    def __str__(self) -> str:
        return self.upper()


def test_a_name_that_is_no_text_is_shown_as_text(blocks: Blocks) -> None:
    for name in (Path("images/a"), 5, None, Shouted("low"), Unprintable()):
        with section(name):  # type: ignore[arg-type]  # that is the case
            pass

    begun = [line for line in blocks.log if line[0] == "+"]
    assert begun == ["+images/a", "+5", "+None", "+low", "+a Unprintable without a name"]


@pytest.mark.parametrize("method", ["enter", "exit"])
def test_a_failure_of_the_measuring_ends_it_and_not_the_block(
    method: str, blocks: Blocks, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(self: Blocks) -> None:
        raise ZeroDivisionError("ours")

    monkeypatch.setattr(Blocks, method, fail)
    done = []

    for _ in range(3):
        with section("part"):
            done.append(True)

    assert len(done) == 3
    assert not is_listening()
    assert [record.getMessage() for record in caplog.records] == [
        "Sections and operations are no longer timed (ZeroDivisionError: ours). The run goes on."
    ]
    assert blocks.log[-1].startswith("Sections and operations are no longer timed")


def test_two_runs_in_threads_get_the_sections_of_their_own_thread() -> None:
    class Run(Blocks):
        @property
        def thread(self) -> int:
            return self.ident

    own, other = Run(), Run()
    own.ident = threading.get_ident()

    def run() -> None:
        other.ident = threading.get_ident()
        join(other)
        with section("other"):
            pass

    join(own)
    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    with section("own"):
        pass
    leave(own)
    with section("of whoever is left"):
        pass
    leave(other)

    assert own.log == ["+own", "-own"]
    assert other.log == ["+other", "-other", "+of whoever is left", "-of whoever is left"]
    assert not is_listening()
