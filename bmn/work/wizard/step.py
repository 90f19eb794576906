"""One step of the brand wizard: a conversation between a model and our own tools, within limits of turns and money.

The session's row is the conversation. It is written after every turn, so another worker goes on where this one stopped, and
the limits count over all attempts.
"""

import asyncio
import json
from collections.abc import Awaitable, Mapping
from dataclasses import replace
from functools import partial
from uuid import NAMESPACE_URL, uuid5

from bmn.db.engine import Connection
from bmn.db.library import brand_store
from bmn.db.records import AgentSessionRow, BrandRow
from bmn.db.wizard import session_store
from bmn.errors import BmnError, Cause, JobFailure
from bmn.jobs.context import Context, Result
from bmn.jobs.running_job import Fenced
from bmn.jobs.units import AttemptUnit, is_final, open_unit
from bmn.logs import get_logger
from bmn.providers.agent import Agent, ToolCall, Turn
from bmn.schemas.events import AgentMessage, JobToolError, Progress
from bmn.schemas.generators.wizard import BrandWizard
from bmn.schemas.results import WizardResult
from bmn.work import journey
from bmn.work.wizard.desk import Desk
from bmn.work.wizard.messages import history, read
from bmn.work.wizard.state import StepState
from bmn.work.wizard.step_prompts import LAST_STEP, opening, system_prompt
from bmn.work.wizard.tools import Tool, named_hosts, refusal_of, tools_of

log = get_logger(__name__)

STEP_UNIT = "step"
_TOOL_SECONDS = 40.0
_LONGEST_RESULT = 8000  # characters of a tool's answer


async def run(ctx: Context[BrandWizard]) -> Result:
    """Holds the step's conversation to its end, or to its limits."""
    payload = ctx.payload
    await ctx.progress("started", 2, "Starting the brand wizard", step=payload.step)
    session = await _open_session(ctx)
    desk = Desk(ctx, session.id, StepState.model_validate(session.state), named_hosts(payload.input))
    tools = tools_of(payload.step, desk.hosts)
    await _tell_crm(ctx, journey.wizard_started(ctx.core, desk.user_id, desk.brand_id))
    stopped = await _converse(ctx, session, desk, tools)
    return await _finish(ctx, desk, stopped)


# --- the session ---------------------------------------------------------------------------------------------------------


async def _open_session(ctx: Context[BrandWizard]) -> AgentSessionRow:
    """The session that the payload names, or the one that this job began; a job's first look begins its step in it."""
    job, payload = ctx.job, ctx.payload
    session_id = payload.session_id or str(uuid5(NAMESPACE_URL, f"{job.id}/session"))
    found = await ctx.db.read(lambda conn: session_store.get(conn, session_id))
    if found is None and payload.session_id:
        raise JobFailure(Cause.BAD_INPUT, "There is no such session of the wizard.")
    if found and (found.user_id, found.brand_id) != (job.user_id, job.brand_id):
        raise JobFailure(Cause.BAD_INPUT, "There is no such session of the wizard.")
    if found and StepState.model_validate(found.state).job == job.id:
        return found
    brand = await ctx.db.read(lambda conn: brand_store.get(conn, payload.brand_id, payload.user_id))
    ask = {"role": "user", "content": opening(payload.step, brand.name, payload.input)}
    session = AgentSessionRow(
        id=session_id,
        user_id=payload.user_id,
        brand_id=payload.brand_id,
        step=payload.step,
        messages=[*history(found.messages if found else []), ask],
        turns=found.turns if found else 0,
        cost_usd=found.cost_usd if found else 0.0,
        state=StepState(job=job.id).dump(),
    )
    await _save(ctx, session)
    return session


async def _save(ctx: Context[BrandWizard], session: AgentSessionRow) -> None:
    if not await ctx.commit(lambda conn: session_store.save(conn, ctx.job, session)):
        raise Fenced


# --- the conversation ----------------------------------------------------------------------------------------------------


async def _converse(ctx: Context[BrandWizard], session: AgentSessionRow, desk: Desk, tools: list[Tool]) -> str | None:
    """Turns and tools until the model has said its last word; returns why it was stopped before, or None."""
    payload = ctx.payload
    messages, state = session.messages, desk.state
    offered = {tool.name: tool for tool in tools}
    while True:
        last = read(messages[-1])
        if calls := last.calls:
            # Also after a crash: the answers are missing, and every tool may be asked again.
            results = [await _use(ctx, desk, payload.step, offered, call) for call in calls]
            messages.append({"role": "user", "content": results})
            await _save(ctx, replace(session, state=state.dump()))
            await _show(ctx, desk)
            continue
        if last.is_answer:
            return None
        if reason := await _limit_reached(ctx, session, state, payload.step, tools):
            return reason
        unit = await open_unit(ctx, f"turn-{state.turns}")
        turn = await _turn(ctx, unit, payload.step, session, tools)
        messages.append(turn.message)
        state.turns += 1
        session = replace(session, turns=session.turns + 1, cost_usd=session.cost_usd + turn.cost_usd)
        if turn.text:
            state.text = turn.text
        await _save(ctx, replace(session, state=state.dump()))
        # Only now: a unit that is not closed was asked for, and its answer is not in the session.
        await unit.answered(usd=turn.cost_usd)
        await _show(ctx, desk)
        if turn.text:
            await ctx.publish(partial(AgentMessage, content=turn.text))


async def _turn(
    ctx: Context[BrandWizard], unit: AttemptUnit, step: str, session: AgentSessionRow, tools: list[Tool]
) -> Turn:
    """One paid turn. Its unit says whether it was asked before without an answer."""
    client = ctx.client(Agent)
    if failure := unit.failed_for_good():
        raise failure
    schemas = [tool.schema() for tool in tools]
    async with ctx.calling(unit.name):
        try:
            async with unit.paying({"messages": len(session.messages)}, provider=client.provider):
                return await client.turn(system_prompt(step), session.messages, schemas)
        except JobFailure as failure:
            if is_final(failure):
                await unit.fail(failure)
            raise


async def _limit_reached(
    ctx: Context[BrandWizard], session: AgentSessionRow, state: StepState, step: str, tools: list[Tool]
) -> str | None:
    """Why no further turn may be bought; None while one may. Counts over all attempts of the job."""
    settings = ctx.settings
    if state.turns >= settings.agent_max_turns:
        return f"stopped at its limit of {settings.agent_max_turns} turns"
    spent = await ctx.db.read(lambda conn: session_store.spent(conn, ctx.job.id))
    read = len(json.dumps(session.messages)) + len(system_prompt(step)) + sum(len(str(t.schema())) for t in tools)
    if spent + ctx.client(Agent).estimate(read) > settings.agent_max_usd:
        return f"stopped at its limit of {settings.agent_max_usd:.2f} USD"
    return None


async def _use(
    ctx: Context[BrandWizard], desk: Desk, step: str, offered: dict[str, Tool], call: ToolCall
) -> dict[str, object]:
    """One tool's answer, or why there is none. Only a tool of this step is ever run."""
    tool = offered.get(call.name)
    try:
        if tool is None:
            raise JobFailure(Cause.BAD_INPUT, "There is no such tool in this step.")
        arguments = tool.arguments.model_validate(call.input)
        async with asyncio.timeout(_TOOL_SECONDS):
            answer = await tool.run(desk, arguments, call.id)
    except Exception as error:
        why = refusal_of(error)
        if why is None:
            raise
        await ctx.publish(partial(JobToolError, tool_name=call.name[:64], error=why))
        return {"type": "tool_result", "tool_use_id": call.id, "content": why, "is_error": True}
    done = desk.state.done
    if call.name not in done:
        done.append(call.name)
    percent = 10 + 80 * len(done) / max(len(offered), 1)
    label = call.name.replace("_", " ")
    await ctx.progress("processing", percent, f"Completed: {label}", tool_name=call.name, step=step)
    text = answer if isinstance(answer, str) else json.dumps(answer, ensure_ascii=False)
    return {"type": "tool_result", "tool_use_id": call.id, "content": text[:_LONGEST_RESULT]}


# --- the end -------------------------------------------------------------------------------------------------------------


async def _finish(ctx: Context[BrandWizard], desk: Desk, stopped: str | None) -> Result:
    state, step = desk.state, ctx.payload.step
    data = await _result(ctx, desk)
    if stopped:
        return await _stopped(ctx, step, stopped, state, data)
    brand = await desk.change_brand(
        lambda conn: _note_step(conn, desk, step, {"text": state.text[:4000], **state.found}),
        {"status": "complete"} if step == LAST_STEP else {},
    )
    unit = await open_unit(ctx, STEP_UNIT)
    if not unit.saved:
        await unit.finish(Progress("saving", 97, f"{step} is done", step))
    await _tell_crm(ctx, journey.step_completed(ctx.core, desk.user_id, desk.brand_id, step, ctx.job.id))
    if step == LAST_STEP:
        await _tell_crm(ctx, journey.brand_completed(ctx.core, desk.user_id, brand))
    return Result(f"{step} is done", data=data)


async def _result(ctx: Context[BrandWizard], desk: Desk) -> WizardResult:
    state = desk.state
    return WizardResult(
        session_id=desk.session_id,
        step=ctx.payload.step,
        result=state.text,
        turns=state.turns,
        cost=round(await ctx.db.read(lambda conn: session_store.spent(conn, ctx.job.id)), 6),
        suggestions=state.suggestions,
        profits=state.profits,
        jobs=state.started,
        proposed=state.proposed,
        proposal=state.proposal,
    )


async def _show(ctx: Context[BrandWizard], desk: Desk) -> None:
    """From its first words or finished tool on, a step is worth its price, also to who cancels it."""
    if desk.state.has_shown:
        unit = await open_unit(ctx, STEP_UNIT)
        if not unit.saved:
            await unit.show(await _result(ctx, desk))


async def _stopped(ctx: Context[BrandWizard], step: str, why: str, state: StepState, data: WizardResult) -> Result:
    """A step at its limit: what it has said and done is kept and charged, as it was paid for; without any it has failed.

    Were it free, a step that is made to loop would be the way to spend our money for nothing.
    """
    await ctx.log("warning", f"The wizard {why}.", step=step)
    if not state.has_shown:
        raise JobFailure(Cause.TIMEOUT, f"{step} {why}, with nothing to show.", retryable=False)
    unit = await open_unit(ctx, STEP_UNIT)
    if not unit.saved:
        await unit.finish(Progress("saving", 97, f"{step} {why}", step))
    return Result(f"{step} {why}", data=data, partial=True)


def _note_step(conn: Connection, desk: Desk, step: str, found: Mapping[str, object]) -> BrandRow:
    """Keeps what a step has found in the brand's record; the last step completes the brand."""
    brand = brand_store.get(conn, desk.brand_id, desk.user_id)
    steps = {**brand.details.get("steps", {}), step: found}
    columns = {"status": "complete"} if step == LAST_STEP else {}
    return brand_store.merge(conn, desk.brand_id, desk.user_id, columns, {"steps": steps})


async def _tell_crm(ctx: Context[BrandWizard], telling: Awaitable[None]) -> None:
    """The user's own work does not wait for the CRM or a mail, and never fails of them."""
    try:
        await telling
    except BmnError as problem:
        log.warning("a step of the journey was not reported", job_id=ctx.job.id, problem=problem.message)
