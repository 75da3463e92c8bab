"""Comparison of baselines: pure functions from run summaries to verdicts.

| module | holds |
| --- | --- |
| `metrics` | what is compared: direction, unit, margin, where it stands in the document |
| `summary` | one run reduced to what a comparison needs |
| `identity` | fingerprint, and what differs in environment, workload and config |
| `intervals` | the interval of a change: calibrated, set against set, history |
| `judging` | verdicts from intervals, and how many runs would settle them |
| `breakdown` | which lines account for the change of a phase |
| `comparison` | `compare`: everything above put together |
| `calibration` | a machine's own spread from A/A runs |
| `repeated` | how much runs of the same code differ, without more |
| `drift` | change points of a history |
| `check` | the gate: gated metrics, budgets, and what was found of them |
"""
