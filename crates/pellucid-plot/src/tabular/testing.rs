//! Tables for tests: plain ones and hard ones.

use ndarray::{Array1, Array2};

use crate::tabular::{Feature, Options, Output, Table};

/// A table that owns what it shows.
#[derive(Clone)]
pub(crate) struct Owned {
    pub(crate) values: Array2<f64>,
    pub(crate) data: Option<Array2<f64>>,
    pub(crate) features: Vec<Feature>,
    pub(crate) base_values: Array1<f64>,
    pub(crate) outputs: Option<Array1<f64>>,
    pub(crate) row_names: Option<Vec<String>>,
    pub(crate) output: Output,
}

impl Owned {
    pub(crate) fn table(&self) -> Table<'_> {
        Table {
            values: self.values.view(),
            data: self.data.as_ref().map(|data| data.view()),
            features: &self.features,
            base_values: self.base_values.view(),
            outputs: self.outputs.as_ref().map(|outputs| outputs.view()),
            row_names: self.row_names.as_deref(),
            output: &self.output,
        }
    }
}

pub(crate) fn options(max_features: usize) -> Options {
    Options { title: String::new(), caption: String::new(), max_features }
}

/// In `[−1, 1)`, without a pattern, the same each time.
pub(crate) fn noise(row: usize, column: usize) -> f64 {
    let mut mixed = ((row * 1_000_003 + column + 1) as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    ((mixed ^ (mixed >> 31)) >> 11) as f64 / (1_u64 << 52) as f64 - 1.0
}

pub(crate) fn plain(n_rows: usize, n_features: usize) -> Owned {
    let shape = (n_rows, n_features);
    Owned {
        values: Array2::from_shape_fn(shape, |(row, column)| noise(row, column) / (1.0 + column as f64)),
        data: Some(Array2::from_shape_fn(shape, |(row, column)| (40.0 * noise(row, column)).round())),
        features: (0..n_features)
            .map(|index| Feature { name: format!("feature {index}"), ..Feature::default() })
            .collect(),
        base_values: Array1::from_elem(n_rows, 0.25),
        outputs: None,
        row_names: None,
        output: Output { name: "good".into(), unit: "log-odds".into(), value_name: "SHAP value".into() },
    }
}

/// Names and categories that do not fit, in every place that holds a text.
fn with_long_names(mut table: Owned) -> Owned {
    for (index, feature) in table.features.iter_mut().enumerate() {
        feature.name =
            format!("{index} <b>sensor & Übergröße</b> {}", "averaged over an hour ".repeat(index % 5));
        feature.unit = "kilometers a fortnight".into();
        if index % 3 == 1 {
            let category =
                |code| format!("category {code} {}", "critical account/other credits ".repeat(code));
            feature.categories = (0..4).map(category).collect();
        }
    }
    if let Some(data) = &mut table.data {
        for ((_, column), datum) in data.indexed_iter_mut() {
            *datum = if column % 3 == 1 { datum.abs() % 4.0 } else { *datum };
        }
    }
    table.output.name = "the probability of all that may ever come to pass ".repeat(4);
    table
}

fn with_data(mut table: Owned, datum: impl Fn(usize, usize) -> f64) -> Owned {
    table.data = table.data.map(|data| Array2::from_shape_fn(data.dim(), |(row, column)| datum(row, column)));
    table
}

fn with_values(mut table: Owned, value: impl Fn(f64) -> f64) -> Owned {
    table.values.mapv_inplace(value);
    table
}

fn with_base_value(mut table: Owned, base_value: f64) -> Owned {
    table.base_values.fill(base_value);
    table
}

/// Each with a name for the message of a failing test.
pub(crate) fn hard_tables() -> Vec<(&'static str, Owned)> {
    let none = Owned { data: None, ..plain(30, 4) };
    let outputs = Array1::from_shape_fn(40, |row| 3.0 * noise(row, 99));
    vec![
        ("plain", plain(60, 5)),
        ("one row", plain(1, 6)),
        ("one feature", plain(50, 1)),
        ("one row and feature", plain(1, 1)),
        ("200 features", plain(40, 200)),
        ("long names", with_long_names(plain(40, 30))),
        ("long names, one row", with_long_names(plain(1, 30))),
        ("no data", none),
        ("all values zero", with_values(plain(20, 4), |_| 0.0)),
        ("all values equal", with_values(plain(20, 4), |_| 0.5)),
        ("negative only", with_values(plain(20, 4), |value| -value.abs())),
        ("tiny", with_values(plain(20, 4), |value| 1e-12 * value)),
        ("subnormal", with_values(with_base_value(plain(20, 4), 0.0), |value| 1e-310 * value)),
        ("huge", with_values(plain(20, 4), |value| 1e200 * value)),
        ("tiny beside a huge base value", with_base_value(with_values(plain(20, 4), |v| 1e-6 * v), 1e9)),
        ("outliers", with_values(plain(400, 4), |value| (9.0 * value).powi(15))),
        ("data missing", with_data(plain(30, 4), |_, _| f64::NAN)),
        ("some data missing", with_data(plain(30, 4), |r, c| if r % 3 == c { f64::NAN } else { r as f64 })),
        ("infinite data", with_data(plain(30, 4), |r, c| if r % 3 == c { f64::INFINITY } else { -1e300 })),
        ("equal data", with_data(plain(30, 4), |_, _| 7.0)),
        ("base values of their own", Owned { base_values: outputs.clone(), ..plain(40, 4) }),
        ("outputs missed", Owned { outputs: Some(outputs), ..plain(40, 4) }),
        ("many rows", plain(5_000, 5)),
    ]
}
