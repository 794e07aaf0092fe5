"""Tables in CSV and Parquet files that pandas wrote, and what is said of those that cannot be used."""

import sys

import numpy as np
import pytest
from pandas import DataFrame
from sklearn.datasets import load_diabetes, load_wine

from core import InputError
from training.workloads.data.table import read_table
from training.workloads.regression import TABLE, Regression

WINE = load_wine(as_frame=True).frame.rename(columns={"od280/od315_of_diluted_wines": "diluted, by OD280/OD315"})
"""178 wines, 13 measurements and a class; the name of a column has a comma in it."""


def csv(path, frame, **options):
    frame.to_csv(path / "table.csv", index=False, **options)
    return path / "table.csv"


def parquet(path, frame, **options):
    frame.to_parquet(path / "table", **options)
    return path / "table"


WRITTEN = {
    "CSV": (csv, WINE, {}),
    "semicolons and Windows's lines": (csv, WINE, {"sep": ";", "lineterminator": "\r\n"}),
    "tabs, quotes and a mark of the byte order": (csv, WINE, {"sep": "\t", "quoting": 1, "encoding": "utf-8-sig"}),
    "semicolons and quoted names with more commas": (
        csv,
        WINE.rename(columns={"ash": "ash, in g, or %"}).set_axis([f"{one}, g, l" for one in WINE], axis=1),
        {"sep": ";", "quoting": 1},
    ),
    "semicolons and names with as many commas": (
        lambda path, frame: of("height, cm;weight, kg;y, m; z\n1;2;3;4\n")(path),
        DataFrame({"height, cm": [1], "weight, kg": [2], "y, m": [3], "z": [4]}),
        {},
    ),
    "Parquet": (parquet, WINE, {}),
    "Parquet, in groups of rows and packed": (parquet, WINE, {"row_group_size": 7, "compression": "gzip"}),
    "other types of numbers": (parquet, WINE.astype({"alcohol": "float32", "proline": "Int16", "target": "uint8"}), {}),
}


@pytest.mark.parametrize(("write", "frame", "options"), WRITTEN.values(), ids=WRITTEN)
def test_a_table_that_pandas_wrote_is_read_to_the_bit(tmp_path, write, frame, options):
    """pandas writes floats so that they are read to the same bits. Would catch columns in another order, a name that is
    cut at its comma, and a first or last row that is lost."""
    found = read_table(write(tmp_path, frame, **options))
    assert [*found.names] == [*frame.columns]
    np.testing.assert_array_equal(found.numbers, frame.to_numpy(float))


def changed(row, column, value):
    """The wines with another value in the first column, as pandas writes it."""
    frame = WINE.astype({column: object})
    frame.loc[row, column] = value
    return frame


def of(text):
    return lambda path: (path / "table.csv").write_text(text) and path / "table.csv"


def cut(path):
    parquet(path, WINE).write_bytes(parquet(path, WINE).read_bytes()[:-40])
    return path / "table"


WRONG = {
    "a word": (lambda path: csv(path, changed(6, "ash", "high")), "ash must hold finite numbers, found 'high' in row"),
    "nothing": (lambda path: csv(path, changed(6, "ash", None)), "ash must hold finite numbers, found a missing val"),
    "NA": (of("a,b\n1,2\n3,NA\n"), "column b must hold finite numbers, found a missing value in row 2"),
    "infinity": (of("a,b\n1,2\n3,inf\n"), "column b must hold finite numbers, found inf in row 2"),
    "a comma for a point": (of("a;b\n1;2,5\n"), "column b must hold finite numbers, found '2,5' in row 1"),
    "no name": (lambda path: (WINE.to_csv(path / "t.csv"), path / "t.csv")[1], "found none for column 1: an index"),
    "one name twice": (of("a,b,a\n1,2,3\n"), "must have columns of different names, found a twice"),
    "no names": (of("1,2\n3,4\n"), "must name its columns in its first row, found numbers: 1, 2"),
    "numbers and a missing one for names": (of("1,2,NA\n3,4,5\n"), "must name its .* found numbers: 1, 2, NA"),
    "a column without a name, read and written again": (
        of("Unnamed: 0,a,b\n0,1,2\n"), "found Unnamed: 0 for column 1: an index is no measurement"),
    "an index with a name in Parquet": (
        lambda path: parquet(path, WINE.rename_axis("wine").set_index(WINE.ash.rename("number"), append=False)),
        "must have columns alone, found number, an index of pandas': index=False leaves it out"),
    "no text": (of("\n"), "must name its columns in its first row, found nothing"),
    "no rows": (of("a,b\n"), "has no rows below the names of its 2 columns"),
    "a short row": (of("a,b\n1,2\n3\n"), "must have 2 values in each row, .*, found 1 in row 2"),
    "an open quote": (of('a,b\n1,"2\n'), "is no CSV file: unexpected end of data, in line 2"),
    "not UTF-8": (lambda path: csv(path, WINE.rename(columns={"ash": "Asché"}), encoding="latin-1"), "no CSV .* UTF-8"),
    "a folder": (lambda path: path, "must be a CSV or Parquet file, found a folder"),
    "no file": (lambda path: path / "absent", "absent must be a CSV or Parquet file, found nothing"),
    "words in Parquet": (lambda path: parquet(path, WINE.assign(ash="x")), "column ash must hold numbers, found .*str"),
    "nothing in Parquet": (
        lambda path: parquet(path, WINE.assign(ash=WINE.ash.where(WINE.index != 6))),
        "column ash must hold finite numbers, found a missing value in row 7",
    ),
    "an index in Parquet": (lambda path: parquet(path, WINE.set_index(WINE.ash.to_numpy())), "found __index_level_0"),
    "half of a Parquet file": (cut, "is no Parquet file, or a damaged one|cannot be read: "),
}  # fmt: skip


@pytest.mark.parametrize(("write", "sentence"), WRONG.values(), ids=WRONG)
def test_a_table_that_cannot_be_used_is_refused_by_column_and_row(tmp_path, write, sentence):
    with pytest.raises(InputError, match=sentence) as error:
        read_table(write(tmp_path))
    assert str(tmp_path) in str(error.value)
    assert "\n" not in str(error.value)


def test_parquet_without_its_reader_is_one_sentence_and_csv_needs_none(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    monkeypatch.setitem(sys.modules, "pandas", None)
    assert read_table(TABLE).numbers.shape == (442, 11)
    path = tmp_path / "table"
    path.write_bytes(b"PAR1")
    with pytest.raises(InputError, match=r"table is a Parquet file, which PyArrow reads: pip install 'rawstep\[parq"):
        read_table(path)


def test_the_target_is_one_column_and_the_others_are_what_it_is_estimated_from(tmp_path):
    """Would catch a target that stays among the columns: it would be estimated without an error."""
    path = csv(tmp_path, WINE)
    data = Regression(table=path, target="alcohol").data(0)
    assert [len(part[0]) for part in data.splits.values()] == [142, 18, 18]
    assert data.summary == (
        "142 rows of 13 columns for training, alcohol from 11.03 to 14.83, all standardised; 18 for validation, 18 for "
        "the test"
    )
    whole = WINE.to_numpy(float)
    back = np.concatenate([np.column_stack([targets, rows]) for rows, targets in data.splits.values()])
    trained = np.concatenate([data.train[1][:, np.newaxis], data.train[0]], axis=1)
    np.testing.assert_allclose(trained.mean(axis=0), 0, atol=1e-5)
    np.testing.assert_allclose(trained.std(axis=0), 1, atol=1e-5)
    correlations = np.corrcoef(back, rowvar=False)  # which no scale changes
    np.testing.assert_allclose(correlations, np.corrcoef(whole, rowvar=False), atol=1e-5)
    last = Regression(table=path).data(0)
    assert "target from 0 to 2" in last.summary


def test_the_same_rows_are_the_same_data_wherever_they_come_from(tmp_path):
    """The patients from scikit-learn, by pandas, in Parquet: the splits of the package's own."""
    published = load_diabetes(as_frame=True, scaled=False).frame
    ours, theirs = Regression().data(3), Regression(table=parquet(tmp_path, published)).data(3)
    for one, other in zip(ours.splits.values(), theirs.splits.values(), strict=True):
        for array, same in zip(one, other, strict=True):
            np.testing.assert_array_equal(array, same)
    assert ours.chosen == theirs.chosen == "45 drawn from seed 3"


@pytest.mark.parametrize(
    ("frame", "target", "sentence"),
    [
        (WINE, "alcool", "has no column 'alcool'; it has: alcohol, malic_acid, ash"),
        (WINE.head(9), None, "must have 10 or more rows of two or more columns, found 9 of 14"),
        (WINE[["ash"]], None, "must have 10 or more rows of two or more columns, found 178 of 1"),
        (WINE.assign(ash=0.1), None, "column ash must vary, found 0.1 in all 142 rows that are trained on"),
        (WINE.assign(target=2), None, "column target must vary, found 2 in all 142 rows"),
        (WINE.assign(ash=WINE.ash * 1e300), None, r"ash must have a deviation in float64, found .* to 3.22e.300"),
        (WINE.assign(ash=WINE.ash * 1e-200), None, "column ash must have a deviation in float64, found .*e-200"),
    ],
)
def test_a_table_that_cannot_be_trained_on_is_refused(tmp_path, frame, target, sentence):
    """A deviation of 0.1 in every row is no 0 in floating point: it would be divided by."""
    with pytest.raises(InputError, match=sentence):
        Regression(table=csv(tmp_path, frame), target=target).data(0)
