//! Tables through a whole explanation: whatever their form and however they are cut into blocks.

use std::path::{Path, PathBuf};

use ndarray::Array2;
use pellucid_core::Work;

use super::explain::{TableExplanation, TableRequest, explain_table};
use super::method::{TreeMethod, TreeOptions};
use super::model::TreeModel;
use crate::output_target::OutputTarget;
use crate::{ModelOptions, npy, npz};

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/trees").join(name)
}

/// Rows of which most cells are 0, the last with one that is missing.
fn rows(n_rows: usize, n_features: usize) -> Array2<f64> {
    Array2::from_shape_fn((n_rows, n_features), |(row, feature)| {
        let place = row * n_features + feature;
        match (row + feature) % 3 {
            _ if place + 1 == n_rows * n_features => f64::NAN,
            0 => ((place * 7919) % 41) as f64 / 10.0 - 2.0,
            _ => 0.0,
        }
    })
}

/// As SciPy's `save_npz` writes a matrix, without what is `absent`.
fn save_npz(path: &Path, rows: &Array2<f64>, absent: f64) {
    let (mut starts, mut columns, mut values) = (vec![0], Vec::new(), Vec::new());
    for row in rows.rows() {
        for (column, &x) in row.iter().enumerate() {
            if !(x == absent || x.is_nan() && absent.is_nan()) {
                columns.push(column as i64);
                values.push(x);
            }
        }
        starts.push(columns.len() as i64);
    }
    let ints = |numbers: Vec<i64>| npy::bytes(&ndarray::Array1::from(numbers).into_dyn());
    let mut format = npy::header::<u8>(&[3]);
    format.extend(b"csr");
    let at = format.windows(3).position(|part| part == b"|u1").unwrap();
    format[at + 1] = b'S';
    let arrays = [
        ("data", npy::bytes(&ndarray::Array1::from(values).into_dyn())),
        ("format", format),
        ("indices", ints(columns)),
        ("indptr", ints(starts)),
        ("shape", ints(vec![rows.nrows() as i64, rows.ncols() as i64])),
    ];
    std::fs::write(path, npz::bytes(&arrays).unwrap()).unwrap();
}

fn explained(model: &TreeModel, table: &Path, options: &TreeOptions, work: &Work) -> TableExplanation {
    let request = TableRequest {
        method: TreeMethod::new(None, options, model).unwrap(),
        target: OutputTarget::All,
        seed: 3,
        array: None,
        other_columns: Vec::new(),
    };
    explain_table(model, &[table.to_owned()], &request, None, work).unwrap()
}

/// What a sparse matrix leaves out is what the library takes it for: missing in XGBoost, 0 in LightGBM.
#[test]
fn sparse_tables_are_explained_as_dense_ones() {
    let folder = tempfile::tempdir().unwrap();
    let (dense, sparse) = (folder.path().join("rows.npy"), folder.path().join("rows.npz"));
    for (name, absent) in [("lightgbm/binary.txt", 0.0), ("xgboost/3.2.0/logistic.json", f64::NAN)] {
        let model = TreeModel::open(&fixture(name), &ModelOptions::default()).unwrap();
        let filled = rows(30, model.ensemble().n_features);
        // Of what XGBoost takes as missing, dense rows must say so.
        let filled =
            if absent == 0.0 { filled } else { filled.mapv(|x| if x == 0.0 { f64::NAN } else { 100.0 * x }) };
        std::fs::write(&dense, npy::bytes(&filled.clone().into_dyn())).unwrap();
        save_npz(&sparse, &filled, absent);
        for (with_background, removal) in [(false, None), (true, None), (true, Some("path-dependent"))] {
            let options = |background: &PathBuf| TreeOptions {
                background: if with_background { vec![background.clone()] } else { Vec::new() },
                removal: removal.map(str::to_owned),
                ..TreeOptions::default()
            };
            let of_sparse = explained(&model, &sparse, &options(&sparse), &Work::default()).explanation;
            let of_dense = explained(&model, &dense, &options(&dense), &Work::default()).explanation;
            assert_eq!(of_sparse.values, of_dense.values, "{name}, {removal:?}");
            assert_eq!(of_sparse.base_values, of_dense.base_values, "{name}, {removal:?}");
            assert!(of_sparse.values.iter().any(|&value| value != 0.0), "{name}, {removal:?}");
        }
    }
}

/// Less memory makes smaller blocks, and nothing else.
#[test]
fn the_cut_into_blocks_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (table, background) = (folder.path().join("rows.npy"), folder.path().join("background.npy"));
    let model = TreeModel::open(&fixture("lightgbm/binary.txt"), &ModelOptions::default()).unwrap();
    std::fs::write(&table, npy::bytes(&rows(150, 5).into_dyn())).unwrap();
    std::fs::write(&background, npy::bytes(&rows(9, 5).into_dyn())).unwrap();
    let spaces = [("margin", None), ("probability", None), ("probability", Some(1))];
    for (space, max_exact_features) in spaces {
        let options = TreeOptions {
            background: vec![background.clone()],
            output_space: Some(space.to_owned()),
            max_exact_features,
            ..TreeOptions::default()
        };
        // Rows of 160 bytes: blocks of 7 rows, but so many are kept as well.
        let small = Work { max_memory_bytes: 4 * 160 * 7, ..Work::default() };
        let whole = explained(&model, &table, &options, &Work::default());
        let cut = explained(&model, &table, &options, &small);
        assert_eq!(cut.summary, whole.summary, "{space}");
        assert!(cut.explanation.n_rows() < 8 && !cut.is_complete() && whole.is_complete());
        for (row, source) in cut.explanation.about.inputs.iter().enumerate() {
            let row_index = source.source.row_index;
            let values = |of: &TableExplanation, row: usize| of.explanation.values_of(row, 0).to_owned();
            assert_eq!(values(&cut, row), values(&whole, row_index), "{space}, row {row_index}");
            let errors = |of: &TableExplanation, row: usize| {
                let errors = of.explanation.standard_error.as_ref();
                errors.map(|errors| errors.index_axis(ndarray::Axis(0), row).to_owned())
            };
            assert_eq!(errors(&cut, row), errors(&whole, row_index), "{space}, row {row_index}");
        }
        assert_eq!(cut.summary.n_rows_drawn > 0, max_exact_features.is_some());
    }
}
