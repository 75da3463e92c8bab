from __future__ import annotations

import pytest

from ocr_baseline.analysis.functions.sampled_lines import SampledLine, sampled_lines
from ocr_baseline.vocabulary import Stage
from tests.ocr_baseline.analysis.sampled_stacks import CALL, FIT, samples

STEP = f"{FIT} lightning:run user:Net.training_step"


def train_line(line: str, found: dict[str, int]) -> SampledLine:
    return sampled_lines([samples({line: found})])["train", line]


def cause(line: str, found: dict[str, int]) -> str | None:
    named = train_line(line, found).cause
    return None if named is None else named.name


def separable(found: dict[str, int], least: float = 0.1) -> list[str]:
    return [one.name for one in train_line("forward", found).separable(least)]


def test_functions_come_with_their_shares_and_margin_the_heaviest_first() -> None:
    heavy, light = train_line(
        "data_wait", {f"{FIT} user:read": 25, f"{FIT} user:read user:decode": 75}
    ).functions
    assert (heavy.name, heavy.self_share, heavy.inclusive_share) == ("read", 0.25, 1.0)
    assert (light.name, light.self_share, light.inclusive_share) == ("decode", 0.75, 0.75)
    assert (light.low, light.high) == pytest.approx((0.657, 0.825), abs=0.001)
    assert (light.file, light.line, light.origin) == ("/home/me/project/train.py", 6, "user")


def test_the_script_around_the_trainer_and_frames_that_only_pass_on_are_left_out() -> None:
    found = train_line("data_wait", {f"{FIT} lightning:run ours:wrapper user:read": 40})
    assert [one.name for one in found.functions] == ["read"]


def test_an_optimizers_step_is_around_what_it_calls_and_no_part_of_it() -> None:
    stepping = f"{FIT} automatic:_optimizer_step user:Net.optimizer_step user:Opt.step"
    inside = f"{stepping} automatic:Closure.__call__ automatic:Closure.closure"
    forward = {f"{inside} automatic:_training_step user:Net.training_step user:draw": 40}
    found = train_line("forward", forward).functions
    assert {one.name for one in found} == {"Net.training_step", "draw"}
    assert cause("forward", forward) == "draw"
    assert separable(forward) == ["draw"]
    assert cause("optimizer", {stepping: 40}) == "Opt.step"


def test_a_loop_or_a_trainer_of_the_users_is_around_its_lines_and_no_part_of_them() -> None:
    looping = f"{FIT} user:Trains._run_stage lightning:run user:Loop.advance lightning:advance"
    step = f"{looping} call:_call_strategy_hook user:Net.training_step"
    assert cause("forward", {step: 40}) is None
    assert separable({step: 40}) == []
    fetch = f"{looping} fetchers:_DataFetcher.__next__ loader:fetch"
    assert cause("data_wait", {f"{fetch} user:Data.__getitem__": 40}) == "Data.__getitem__"
    assert cause("data_wait", {f"{fetch} monai:Dataset.load": 40}) == "Dataset.load"


def test_a_function_that_calls_itself_counts_once_a_stack() -> None:
    [one] = train_line("data_wait", {f"{FIT} user:walk user:walk user:walk": 40}).functions
    assert (one.inclusive_share, one.self_share) == (1.0, 1.0)


def test_the_twenty_heaviest_functions_are_kept() -> None:
    found = train_line("data_wait", {f"{FIT} user:f{n}": 100 - n for n in range(30)})
    assert [one.name for one in found.functions] == [f"f{n}" for n in range(20)]


def test_functions_of_the_framework_with_hardly_any_code_of_their_own_are_left_out() -> None:
    stacks = {f"{FIT} torch:wrapper user:read": 99, f"{FIT} torch:wrapper": 1}
    assert [one.name for one in train_line("data_wait", stacks).functions] == ["read"]
    stacks[f"{FIT} torch:wrapper"] = 5
    assert [one.name for one in train_line("data_wait", stacks).functions] == ["wrapper", "read"]


def test_the_deepest_user_function_that_holds_half_of_the_line_is_its_cause() -> None:
    assert (
        cause(
            "data_wait",
            {
                f"{FIT} loader:fetch user:Data.__getitem__ user:Blur.__call__ scipy:convolve": 60,
                f"{FIT} loader:fetch user:Data.__getitem__ user:Flip.__call__": 40,
            },
        )
        == "Blur.__call__"
    )


def test_where_no_callee_holds_half_the_function_around_them_is_the_cause() -> None:
    assert (
        cause(
            "data_wait", {f"{FIT} loader:fetch user:Data.__getitem__ user:t{n}": 25 for n in "abcd"}
        )
        == "Data.__getitem__"
    )


def test_what_several_datasets_call_is_the_cause_where_none_of_them_holds_half() -> None:
    fetch = f"{FIT} loader:fetch torch:ConcatDataset.__getitem__"
    each = {f"{fetch} user:{name}.__getitem__ user:decode": 30 for name in ("A", "B", "C")}
    assert cause("data_wait", each) == "decode"


def test_what_several_datasets_do_alone_leaves_what_is_around_them_as_the_cause() -> None:
    fetch = f"{FIT} loader:fetch torch:ConcatDataset.__getitem__"
    each = {f"{fetch} user:{name}.__getitem__": 30 for name in ("A", "B", "C")}
    assert cause("data_wait", each) == "ConcatDataset.__getitem__"
    assert train_line("data_wait", each).functions[0].name == "ConcatDataset.__getitem__"


def test_a_comprehension_is_named_by_the_function_around_it() -> None:
    assert cause("data_wait", {f"{FIT} user:Data.load user:Data.load.<locals>.<listcomp>": 40}) == (
        "Data.load"
    )


@pytest.mark.parametrize("ticks", [29, 30])
def test_a_cause_needs_thirty_samples(ticks: int) -> None:
    assert cause("data_wait", {f"{FIT} user:read": ticks}) == (None if ticks < 30 else "read")


def test_without_a_user_function_the_library_that_lightning_calls_is_named() -> None:
    metric = "torchmetrics:Metric.forward torchmetrics:Accuracy.update torchmetrics:_count"
    assert cause("metrics", {f"{FIT} {CALL} {metric}": 60, f"{FIT} lightning:x": 20}) == (
        "Accuracy.update"
    )


def test_a_librarys_dataset_and_transform_are_named_by_their_special_methods() -> None:
    fetch = f"{FIT} loader:_BaseDataLoaderIter.__next__ molecules:Dataset.__getitem__"
    featurizer = f"{fetch} molecules:Featurizer.__call__"
    assert cause("data_wait", {f"{featurizer} rdkit:_atoms": 50, f"{featurizer}": 40}) == (
        "Featurizer.__call__"
    )
    assert cause("data_wait", {f"{fetch} molecules:_read": 40}) == "Dataset.__getitem__"


@pytest.mark.parametrize("process", ["main", "worker"])
def test_a_transform_that_is_a_torch_module_is_no_layer_of_the_model(process: str) -> None:
    begin = "lightning:Trainer.fit" if process == "main" else "worker:_worker_loop"
    item = f"{begin} fetch:_MapDatasetFetcher.fetch vision:Digits.__getitem__"
    stacks = {
        f"{item} vision:Compose.__call__ {CALL} vision:Normalize.forward": 35,
        f"{item} vision:Compose.__call__ vision:ToTensor.__call__": 35,
        item: 10,
    }
    assert cause("data_wait", stacks) == "Compose.__call__"
    blur = {f"{item} {CALL} user:Blur.forward torch:conv2d": 40}
    assert cause("data_wait", blur) == "Blur.forward"


def test_a_special_method_of_a_called_library_is_a_public_name() -> None:
    assert cause("forward", {f"{STEP} tokenizers:Tokenizer.__call__ tokenizers:_run": 40}) == (
        "Tokenizer.__call__"
    )


def test_a_module_of_a_library_is_looked_into_like_the_users() -> None:
    plot = "forecasting:Net.log_prediction forecasting:Net.plot matplotlib:savefig"
    assert (
        cause(
            "forward",
            {
                f"{FIT} forecasting:Net.validation_step {plot}": 80,
                f"{FIT} forecasting:Net.validation_step {CALL} forecasting:Lstm.forward": 20,
            },
        )
        == "Net.plot"
    )


def test_a_library_that_the_step_calls_is_named_rather_than_the_step() -> None:
    assert (
        cause("forward", {f"{STEP} torchmetrics:accuracy torchmetrics:_count": 90, STEP: 10})
        == "accuracy"
    )


def test_of_torch_a_public_function_is_named_where_nothing_else_is() -> None:
    assert cause("optimizer", {f"{FIT} torch:clip_grad_norm_ torch:_foreach": 40}) == (
        "clip_grad_norm_"
    )


def test_the_wrappers_of_torch_are_passed_over() -> None:
    wrapped = f"{FIT} torch:wrap.<locals>.wrapper torch:SGD.step torch:no_grad.<locals>.call"
    assert cause("optimizer", {wrapped: 40}) == "SGD.step"


def test_a_layer_is_named_only_where_nothing_else_is() -> None:
    layer = f"{STEP} {CALL} user:Net.forward {CALL} user:Block.forward torch:conv2d"
    assert cause("forward", {layer: 40}) == "Block.forward"
    assert cause("forward", {layer: 40, f"{STEP} user:draw": 60}) == "draw"


def test_a_step_that_is_all_its_own_is_no_cause_of_forward() -> None:
    assert cause("forward", {STEP: 40}) is None


def test_a_function_of_the_step_beside_the_model_is_separable() -> None:
    assert separable(
        {
            f"{STEP} {CALL} user:Net.forward torch:conv2d": 60,
            f"{STEP} user:log_images user:draw user:put": 25,
            f"{STEP} user:tiny": 4,
        }
    ) == ["put"]


def test_a_step_shared_by_training_and_validation_is_the_model_and_not_separable() -> None:
    shared = f"{STEP} user:Net.shared_step"
    assert (
        separable({f"{shared} {CALL} user:Net.forward": 60, f"{shared} torch:cross_entropy": 40})
        == []
    )
    assert separable({f"{shared} {CALL} user:Net.forward": 60, f"{shared} user:decode": 40}) == [
        "decode"
    ]


def test_a_function_called_in_two_places_counts_with_both() -> None:
    found = train_line(
        "forward", {f"{STEP} user:decode": 30, f"{STEP} user:other user:decode": 30, STEP: 40}
    )
    [one] = found.separable(0.1)
    assert (one.name, one.inclusive_share) == ("decode", 0.6)


def test_in_workers_everything_up_to_their_loop_is_left_out() -> None:
    begin = f"{FIT} loader:start stdlib:run worker:_worker_loop"
    found = sampled_lines(
        [
            samples(
                {
                    "fetch": {f"{begin} loader:fetch user:Data.__getitem__": 20},
                    "op:decode": {f"{begin} loader:fetch user:Data.__getitem__ user:decode": 20},
                    "idle": {f"{begin} stdlib:get": 500},
                },
                process="worker",
            )
        ]
    )
    [workers] = found.values()
    assert list(found) == [("train", "fetch")]
    assert [(one.name, one.inclusive_share) for one in workers.functions] == [
        ("Data.__getitem__", 1.0),
        ("decode", 0.5),
    ]


def test_a_loop_of_ones_own_is_left_out_where_several_lines_are_in_it() -> None:
    loop = "user:<module> user:main user:train"
    found = sampled_lines(
        [
            samples(
                {"forward": {f"{loop} user:decode": 40}, "data_wait": {f"{loop} loader:next": 40}}
            )
        ]
    )
    assert [one.name for one in found["train", "forward"].functions] == ["decode"]


def test_hooks_of_all_callbacks_are_one_line_and_other_stages_have_none() -> None:
    hooks = {"callbacks:A": {f"{FIT} user:A.hook": 30}, "callbacks:B": {f"{FIT} user:B.hook": 10}}
    found = sampled_lines([samples(hooks), samples(hooks, which=Stage.SANITY_CHECK)])
    assert {place: one.ticks for place, one in found.items()} == {("train", "callbacks"): 40}
