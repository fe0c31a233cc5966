"""`snug chat`: talk to a model in the terminal.

With `-p` one answer is printed and nothing is kept unless `--save` is given; without, it is a conversation that
is kept in the library like one in the window, unless `--no-save` is given.
"""

from __future__ import annotations

import sys
from argparse import ArgumentParser, BooleanOptionalAction, Namespace

from snug.commands.command import Command, Context
from snug.commands.find_model import ChosenModel, find_model, plan_load, record_load
from snug.commands.talk import ChatRecord, LineReader, Talk
from snug.core.errors import UserError
from snug.worker import protocol
from snug.worker.client import WorkerClient

LONGEST_PROMPT_BYTES = 2 * 1024 * 1024


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("model", metavar="MODEL", help='a model of the library, a GGUF file, or "pip"')
    parser.add_argument("-p", "--prompt", help='ask this one question ("-" reads it from the input) and end')
    parser.add_argument("--system", default="", help="what the model is told before the conversation")
    parser.add_argument("--context", type=int, default=0, metavar="N", help="conversation memory in tokens")
    parser.add_argument("--threads", type=int, default=0, metavar="N", help="processor threads")
    parser.add_argument("--temperature", type=float, default=0.7, metavar="T", help="0 always takes the likeliest word")
    parser.add_argument("--max-tokens", type=int, default=2048, metavar="N", help="end the answer after so many tokens")
    parser.add_argument("--seed", type=int, default=-1, metavar="N", help="the same answer each time")
    parser.add_argument("--repack", action="store_true", help="rearrange weights for the processor, for more memory")
    parser.add_argument("--save", action=BooleanOptionalAction, default=None, help="keep the conversation, or not")


def run(arguments: Namespace, context: Context) -> int:
    """Ask one question, or talk until the person ends it."""
    check(arguments, context)
    model = find_model(arguments.model, context)
    child = context.child()
    loaded = load(model, arguments, context, child)
    one_question = arguments.prompt is not None
    save = arguments.save if arguments.save is not None else not one_question
    talk = Talk(
        context=context,
        child=child,
        sampling=protocol.Sampling(
            temperature=arguments.temperature, max_tokens=arguments.max_tokens, seed=arguments.seed
        ),
        system=arguments.system,
        record=open_record(model, context, must=bool(arguments.save)) if save else None,
    )
    if not one_question:
        context.say(f"This is {model.name}. Ctrl-C stops an answer; /quit ends the chat.")
        talk.run(LineReader(context))
        return 0
    question = read_prompt(arguments.prompt)
    reply = talk.ask(question)
    if context.json:
        context.print_document(
            {
                "model": model.name,
                "path": model.path,
                "prompt": question,
                "answer": reply.text,
                "reason": reply.done.reason,
                "tokens": reply.done.tokens,
                "tokens_per_s": reply.done.tokens_per_s,
                "first_token_s": reply.done.first_token_s,
                "prompt_tokens": reply.done.prompt_tokens,
                "prompt_tokens_per_s": reply.done.prompt_tokens_per_s,
                "context": reply.done.context,
                "left_out": reply.left_out,
                "memory": {
                    "weights": loaded.weights_bytes,
                    "conversation": loaded.conversation_bytes,
                    "compute": loaded.compute_bytes,
                },
                "notice": loaded.notice,
            }
        )
    return 0


def check(arguments: Namespace, context: Context) -> None:
    """Raises UserError (bad_input) for what cannot be meant."""
    wrong = ""
    if context.json and arguments.prompt is None:
        wrong = "--json needs a question"
    elif not 0 <= arguments.context <= 10_000_000:
        wrong = "--context must be a number of tokens"
    elif not 0 <= arguments.threads <= 1024:
        wrong = "--threads must be between 0 and 1024"
    elif not 0 <= arguments.temperature <= 5:
        wrong = "--temperature must be between 0 and 5"
    elif arguments.max_tokens < 1:
        wrong = "--max-tokens must be at least 1"
    if wrong:
        raise UserError(f"{wrong}.", "See `snug chat --help`.", kind="bad-argument", bad_input=True)


def load(model: ChosenModel, arguments: Namespace, context: Context, child: WorkerClient) -> protocol.ModelLoaded:
    """Load the model in the child; notices go to stderr."""
    plan = plan_load(model, context, arguments.context, arguments.threads, repack=arguments.repack)
    child.memory = plan.memory
    loaded = child.request(plan.request)
    if not isinstance(loaded, protocol.ModelLoaded):
        raise UserError("Loading was cancelled.", kind="cancelled")
    record_load(model, plan, loaded, context)
    if loaded.notice:
        context.note(loaded.notice)
    return loaded


def open_record(model: ChosenModel, context: Context, *, must: bool) -> ChatRecord | None:
    """Where the conversation is kept; None, with a word, where the window has the library open."""
    try:
        store = context.open_store(write=True)
    except UserError as error:
        if must or error.kind != "already-open":
            raise
        context.note("Snug is open in a window, so this conversation will not be kept.")
        return None
    known = store.models.by_path(model.path)
    return ChatRecord(store, ChosenModel(model.name, model.path, known.id if known else None))


def read_prompt(prompt: str) -> str:
    """The question; "-" reads it from the standard input."""
    if prompt != "-":
        return prompt
    data = sys.stdin.buffer.read(LONGEST_PROMPT_BYTES + 1)
    if len(data) > LONGEST_PROMPT_BYTES:
        raise UserError("That text is too long.", "Use at most 2 MB.", kind="too-long", bad_input=True)
    return data.decode("utf-8", "replace")


COMMANDS = (Command("chat", "talk to a model", add_arguments, run),)
