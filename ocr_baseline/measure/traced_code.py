"""Keeps the measuring out of code that torch compiles, so that it compiles to the same graphs.

Nothing here imports torch: its compilers look for attributes of the functions that they meet.
`_torchdynamo_inline` names what torch.compile and torch.export trace instead of a function, a
function with `_torchdynamo_disable` is called as it is between two graphs, and one with
`_dynamo_marked_constant` is called once while they trace.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from ocr_baseline.signal_errors import suppress_failures

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import FunctionType

INLINE = "_torchdynamo_inline"
DISABLE = "_torchdynamo_disable"
MOST_SILENT_NAMES = 100
MOST_SILENT_LETTERS = 200
_FRAMEWORKS = frozenset({"lightning", "pytorch_lightning"})

_silent: dict[str, None] = {}


def silent_names() -> tuple[str, ...]:
    """Names of the sections and operations that are in code which torch compiled so far."""
    return tuple(_silent)


def note_silent(name: str) -> None:
    """Keep the name of a section in compiled code; the compiler calls this as it traces."""
    if len(_silent) < MOST_SILENT_NAMES:
        _silent[name[:MOST_SILENT_LETTERS]] = None


note_silent._dynamo_marked_constant = True  # type: ignore[attr-defined]  # see the module


def trace_instead(function: Any, silent: Callable[..., Any]) -> None:
    """Let torch's compilers trace `silent` where a call of `function` is."""
    setattr(function, INLINE, silent)


def call_between_graphs(function: Any) -> None:
    """Let torch's compilers end a graph before a call of `function`, and begin the next after it.

    For what breaks graphs without us too. Its calls keep their object: where a graph breaks in what
    `INLINE` names, torch.compile calls that without the object of a method, and fails.
    """
    setattr(function, DISABLE, True)
    _skip(function)


def show_to_dynamo(function: FunctionType, original: FunctionType, names: Sequence[str]) -> None:
    """Let torch's compilers trace the original of a timed function, without its timing."""
    if "torch" not in sys.modules:
        return

    if _breaks_graphs(function):
        call_between_graphs(function)
        return

    def silent(*args: Any, **kwargs: Any) -> Any:
        for name in names:
            note_silent(name)
        return original(*args, **kwargs)

    if is_method(function) or not names:
        silent = original
    if not _is_in_graphs(function):
        trace_instead(function, silent)
    _skip(function)


def _breaks_graphs(function: FunctionType) -> bool:
    """Whether a timed function is one of Lightning's that end a graph without us too.

    Those are its methods but a module's `forward`, which has the module's own code in one graph.
    """
    is_framework = str(function.__module__).partition(".")[0] in _FRAMEWORKS
    return is_framework and is_method(function) and function.__name__ != "forward"


def is_method(function: FunctionType) -> bool:
    """Whether a function is of a class's namespace, where torch.compile finds it by an object.

    What it traces instead must have the closure of the function itself then, and where a graph
    breaks in it torch (2.14) calls it without its object: see `when_compiler_begins`.
    """
    owner = function.__qualname__.rpartition(".")[0]
    return bool(owner) and not owner.endswith("<locals>")


def _skip(function: FunctionType) -> None:
    """Let torch.compile make no graphs of a function's own code."""
    eval_frame = sys.modules.get("torch._dynamo.eval_frame")
    with suppress_failures():  # a torch without it compiles the timed function less well
        eval_frame.skip_code(function.__code__)  # type: ignore[union-attr]  # None is suppressed


def when_compiler_begins(begins: Callable[..., None]) -> None:
    """Call `begins` each time that torch begins to compile, once its compiler is loaded.

    Harmless when repeated. A torch without such callbacks calls nothing.
    """
    callback = sys.modules.get("torch._dynamo.callback")
    with suppress_failures():  # not loaded, or one that names it otherwise
        handler = callback.callback_handler  # type: ignore[union-attr]  # None is suppressed
        if begins not in handler.start_callbacks:
            handler.register_start_callback(begins)


def leave_untraced(*functions: Any) -> None:
    """Keep torch's compiler from looking at functions that run in the midst of compiled code.

    This is torch's C module, which is there before the compiler is imported.
    """
    c_module: Any = sys.modules.get("torch._C._dynamo.eval_frame")
    with suppress_failures():  # no torch, or one that names it otherwise
        is_old = hasattr(c_module, "skip_code")  # torch before 2.7
        for function in functions:
            if is_old:
                c_module.skip_code(function.__code__)
            else:
                skip = c_module._FrameAction.SKIP
                strategy = c_module._FrameExecStrategy(skip, skip)
                c_module.set_code_exec_strategy(function.__code__, strategy)


def _is_in_graphs(function: FunctionType) -> bool:
    """Whether torch puts a function of its own, or another in its place, into graphs by its object.

    None of its code is traced then.
    """
    if not str(function.__module__).startswith("torch"):
        return False
    rules = sys.modules.get("torch._dynamo.trace_rules")
    with suppress_failures():  # torch's own tables, which a version may name otherwise
        if function in rules.get_torch_obj_rule_map():  # type: ignore[union-attr]  # as above
            return True
    functional = sys.modules.get("torch.distributed._functional_collectives")
    with suppress_failures():
        return function in functional.traceable_collective_remaps  # type: ignore[union-attr]
    return False


def unshow_to_dynamo(function: FunctionType) -> None:
    """Take back what `show_to_dynamo` left on a function."""
    vars(function).pop(INLINE, None)
    vars(function).pop(DISABLE, None)


def show_stand_in(stand_in: Any, original: Any) -> None:
    """Let torch's compilers take a stand-in for the function of torch that it stands in for."""
    builtins = sys.modules.get("torch.jit._builtins")
    rules = sys.modules.get("torch._dynamo.trace_rules")
    with suppress_failures():  # torch's own tables, which a version may name otherwise
        operator = builtins._find_builtin(original)  # type: ignore[union-attr]  # None is suppressed
        if operator is not None:
            builtins._register_builtin(stand_in, operator)  # type: ignore[union-attr]  # as above
    with suppress_failures():  # looked up by name once, so before a stand-in has the name
        rules.get_torch_obj_rule_map()  # type: ignore[union-attr]  # None is suppressed
