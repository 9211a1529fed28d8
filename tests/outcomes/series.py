"""Reference series that others have worked out."""

import csv
import os
from datetime import datetime
from pathlib import Path

import pytest

# Flow of the Nile at Aswan, 1871–1970 (Cobb 1978; statsmodels.datasets.nile).
NILE = [
    1120, 1160, 963, 1210, 1160, 1160, 813, 1230, 1370, 1140, 995, 935, 1110, 994, 1020, 960, 1180, 799, 958, 1140,
    1100, 1210, 1150, 1250, 1260, 1220, 1030, 1100, 774, 840, 874, 694, 940, 833, 701, 916, 692, 1020, 1050, 969,
    831, 726, 456, 824, 702, 1120, 1100, 832, 764, 821, 768, 845, 864, 862, 698, 845, 744, 796, 1040, 759,
    781, 865, 845, 944, 984, 897, 822, 1010, 771, 676, 649, 846, 812, 742, 801, 1040, 860, 874, 848, 890,
    744, 749, 838, 1050, 918, 986, 797, 923, 975, 815, 1020, 906, 901, 1170, 912, 746, 919, 718, 714, 740,
]  # fmt: skip

# NIST/SEMATECH e-Handbook of Statistical Methods, 6.3.2.4.
NIST_EWMA = [
    52.0, 47.0, 53.0, 49.3, 50.1, 47.0, 51.0, 50.1, 51.2, 50.5, 49.6, 47.6, 49.9, 51.3, 47.8, 51.2, 52.6, 52.4, 53.6,
    52.1,
]  # fmt: skip

# Sen 1968, 10.1080/01621459.1968.10480934, section 6.
SEN_X = [1, 2, 3, 4, 10, 12, 18]
SEN_Y = [9, 15, 19, 20, 45, 55, 78]


def real_data(name: str) -> Path:
    """A file of real data that lies beside the project; the test is skipped where it doesn't."""
    root = Path(__file__).resolve().parents[2]
    beside = os.environ.get("STEADYBACK_REAL_DATA")
    for folder in [Path(beside)] if beside else [root / "../shared/data", root / "../../shared/data"]:
        if (folder / name).is_file():
            return folder / name
    pytest.skip(f"real data not present: {name} (STEADYBACK_REAL_DATA names its folder)")


def weekly_depression() -> list[tuple[str, float]]:
    """28 uneven weekly SCL-90-R depression scores of one person (Kossakowski et al. 2017, 10.5334/jopd.29)."""
    scores = {}
    with real_data("kossakowski/ESMdata.csv").open(newline="") as file:
        for row in csv.DictReader(file):
            if row["dep"] != "NA":
                day = datetime.strptime(row["date"], "%d/%m/%y").date()  # noqa: DTZ007
                scores[day.isoformat()] = float(row["dep"])
    return sorted(scores.items())
