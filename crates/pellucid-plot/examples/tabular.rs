//! Draws the charts of a made-up credit table, plain and in hard cases:
//! `cargo run -p pellucid-plot --example tabular -- OUT_DIR`.

use std::error::Error;
use std::path::Path;

use ndarray::{Array1, Array2, Axis};
use pellucid_plot::tabular::{
    Cohort, Coloring, Feature, Interactions, Options, Output, RowOrder, Table, bar, bar_of_row, beeswarm,
    cohorts, decision, dependence, force, heatmap, interaction_matrix, waterfall,
};
use pellucid_plot::{Chart, ChartPage, ChartSection, charts_html};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [out] = arguments.as_slice() else { return Err("expected OUT_DIR".into()) };
    let out = Path::new(out);
    std::fs::create_dir_all(out)?;
    plain(out)?;
    page(out)?;
    hard(out)
}

fn plain(out: &Path) -> Result<(), Box<dyn Error>> {
    let credit = Credit::of_rows(1000);
    let table = credit.table();
    save(out, "waterfall", &waterfall(&table, 3, &titled("Why this applicant?", 10))?)?;
    save(out, "bar", &bar(&table, &titled("What matters", 10))?)?;
    save(out, "bar_of_row", &bar_of_row(&table, 3, &titled("What matters to this applicant", 10))?)?;
    save(out, "beeswarm", &beeswarm(&table, &titled("All applicants", 10))?)?;
    let some: Vec<usize> = (0..1000).step_by(10).collect();
    save(out, "force", &force(&table, 3, &titled("Why this applicant?", 8))?)?;
    save(out, "decision", &decision(&table, &some, &titled("How a hundred applicants are decided", 20))?)?;
    save(out, "decision_of_row", &decision(&table, &[3], &titled("How this applicant is decided", 20))?)?;
    save(out, "heatmap_output", &heatmap(&table, RowOrder::Output, &titled("All applicants", 10))?)?;
    save(out, "heatmap_cluster", &heatmap(&table, RowOrder::Cluster, &titled("All applicants", 10))?)?;
    save(out, "dependence", &dependence(&table, AGE, Coloring::Strongest, &titled("Age", 10))?)?;
    save(
        out,
        "dependence_category",
        &dependence(&table, 2, Coloring::Feature(AGE), &titled("History", 10))?,
    )?;
    save(
        out,
        "dependence_by_category",
        &dependence(&table, CREDIT_AMOUNT, Coloring::Feature(SEX), &untitled())?,
    )?;
    save(out, "cohorts", &cohorts(&table, &credit.cohorts(), &titled("What matters to whom", 8))?)?;
    save(
        out,
        "interactions",
        &interaction_matrix(&credit.interactions(&pairs(15)), &titled("Which features interact", 10))?,
    )?;
    save(out, "interactions_all", &interaction_matrix(&credit.interactions(&pairs(15)), &untitled())?)?;
    let credit = Credit::of_rows(100);
    save(out, "beeswarm_100", &beeswarm(&credit.table(), &titled("A hundred applicants", 20))?)?;
    save(out, "heatmap_100", &heatmap(&credit.table(), RowOrder::Cluster, &untitled())?)?;
    Ok(())
}

fn page(out: &Path) -> Result<(), Box<dyn Error>> {
    let credit = Credit::of_rows(1000);
    let table = credit.table();
    let section = |heading: &str, text: &str, charts| ChartSection {
        heading: heading.into(),
        text: text.into(),
        warnings: vec![],
        charts,
    };
    let sections = vec![
        section(
            "All applicants",
            "Each dot is an applicant; to the right, the feature speaks for a good credit.",
            vec![beeswarm(&table, &untitled())?, bar(&table, &untitled())?],
        ),
        section(
            "One applicant",
            "",
            vec![
                waterfall(&table, 3, &untitled())?,
                force(&table, 3, &titled("", 8))?,
                decision(&table, &[3], &untitled())?,
            ],
        ),
        section(
            "Some features",
            "",
            vec![
                dependence(&table, AGE, Coloring::Strongest, &untitled())?,
                dependence(&table, 2, Coloring::Feature(SEX), &untitled())?,
                interaction_matrix(&credit.interactions(&pairs(15)), &titled("", 8))?,
            ],
        ),
        section(
            "Many applicants",
            "",
            vec![
                heatmap(&table, RowOrder::Cluster, &untitled())?,
                decision(&table, &(0..60).collect::<Vec<_>>(), &untitled())?,
                cohorts(&table, &credit.cohorts(), &untitled())?,
            ],
        ),
    ];
    let page = ChartPage {
        title: "Credit".into(),
        lead: "Made-up numbers of a made-up model, to see what charts look like.".into(),
        facts: vec![("Rows".into(), "1000".into())],
        sections,
        footer: "Pellucid".into(),
    };
    std::fs::write(out.join("index.html"), charts_html(&page))?;
    Ok(())
}

fn hard(out: &Path) -> Result<(), Box<dyn Error>> {
    let credit = Credit::of_rows(100_000);
    save(out, "beeswarm_100000", &beeswarm(&credit.table(), &titled("A hundred thousand applicants", 20))?)?;

    save(
        out,
        "dependence_100000",
        &dependence(&credit.table(), DURATION, Coloring::Strongest, &untitled())?,
    )?;
    save(out, "heatmap_100000", &heatmap(&credit.table(), RowOrder::Output, &untitled())?)?;
    let all: Vec<usize> = (0..100_000).collect();
    save(out, "decision_100000", &decision(&credit.table(), &all, &untitled())?)?;

    let wide = Wide::new(300, 200);
    save(out, "waterfall_wide", &waterfall(&wide.table(), 7, &untitled())?)?;
    save(out, "bar_wide", &bar(&wide.table(), &untitled())?)?;
    save(out, "beeswarm_wide", &beeswarm(&wide.table(), &untitled())?)?;

    save(out, "force_wide", &force(&wide.table(), 7, &untitled())?)?;
    save(out, "decision_wide", &decision(&wide.table(), &[1, 2, 3, 4, 5], &untitled())?)?;
    save(out, "heatmap_wide", &heatmap(&wide.table(), RowOrder::Cluster, &untitled())?)?;
    save(out, "dependence_wide", &dependence(&wide.table(), 3, Coloring::Strongest, &untitled())?)?;

    let mut tiny = Credit::of_rows(1);
    tiny.values = tiny.values.select(Axis(1), &[0]);
    tiny.data = tiny.data.select(Axis(1), &[0]);
    tiny.features.truncate(1);
    tiny.outputs = None;
    save(out, "waterfall_tiny", &waterfall(&tiny.table(), 0, &untitled())?)?;
    save(out, "bar_tiny", &bar(&tiny.table(), &untitled())?)?;
    save(out, "beeswarm_tiny", &beeswarm(&tiny.table(), &untitled())?)?;

    save(out, "force_tiny", &force(&tiny.table(), 0, &untitled())?)?;
    save(out, "decision_tiny", &decision(&tiny.table(), &[0], &untitled())?)?;
    save(out, "heatmap_tiny", &heatmap(&tiny.table(), RowOrder::Output, &untitled())?)?;
    save(out, "dependence_tiny", &dependence(&tiny.table(), 0, Coloring::Strongest, &untitled())?)?;

    for (name, factor) in [("zero", 0.0), ("tiny_numbers", 1e-9), ("huge_numbers", 3e12)] {
        let mut credit = Credit::of_rows(60);
        credit.values *= factor;
        credit.outputs = None;
        credit.base_values *= factor;
        save(out, &format!("waterfall_{name}"), &waterfall(&credit.table(), 5, &titled("", 8))?)?;
        save(out, &format!("bar_{name}"), &bar(&credit.table(), &titled("", 8))?)?;
        save(out, &format!("beeswarm_{name}"), &beeswarm(&credit.table(), &titled("", 8))?)?;
    }
    let mut negative = Credit::of_rows(60);
    negative.values.mapv_inplace(|value| -10_000.0 * value.abs());
    negative.base_values.fill(412_000.0);
    negative.outputs = None;
    negative.output = Output { name: "price".into(), unit: "€".into(), value_name: "SHAP value".into() };
    save(out, "waterfall_negative", &waterfall(&negative.table(), 5, &titled("", 8))?)?;
    save(out, "force_negative", &force(&negative.table(), 5, &titled("", 8))?)?;
    save(out, "bar_negative", &bar_of_row(&negative.table(), 5, &titled("", 8))?)?;
    save(out, "beeswarm_negative", &beeswarm(&negative.table(), &titled("", 8))?)?;

    let mut gap = Credit::of_rows(60);
    gap.outputs = gap.outputs.map(|outputs| outputs + 0.4);
    save(out, "waterfall_gap", &waterfall(&gap.table(), 5, &titled("", 8))?)?;
    Ok(())
}

fn save(out: &Path, name: &str, chart: &Chart) -> Result<(), Box<dyn Error>> {
    let file = out.join(name);
    std::fs::write(file.with_extension("svg"), chart.svg())?;
    std::fs::write(file.with_extension("png"), chart.png(1)?)?;
    Ok(())
}

fn titled(title: &str, max_features: usize) -> Options {
    let caption = "Made-up numbers of a made-up model, to see what charts look like.";
    Options { title: title.into(), caption: caption.into(), max_features }
}

fn untitled() -> Options {
    Options { title: String::new(), caption: String::new(), max_features: 20 }
}

/// Applicants for a credit, and a model that is linear but for one product of two features.
struct Credit {
    features: Vec<Feature>,
    data: Array2<f64>,
    values: Array2<f64>,
    base_values: Array1<f64>,
    outputs: Option<Array1<f64>>,
    output: Output,
}

/// Name, unit, categories; middle and spread (below 1: of the logarithm); weight in the model.
type Column = (&'static str, &'static str, &'static [&'static str], [f64; 2], f64);

const COLUMNS: &[Column] = &[
    (
        "status of checking account",
        "",
        &["< 0 DM", "0 to 200 DM", "≥ 200 DM", "no checking account"],
        [0.0; 2],
        0.7,
    ),
    ("duration", "months", &[], [21.0, 9.0], -0.45),
    (
        "credit history",
        "",
        &[
            "no credits taken",
            "all paid back duly",
            "existing credits paid back duly till now",
            "delay in the past",
            "critical account/ other credits existing (not at this bank)",
        ],
        [0.0; 2],
        0.3,
    ),
    (
        "purpose",
        "",
        &["radio/television", "new car", "used car", "furniture/equipment", "business", "education"],
        [0.0; 2],
        0.2,
    ),
    ("credit amount", "DM", &[], [2300.0, 0.9], -0.35),
    (
        "savings",
        "",
        &["< 100 DM", "100 to 500 DM", "500 to 1000 DM", "≥ 1000 DM", "unknown/ no savings account"],
        [0.0; 2],
        0.33,
    ),
    (
        "present employment",
        "",
        &["unemployed", "< 1 year", "1 to 4 years", "4 to 7 years", "≥ 7 years"],
        [0.0; 2],
        0.18,
    ),
    ("installment rate", "% of income", &[], [3.0, 1.0], -0.22),
    ("sex", "", &["female", "male"], [0.0; 2], 0.06),
    ("present residence since", "years", &[], [2.8, 1.1], 0.01),
    ("property", "", &["real estate", "savings agreement", "car or other", "none"], [0.0; 2], -0.12),
    ("age", "years", &[], [38.0, 8.0], 0.2),
    ("housing", "", &["own", "rent", "for free"], [0.0; 2], -0.09),
    ("number of existing credits", "", &[], [1.4, 0.4], -0.08),
    ("telephone", "", &["no", "yes"], [0.0; 2], 0.04),
];

const AGE: usize = 11;
const SEX: usize = 8;
const DURATION: usize = 1;
const CREDIT_AMOUNT: usize = 4;

impl Credit {
    fn of_rows(n_rows: usize) -> Self {
        let features = COLUMNS.iter().map(|(name, unit, categories, _, _)| Feature {
            name: (*name).into(),
            unit: (*unit).into(),
            categories: categories.iter().map(|&category| category.into()).collect(),
        });
        let mut scores = Array2::from_shape_fn((n_rows, COLUMNS.len()), |(row, column)| normal(row, column));
        let data = Array2::from_shape_fn(scores.dim(), |(row, column)| {
            datum(&COLUMNS[column], scores[[row, column]])
        });
        // Some did not say how much they ask for; the model takes the mean.
        let mut data = data;
        for row in (0..n_rows).filter(|row| row % 13 == 5) {
            data[[row, CREDIT_AMOUNT]] = f64::NAN;
            scores[[row, CREDIT_AMOUNT]] = 0.0;
        }
        let mut values = scores.clone();
        for (mut column, (_, _, categories, _, weight)) in values.axis_iter_mut(Axis(1)).zip(COLUMNS) {
            // Categories act in steps, not in the order of their codes.
            column.mapv_inplace(|score| {
                if categories.is_empty() {
                    weight * score
                } else {
                    weight * (2.5 * (1.3 * score).floor()).sin()
                }
            });
        }
        for row in 0..n_rows {
            let product = -0.25 * scores[[row, AGE]] * scores[[row, DURATION]];
            values[[row, AGE]] += product / 2.0;
            values[[row, DURATION]] += product / 2.0;
        }
        let base_values = Array1::from_elem(n_rows, 1.124);
        let outputs = values.sum_axis(Axis(1)) + &base_values;
        let output =
            Output { name: "good credit".into(), unit: "log-odds".into(), value_name: "SHAP value".into() };
        Self { features: features.collect(), data, values, base_values, outputs: Some(outputs), output }
    }

    fn cohorts(&self) -> Vec<Cohort> {
        let of_sex = |code: f64| {
            (0..self.data.nrows()).filter(|&row| (self.data[[row, SEX]] - code).abs() < 0.5).collect()
        };
        vec![
            Cohort { name: "women".into(), rows: of_sex(0.0) },
            Cohort { name: "men".into(), rows: of_sex(1.0) },
        ]
    }

    fn interactions<'a>(&'a self, sizes: &'a Array2<f64>) -> Interactions<'a> {
        Interactions {
            sizes: sizes.view(),
            n_rows: self.data.nrows(),
            features: &self.features,
            output: &self.output,
        }
    }

    fn table(&self) -> Table<'_> {
        Table {
            values: self.values.view(),
            data: Some(self.data.view()),
            features: &self.features,
            base_values: self.base_values.view(),
            outputs: self.outputs.as_ref().map(|outputs| outputs.view()),
            row_names: None,
            output: &self.output,
        }
    }
}

/// The sizes of pairs, largest where the model has its product.
fn pairs(n: usize) -> Array2<f64> {
    Array2::from_shape_fn((n, n), |(a, b)| match (a.min(b), a.max(b)) {
        (DURATION, AGE) => 0.11,
        (low, high) if low == high => COLUMNS[low].4.abs(),
        (low, high) => 0.05 * (normal(low, high) * COLUMNS[low].4 * COLUMNS[high].4).abs(),
    })
}

fn datum(column: &Column, score: f64) -> f64 {
    let (_, _, categories, [middle, spread], _) = *column;
    if !categories.is_empty() {
        return (1.3 * score).floor().rem_euclid(categories.len() as f64);
    }
    let value = if spread < 1.0 { middle * (spread * score).exp() } else { middle + spread * score };
    value.max(1.0).round()
}

/// Many features with long names, few of which matter.
struct Wide {
    features: Vec<Feature>,
    values: Array2<f64>,
    base_values: Array1<f64>,
    output: Output,
}

impl Wide {
    fn new(n_rows: usize, n_features: usize) -> Self {
        let name = |index| {
            format!("sensor_{index}_rolling_mean_over_the_last_{}_minutes_after_imputation_v2", 5 * index)
        };
        let features =
            (0..n_features).map(|index| Feature { name: name(index), ..Feature::default() }).collect();
        let values = Array2::from_shape_fn((n_rows, n_features), |(row, column)| {
            normal(row, column) * (-(column as f64) / 12.0).exp()
        });
        let output = Output { value_name: "SHAP value".into(), ..Output::default() };
        Self { features, values, base_values: Array1::from_elem(n_rows, -0.75), output }
    }

    fn table(&self) -> Table<'_> {
        Table {
            values: self.values.view(),
            data: Some(self.values.view()),
            features: &self.features,
            base_values: self.base_values.view(),
            outputs: None,
            row_names: None,
            output: &self.output,
        }
    }
}

/// About normally distributed, without a pattern, the same each time.
fn normal(row: usize, column: usize) -> f64 {
    let mut state = (row as u64 * 1_000_003 + column as u64).wrapping_add(1);
    let mut uniform = || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
    };
    (0..12).map(|_| uniform()).sum::<f64>() - 6.0
}
