import asyncio

from gateway.inbox import Inbox
from gateway.model import Fact, Heartbeat, Stall
from tests.virtual_time import run

A, B, C = (Heartbeat(name) for name in "abc")


def test_facts_leave_in_the_order_in_which_they_came() -> None:
    async def main() -> list[tuple[int, Fact]]:
        inbox = Inbox()
        for moment, fact in ((3, A), (1, B), (2, C)):
            await inbox.put(moment, fact)
        assert len(inbox) == 3
        return inbox.take(2) + inbox.take(2)

    assert run(main()) == [(3, A), (1, B), (2, C)]


def test_urgent_fact_goes_before_all_and_needs_no_room() -> None:
    async def main() -> list[tuple[int, Fact]]:
        inbox = Inbox(facts_max=1)
        await inbox.put(1, A)
        inbox.put_first(0, Stall(5))
        return inbox.take(9)

    assert run(main()) == [(0, Stall(5)), (1, A)]


def test_put_waits_while_it_is_full_and_nothing_is_lost() -> None:
    async def main() -> None:
        inbox = Inbox(facts_max=2)
        done: list[int] = []

        async def put(number: int) -> None:
            await inbox.put(number, A)
            done.append(number)
            assert len(inbox) <= 2

        tasks = [asyncio.create_task(put(number)) for number in range(7)]
        await asyncio.sleep(1)
        assert done == [0, 1]
        taken = []
        while len(taken) < 7:
            taken += [moment for moment, _ in inbox.take(1)]
            await asyncio.sleep(0)
            await asyncio.sleep(0)
        assert sorted(taken) == list(range(7))
        await asyncio.gather(*tasks)

    run(main())


def test_wait_ends_by_a_fact_and_by_a_poke() -> None:
    async def main() -> list[str]:
        inbox, woken = Inbox(), []

        async def waiter() -> None:
            for _ in range(2):
                await inbox.wait()
                woken.append(f"{len(inbox)} there")
                inbox.take(9)

        task = asyncio.create_task(waiter())
        await asyncio.sleep(1)
        assert woken == []
        inbox.poke()
        await asyncio.sleep(1)
        await inbox.put(1, A)
        await task
        return woken

    assert run(main()) == ["0 there", "1 there"]


def test_drained_is_told_when_everything_was_taken() -> None:
    async def main() -> bool:
        inbox = Inbox()
        await inbox.drained()
        await inbox.put(1, A)
        task = asyncio.create_task(inbox.drained())
        await asyncio.sleep(1)
        assert not task.done()
        inbox.take(1)
        await asyncio.sleep(1)
        return task.done()

    assert run(main())
