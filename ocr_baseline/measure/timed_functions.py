"""Times Python functions where they are: the function object stays, only its code is exchanged.

Whoever holds the function (a dataset, a checkpoint, a partial, another module) holds the timed one,
and finds nothing changed: identity, attributes, defaults, signature, source, pickling by name. The
exchanged code runs the original code inside a context. Runs that time the same function at the
same time share it, and the last one to let go puts the original code back.
"""

from __future__ import annotations

import ast
import inspect
import threading
from dataclasses import dataclass, field
from types import CodeType, FunctionType
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from ocr_baseline.measure.sections import section, tell_runs
from ocr_baseline.measure.timed_calls import steps_inside
from ocr_baseline.measure.traced_code import (
    is_method,
    show_to_dynamo,
    unshow_to_dynamo,
    when_compiler_begins,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    ContextOfCall = Callable[[Any], AbstractContextManager[Any]]
    """Returns the context of one call, from its first argument."""

_CALLED, _CONTEXT, _STEPS = ".called", ".context", ".steps"
"""Constants that `_inside` exchanges for others: no parameter has such a name."""


@dataclass(frozen=True, eq=False)
class CallContext:
    """What the calls of a function run inside.

    Attributes:
        context: The context; with `by_first_argument` a function that returns it.
        by_first_argument: Whether each call has a context of its own.
        key: Equal for contexts that time the same calls as the same section; None for others.
    """

    context: Any
    by_first_argument: bool = False
    key: tuple[Any, ...] | None = None


@dataclass
class _Timed:
    function: FunctionType
    code: CodeType
    contexts: list[CallContext] = field(default_factory=list)
    exchanged: CodeType | None = None


_timed: dict[int, _Timed] = {}
_lock = threading.RLock()
_codes: WeakKeyDictionary[FunctionType, dict[str, CodeType]] = WeakKeyDictionary()
"""Code that times a function as one section. What torch.compile made of it stays valid for it."""


def is_exchangeable(value: Any) -> bool:
    """Whether a callable is a Python function, whose code can be exchanged."""
    return type(value) is FunctionType


def time_function(function: FunctionType, context: CallContext) -> None:
    """Run every call of `function` inside `context`, besides the contexts that it has."""
    with _lock:
        timed = _timed.get(id(function))
        if timed is None:
            timed = _timed[id(function)] = _Timed(function, function.__code__)
        timed.contexts.append(context)
        _exchange(timed)
    if context.key is not None:
        watch_compiler()


def watch_compiler() -> None:
    """Give methods back as soon as torch compiles, if its compiler is loaded by now."""
    if any(_is_given_back(timed) for timed in list(_timed.values())):
        when_compiler_begins(_give_methods_back)


def _is_given_back(timed: _Timed) -> bool:
    """Whether a function is a method that is timed as an operation alone."""
    return is_method(timed.function) and all(one.key is not None for one in timed.contexts)


def _give_methods_back(*_: object) -> None:
    """Put the own code of methods back for good: torch is about to compile.

    It finds a method by its object, traces it as it is, and checks at each later call that its
    code is still the same.
    """
    with _lock:
        names: list[str] = []
        for timed in [one for one in _timed.values() if _is_given_back(one)]:
            names += [str(one.key[0]) for one in timed.contexts if one.key]
            timed.contexts.clear()
            _exchange(timed)
            del _timed[id(timed.function)]
    if names:
        tell_runs(
            "From the moment on at which torch began to compile, methods were not timed any more: "
            f"{', '.join(dict.fromkeys(names))}. Functions are; put section() around what isn't "
            "compiled."
        )


def untime_function(function: FunctionType, context: CallContext) -> None:
    """Take a context away; without any left the function has its own code again.

    Code that somebody else has put in place meanwhile stays.
    """
    with _lock:
        timed = _timed.get(id(function))
        if timed is None:
            return
        if context in timed.contexts:  # else Ctrl-C cut this short before: it is done again
            timed.contexts.remove(context)
        _exchange(timed)
        if not timed.contexts:
            del _timed[id(function)]


def _exchange(timed: _Timed) -> None:
    function = timed.function
    if function.__code__ is not (timed.exchanged or timed.code):
        return
    if timed.contexts:
        contexts = list({one.key or id(one): one for one in timed.contexts}.values())
        code, original = _code_inside(timed, contexts)
        function.__code__ = timed.exchanged = code
        show_to_dynamo(function, original, _names(contexts))
    else:
        function.__code__ = timed.code
        timed.exchanged = None
        unshow_to_dynamo(function)


def _names(contexts: list[CallContext]) -> list[str]:
    return [one.context.name for one in contexts if isinstance(one.context, section)]


def _code_inside(timed: _Timed, contexts: list[CallContext]) -> tuple[CodeType, FunctionType]:
    function = timed.function
    original = _copy(function, timed.code)
    name = _sole_section(contexts)
    known = _codes.setdefault(function, {})
    if name is not None and name in known:
        return known[name], original
    code = timed.code
    called: Any = original
    for context in contexts:
        code = _inside(timed.code, called, context)
        called = _copy(function, code)
    if name is not None:
        known.clear()
        known[name] = code
    return code, original


def _sole_section(contexts: list[CallContext]) -> str | None:
    names = _names(contexts)
    return names[0] if len(names) == len(contexts) == 1 else None


def _copy(function: FunctionType, code: CodeType) -> FunctionType:
    copy = FunctionType(
        code, function.__globals__, function.__name__, function.__defaults__, function.__closure__
    )
    copy.__kwdefaults__ = function.__kwdefaults__
    copy.__qualname__ = function.__qualname__
    return copy


def _inside(code: CodeType, called: FunctionType, context: CallContext) -> CodeType:
    """Return code with the face of `code` that calls `called` inside `context`."""
    template = _template(code, by_first_argument=context.by_first_argument)
    constants = {_CALLED: called, _CONTEXT: context.context, _STEPS: steps_inside}
    # Python 3.10 has no co_qualname.
    face = {"co_qualname": code.co_qualname} if hasattr(code, "co_qualname") else {}
    return template.replace(
        co_consts=tuple(
            constants.get(value, value) if isinstance(value, str) else value
            for value in template.co_consts
        ),
        co_filename=code.co_filename,
        co_firstlineno=code.co_firstlineno,
        co_name=code.co_name,
        co_varnames=code.co_varnames,
        co_nlocals=code.co_nlocals,
        co_freevars=code.co_freevars,
        co_flags=template.co_flags | (code.co_flags & inspect.CO_ITERABLE_COROUTINE),
        **face,
    )


def _template(code: CodeType, *, by_first_argument: bool) -> CodeType:
    """Compile a function with the parameters of `code`, all on its first line.

    What it needs are constants, which `_inside` puts in: a function may have no room for more
    variables than it has.
    """
    parameters, arguments, first = _signature(code)
    context: ast.expr = ast.Constant(_CONTEXT)
    if by_first_argument:
        context = _call(_callable(_CONTEXT), [first])
    call = ast.Call(_callable(_CALLED), *arguments)
    body: ast.stmt
    if code.co_flags & inspect.CO_GENERATOR:
        steps = _call(_callable(_STEPS), [call, context])
        body = ast.Return(ast.YieldFrom(steps))
    else:
        body = ast.With([ast.withitem(context)], [ast.Return(call)])
    free = [f".free{index}" for index in range(len(code.co_freevars))]
    # As many variables of an enclosing function as the closure has: the compiler makes room for
    # them, and what looks into a frame (a debugger, a traceback with locals) finds them there.
    timed = _function("timed", parameters, [body, *(ast.Expr(_name(name)) for name in free)])
    assigned: list[ast.stmt] = [
        ast.Assign([ast.Name(name, ast.Store())], ast.Constant(None)) for name in free
    ]
    module = ast.Module([_function("enclosing", _no_parameters(), [*assigned, timed])], [])
    for node in ast.walk(module):
        if isinstance(node, ast.expr | ast.stmt | ast.arg | ast.keyword):
            node.lineno = node.end_lineno = 1
            node.col_offset = node.end_col_offset = 0
    compiled = compile(module, code.co_filename, "exec", dont_inherit=True)
    return _function_in(_function_in(compiled))


def _function(name: str, parameters: ast.arguments, body: list[ast.stmt]) -> ast.FunctionDef:
    function = ast.FunctionDef(name, parameters, body, [])
    if hasattr(function, "type_params"):  # from Python 3.12 on
        function.type_params = []
    return function


def _no_parameters() -> ast.arguments:
    return ast.arguments([], [], None, [], [], None, [])


def _function_in(code: CodeType) -> CodeType:
    return next(value for value in code.co_consts if isinstance(value, CodeType))


def _signature(
    code: CodeType,
) -> tuple[ast.arguments, tuple[list[ast.expr], list[ast.keyword]], ast.expr]:
    """Return the parameters of `code`, the arguments that hand them on, and the first of them."""
    names = code.co_varnames
    positional = code.co_argcount
    keyword_end = positional + code.co_kwonlyargcount
    has_rest, has_keywords = (
        bool(code.co_flags & inspect.CO_VARARGS),
        bool(code.co_flags & inspect.CO_VARKEYWORDS),
    )
    rest = names[keyword_end] if has_rest else None
    keywords = names[keyword_end + has_rest] if has_keywords else None
    parameters = ast.arguments(
        posonlyargs=[ast.arg(name) for name in names[: code.co_posonlyargcount]],
        args=[ast.arg(name) for name in names[code.co_posonlyargcount : positional]],
        vararg=ast.arg(rest) if rest else None,
        kwonlyargs=[ast.arg(name) for name in names[positional:keyword_end]],
        kw_defaults=[None] * code.co_kwonlyargcount,
        kwarg=ast.arg(keywords) if keywords else None,
        defaults=[],
    )
    handed: list[ast.expr] = [_name(name) for name in names[:positional]]
    if rest:
        handed.append(ast.Starred(_name(rest), ast.Load()))
    by_keyword = [ast.keyword(name, _name(name)) for name in names[positional:keyword_end]]
    if keywords:
        by_keyword.append(ast.keyword(None, _name(keywords)))
    return parameters, (handed, by_keyword), _first(handed, rest)


def _first(handed: list[ast.expr], rest: str | None) -> ast.expr:
    """Return the first argument of a call: None where there is none."""
    if handed and not isinstance(handed[0], ast.Starred):
        return handed[0]
    if rest is None:
        return ast.Constant(None)
    return ast.IfExp(
        _name(rest), ast.Subscript(_name(rest), ast.Constant(0), ast.Load()), ast.Constant(None)
    )


def _name(name: str) -> ast.expr:
    return ast.Name(name, ast.Load())


def _call(function: ast.expr, arguments: list[ast.expr]) -> ast.expr:
    return ast.Call(function, arguments, [])


def _callable(constant: str) -> ast.expr:
    """A constant as one of two equal cases: Python warns of code that calls a constant as such.

    The compiler leaves the constant alone of it, and no variable that a user's code could see.
    """
    return ast.IfExp(ast.Constant(True), ast.Constant(constant), ast.Constant(constant))
