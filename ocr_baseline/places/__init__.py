"""A place stands for runs: the one way in which every command and the Python API name them.

| place | the run there |
| --- | --- |
| a folder | records, a document or a logger's files in it (`layout` has the order); runs below it |
| a file | a document, a CSVLogger's `metrics.csv`, TensorBoard's events, a `.wandb` file, records |
| a pattern | every file and folder that matches |
| `csv:PATH`, `tensorboard:PATH` | what that logger left there, the newest version of several |
| `mlflow:ID`, `wandb:ID` | a run at a server; a W&B run's URL needs no prefix |
| a name | the runs that a store keeps under it, before a folder of that name |
"""

from ocr_baseline.places.locating import locate, locate_one
from ocr_baseline.places.place import FoundRun, Place, Reading
from ocr_baseline.places.reading import read, read_all, read_one
from ocr_baseline.places.summaries import stored_calibration, summaries

__all__ = [
    "FoundRun",
    "Place",
    "Reading",
    "locate",
    "locate_one",
    "read",
    "read_all",
    "read_one",
    "stored_calibration",
    "summaries",
]
