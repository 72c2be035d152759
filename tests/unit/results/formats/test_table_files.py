"""Workbook, Parquet and Data Package, read back by the libraries that their users have."""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any

import openpyxl
import pandas as pd
import pytest
from builders import bundle_facts

from labeler.results.formats import csv_files, data_package, excel, parquet
from labeler.store import tables

FACTS = bundle_facts()
ESTIMATES = tables.frame(
    tables.ESTIMATES,
    [
        {"batch": "one", "codebook": "k", "analysis": "=1+1", "measure": "share"}
        | {"estimator": "blind", "target": "collection", "code": code, "value": value}
        | {"count": count, "reason": "http://made.up/", "computed_from": "1"}
        for code, value, count in [("mood:good", 0.1234567890123456, 12), ("mood:bad", None, None)]
    ],
)
CODINGS = tables.frame(
    tables.CODINGS,
    [
        {"codebook": "k", "unit": "u", "coder": "human:a", "arm": "blind", "replicate": 1}
        | {"variable": name, "value": value}
        for name, value in [("mood", "good"), ("topics", ""), ("size", "001")]
    ],
)
FRAMES = {"codings": CODINGS, "estimates": ESTIMATES}


def test_a_workbook_holds_results_and_what_they_mean() -> None:
    """Numbers as numbers, texts as texts: no formula runs and no address is a link."""
    made = excel.FORMAT.files(FRAMES, FACTS)["results.xlsx"]
    read = openpyxl.load_workbook(io.BytesIO(made))
    assert read.sheetnames == ["columns", "estimates"]
    head, first, second = (
        {cell.column_letter: cell for cell in row} for row in read["estimates"].iter_rows()
    )
    of = {cell.value: letter for letter, cell in head.items()}
    assert first[of["value"]].value == 0.1234567890123456
    assert first[of["count"]].value == 12
    assert (first[of["analysis"]].value, first[of["analysis"]].data_type) == ("=1+1", "s")
    assert first[of["reason"]].hyperlink is None
    assert second[of["value"]].value is None
    told = {row[2].value: row[3].value for row in read["columns"].iter_rows(min_row=2)}
    assert told["target"] == tables.ESTIMATES.c.target.comment
    with zipfile.ZipFile(io.BytesIO(made)) as package:
        assert not any(b"<f>" in package.read(name) for name in package.namelist())


def test_a_table_too_long_for_a_sheet_is_told() -> None:
    read = openpyxl.load_workbook(io.BytesIO(excel.workbook(FRAMES, FACTS, most=1)))
    assert read.sheetnames == ["columns"]
    assert read["columns"]["D2"].value.startswith("too long for a sheet")


def test_parquet_keeps_types_and_every_bit() -> None:
    made = parquet.FORMAT.files(FRAMES, FACTS)
    assert set(made) == {"codings.parquet", "estimates.parquet"}
    read = pd.read_parquet(io.BytesIO(made["estimates.parquet"]))
    assert read["value"].tolist()[0] == 0.1234567890123456
    assert read["count"].tolist()[0] == 12
    assert pd.read_parquet(io.BytesIO(made["codings.parquet"]))["value"].tolist() == [
        *("good", "", "001"),
    ]


def test_a_data_package_describes_each_csv_file() -> None:
    """Every column of every file, in order, with its type and meaning."""
    package = json.loads(data_package.FORMAT.files(FRAMES, FACTS)["datapackage.json"])
    written = csv_files.FORMAT.files(FRAMES, FACTS)
    for resource in package["resources"]:
        header = written[resource["path"]].decode().splitlines()[0].split(",")
        fields = resource["schema"]["fields"]
        assert [field["name"] for field in fields] == header
    types = {field["name"]: field["type"] for field in package["resources"][1]["schema"]["fields"]}
    assert (types["value"], types["count"], types["code"]) == ("number", "integer", "string")
    assert package["resources"][1]["schema"]["primaryKey"] == tables.keys(tables.ESTIMATES)


@pytest.mark.parametrize("form", [excel, parquet, data_package])
def test_the_same_tables_give_the_same_bytes(form: Any) -> None:
    """Nothing of the clock is in them: no time but the workbook's fixed one."""
    made = form.FORMAT.files(FRAMES, FACTS)
    assert made == form.FORMAT.files(FRAMES, FACTS)
    for content in made.values():
        if content[:2] == b"PK":
            with zipfile.ZipFile(io.BytesIO(content)) as package:
                assert {entry.date_time[0] for entry in package.infolist()} == {1980}
                assert b"2000-01-01T00:00:00Z" in package.read("docProps/core.xml")
