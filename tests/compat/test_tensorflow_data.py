"""`tf.data` beside `Dataset`: CSV files and `tf.data.experimental`; the values are those of TensorFlow 2.15.1."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import pytest
import torch

from torchkeras_compat.compat import tensorflow_names


def of(name: str, part: str = "data.experimental") -> Any:
    return tensorflow_names.find(part, name)


Dataset = of("Dataset", "data")


def values(data: Any) -> list[Any]:
    return list(data.as_numpy_iterator())


@pytest.fixture
def table(tmp_path: Path) -> str:
    path = tmp_path / "a.csv"
    path.write_text('age,name,fare,big,label\n1,x,2.5,4000000000,0\n2,"y, z",,5,1\n,w,1e3,6,0\n')
    return str(path)


def test_csv_files_as_columns(table: str) -> None:
    batches = values(of("make_csv_dataset")(table, 2, label_name="label", num_epochs=1, shuffle=False))
    features, labels = batches[0]
    assert list(features) == ["age", "name", "fare", "big"]
    assert features["age"].tolist() == [1, 2]
    assert features["age"].dtype == "int32"
    assert features["name"].tolist() == [b"x", b"y, z"]
    assert features["fare"].tolist() == [2.5, 0.0]
    assert features["fare"].dtype == "float32"
    assert features["big"].tolist() == [4000000000, 5]
    assert features["big"].dtype == "int64"
    assert labels.tolist() == [0, 1]
    assert batches[1][0]["age"].tolist() == [0]
    assert len(batches) == 2


def test_csv_files_as_told(table: str) -> None:
    make = of("make_csv_dataset")
    chosen = make(
        table, 3, select_columns=["label", "age"], column_defaults=[[7.0], "int64"], num_epochs=1, shuffle=False
    )
    [columns] = values(chosen)
    assert columns["age"].tolist() == [1.0, 2.0, 7.0]
    assert columns["label"].tolist() == [0, 1, 0]
    endless = make(table, 2, label_name="label")
    assert [len(labels) for _, labels in values(endless.take(5))] == [2] * 5
    with pytest.raises(ValueError, match="label_name must be one of"):
        make(table, 2, label_name="lable")
    with pytest.raises(ValueError, match="no file matches"):
        make(table + ".none", 2)
    with pytest.raises(ValueError, match="give column_names"):
        make(table, 2, header=False)


def test_csv_lines_that_cannot_be_read(tmp_path: Path) -> None:
    path = tmp_path / "b.csv"
    path.write_text("1,2\n3,x\n5,6\n7\n")
    make = of("make_csv_dataset")
    told: dict[str, Any] = {"column_names": ["a", "b"], "header": False, "num_epochs": 1, "shuffle": False}
    [columns] = values(make(str(path), 9, column_defaults=["int32", "int32"], ignore_errors=True, **told))
    assert columns["a"].tolist() == [1, 5]
    assert columns["b"].tolist() == [2, 6]
    with pytest.raises(ValueError, match="2 fields are expected"):
        values(make(str(path), 9, column_defaults=["int32", "int32"], **told))


def test_csv_lines_as_tuples(table: str, tmp_path: Path) -> None:
    zipped = tmp_path / "a.csv.gz"
    zipped.write_bytes(gzip.compress(Path(table).read_bytes()))
    for path, kind in ((table, None), (str(zipped), "GZIP")):
        read = of("CsvDataset")
        rows = values(read(path, [torch.tensor([9]), torch.float32], kind, header=True, select_cols=[0, 3]))
        assert rows == [(1, 4e9), (2, 5.0), (9, 6.0)]
        rest = values(read(path, ["string", [0]], kind, header=True, exclude_cols=[0, 2, 3]))
        assert rest == [(b"x", 0), (b"y, z", 1), (b"w", 0)]
    with pytest.raises(ValueError, match="must not be empty"):
        values(of("CsvDataset")(table, ["int32"], header=True, select_cols=[0]))


def test_functions_for_apply() -> None:
    numbers = Dataset.range(6)
    assert [x.tolist() for x in numbers.apply(of("map_and_batch")(lambda x: x * 2, 4))] == [[0, 2, 4, 6], [8, 10]]
    assert sorted(values(numbers.apply(of("shuffle_and_repeat")(3, 2)))) == sorted([*range(6)] * 2)
    repeated = of("parallel_interleave")(lambda x: Dataset.from_tensors(x).repeat(2), cycle_length=2)
    assert values(Dataset.range(3).apply(repeated)) == [0, 1, 0, 1, 2, 2]
    assert values(numbers.apply(of("take_while")(lambda x: x < 3))) == [0, 1, 2]
    assert values(numbers.apply(of("scan")(0, lambda s, x: (s + x, s + x)))) == [0, 1, 3, 6, 10, 15]
    assert values(Dataset.from_tensor_slices([1, 2, 1]).apply(of("unique")())) == [1, 2]
    assert values(numbers.apply(of("prefetch_to_device")("/gpu:0"))) == [0, 1, 2, 3, 4, 5]
    assert int(of("get_single_element")(Dataset.from_tensors(4))) == 4


def test_the_number_of_elements_as_announced() -> None:
    few = Dataset.range(5).filter(lambda x: x > 1)
    assert few.cardinality() == of("UNKNOWN_CARDINALITY") == -2
    assert of("INFINITE_CARDINALITY", "data") == -1
    assert len(few.apply(of("assert_cardinality")(3))) == 3 == len(values(few.apply(of("assert_cardinality")(3))))
    for wrong, told in ((2, "there are more"), (4, "there are 3")):
        with pytest.raises(ValueError, match=told):
            values(few.apply(of("assert_cardinality")(wrong)))


def test_types_and_shapes_as_tensorflow_1_asks_for_them() -> None:
    data = Dataset.from_tensor_slices(([[1, 2]], [1.0]))
    assert of("get_output_types", "compat.v1.data")(data) == ("int32", "float32")
    assert of("get_output_shapes", "compat.v1.data")(data) == ((2,), ())
    assert [spec.shape for spec in of("get_structure")(data)] == [(2,), ()]


def test_records_of_one_length(tmp_path: Path) -> None:
    path = tmp_path / "bytes"
    path.write_bytes(b"abcdefgh")
    read = of("FixedLengthRecordDataset", "data")
    assert values(read(str(path), 2, header_bytes=2)) == [b"cd", b"ef", b"gh"]
    with pytest.raises(ValueError, match="no whole number of records of 3"):
        values(read(str(path), 3))
