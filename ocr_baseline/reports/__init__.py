"""Renderers: each takes a `Baseline` (the series: a `Run`; a sweep: `SweepJob`s) and returns text.

| module | returns | file |
| --- | --- | --- |
| `markdown` | the report for people | `baseline.md` |
| `terminal` | a summary for a terminal | |
| `json_document` | the document for programs | `baseline.json` |
| `pictures_page` | charts on one page, drawn by `charts` | `baseline.html` |
| `metrics_csv` | every number in long form | `metrics.csv` |
| `series_csv` | every batch of the run | `batches.csv` |
| `sweep_markdown` | the jobs of a sweep side by side | `sweep_baselines.md` |
| `sweep_csv` | the same as numbers | `sweep_baselines.csv` |

A renderer computes no statistics, touches no file and prints nothing; `formatting` alone scales
and rounds.
"""
