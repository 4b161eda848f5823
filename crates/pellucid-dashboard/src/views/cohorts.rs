//! Cohorts: two groups of rows side by side.

use pellucid_drift::{Cohort, CohortOptions, CohortReport, Column, compare_cohorts};
use serde::Serialize;

use crate::asked::Asked;
use crate::cohort::Test;
use crate::error::ViewError;
use crate::index::{Index, NONE, Row, is_class};
use crate::series::{Described, PARAMETER, Series, choices};
use crate::weighted::{ENOUGH, represented};

/// What the view takes.
pub(super) const PARAMETERS: &[&str] = &[PARAMETER, "a", "b", "class"];

/// So many categories of a feature are listed.
const MAX_CATEGORIES: usize = 40;

#[derive(Debug, Serialize)]
pub(super) struct Cohorts {
    choices: Vec<Described>,
    chosen: Option<Described>,
    features: Vec<Feature>,
    classes: Vec<String>,
    /// The class whose share is the selection rate.
    class: Option<String>,
    enough: u64,
    examples: Vec<String>,
    comparison: Option<Comparison>,
}

/// What an expression can be about.
#[derive(Debug, Serialize)]
struct Feature {
    name: String,
    categories: Vec<String>,
}

#[derive(Debug, Serialize)]
struct Comparison {
    a: String,
    b: String,
    n_records: [usize; 2],
    /// `Σ 1/π` of each.
    represents: [f64; 2],
    /// Records of each that explain the series' output, whose attributions are compared.
    n_explained: [usize; 2],
    n_in_both: u64,
    /// Records whose inputs are not known, because they were erased or are no tables: in neither.
    n_unknown: u64,
    /// Records whose output or attributions are no finite numbers: they count in rates, but have no part in means.
    n_not_finite: u64,
    weighted: bool,
    /// Rates, over all records of each cohort; none of models that give numbers.
    rates: Option<CohortReport>,
    /// Mean output and mean attributions, over those that explain the series' output; none where a cohort has no such record.
    attributions: Option<CohortReport>,
}

/// A cohort's records.
#[derive(Default)]
struct Members<'a> {
    all: Vec<&'a Row>,
    explained: Vec<&'a Row>,
}

pub(super) fn cohorts(index: &Index, asked: Asked<'_>) -> Result<Cohorts, ViewError> {
    let choices = choices(index, true);
    let Some(series) = Series::asked(index, asked, true)? else {
        return Ok(Cohorts {
            choices,
            chosen: None,
            features: Vec::new(),
            classes: Vec::new(),
            class: None,
            enough: ENOUGH,
            examples: Vec::new(),
            comparison: None,
        });
    };
    let classes = classes(&series);
    let class = asked.text("class").map(str::to_owned).or_else(|| default_class(&series));
    if let Some(unknown) = class.as_ref().filter(|class| !classes.contains(class)) {
        let known = classes.join(", ");
        return Err(ViewError::bad_request(format!("no class `{unknown}`: the model predicts {known}")));
    }
    let comparison = match asked.text("a") {
        Some(a) => Some(comparison(&series, a, asked.text("b"), class.as_deref())?),
        None => None,
    };
    let group = series.group();
    let feature = |(index, name): (usize, &String)| {
        let categories = group.categories.get(index).map(Vec::as_slice).unwrap_or_default();
        Feature { name: name.clone(), categories: categories.iter().take(MAX_CATEGORIES).cloned().collect() }
    };
    Ok(Cohorts {
        choices,
        chosen: Some(series.described()),
        features: group.names.iter().enumerate().map(feature).collect(),
        classes,
        class,
        enough: ENOUGH,
        examples: examples(&series),
        comparison,
    })
}

/// The classes that the series' records predict.
fn classes(series: &Series<'_>) -> Vec<String> {
    let model = &series.index.models[series.group().model as usize];
    let mut found: Vec<u32> =
        series.comparable().map(|row| row.class).filter(|class| *class != NONE).collect();
    found.sort_unstable();
    found.dedup();
    found.into_iter().filter_map(|class| model.class_name(class)).collect()
}

/// The class that the explained output speaks for; the last one where it says nothing.
fn default_class(series: &Series<'_>) -> Option<String> {
    let model = &series.index.models[series.group().model as usize];
    let classes = classes(series);
    let class = if model.single_output { 1 } else { series.target };
    model.class_name(class).filter(|name| classes.contains(name)).or_else(|| classes.last().cloned())
}

fn comparison(
    series: &Series<'_>,
    a: &str,
    b: Option<&str>,
    class: Option<&str>,
) -> Result<Comparison, ViewError> {
    let read = |name: &str, expression: &str| {
        Test::read(expression, series.group())
            .map_err(|fault| ViewError::bad_request(format!("cohort {name}: {fault}")))
    };
    let in_a = read("A", a)?;
    let in_b = b.map(|b| read("B", b)).transpose()?;
    let (mut of_a, mut of_b) = (Members::default(), Members::default());
    let (mut n_in_both, mut n_unknown, mut n_not_finite) = (0, 0, 0);
    for row in series.comparable() {
        let inputs = series.group().inputs(row.matrix_row);
        if inputs.is_empty() {
            n_unknown += 1;
            continue;
        }
        let first = in_a.holds(inputs);
        let second = in_b.as_ref().map_or(!first, |test| test.holds(inputs));
        n_not_finite += u64::from((first || second) && !row.finite);
        n_in_both += u64::from(first && second);
        for (_, members) in
            [(first, &mut of_a), (second, &mut of_b)].into_iter().filter(|(inside, _)| *inside)
        {
            members.all.push(row);
            members.explained.extend(series.averages(row).then_some(row));
        }
    }
    for (name, members) in [("A", &of_a), ("B", &of_b)] {
        if members.all.is_empty() {
            return Err(ViewError::bad_request(format!("cohort {name} has no records: no input meets it")));
        }
    }
    let members = [&of_a, &of_b];
    let explained = members.map(|members| members.explained.as_slice());
    let class = class.and_then(|name| class_index(series, name));
    Ok(Comparison {
        a: a.to_owned(),
        b: b.map_or_else(|| format!("not ({a})"), str::to_owned),
        n_records: members.map(|members| members.all.len()),
        represents: members.map(|members| represented(members.all.iter().copied())),
        n_explained: explained.map(<[_]>::len),
        n_in_both,
        n_unknown,
        n_not_finite,
        weighted: members.iter().any(|members| members.all.iter().any(|row| row.weight > 1.0)),
        rates: class.map(|class| compared(members.map(|it| rates(series, &it.all, class)))).transpose()?,
        attributions: match explained.iter().all(|rows| !rows.is_empty()) {
            true => Some(compared(explained.map(|rows| attributions(series, rows)))?),
            false => None,
        },
    })
}

fn class_index(series: &Series<'_>, name: &str) -> Option<u32> {
    let model = &series.index.models[series.group().model as usize];
    series
        .comparable()
        .map(|row| row.class)
        .find(|class| model.class_name(*class).is_some_and(|it| it == name))
}

/// A minus B.
fn compared([mut a, mut b]: [Cohort; 2]) -> Result<CohortReport, ViewError> {
    (a.name, b.name) = ("A".to_owned(), "B".to_owned());
    let compared = compare_cohorts(&[a, b], 1, CohortOptions::default());
    compared.map_err(|fault| ViewError::bad_request(format!("these cohorts cannot be compared: {fault}")))
}

/// How often the class is chosen, and how often wrongly.
fn rates(series: &Series<'_>, rows: &[&Row], class: u32) -> Cohort {
    let index = series.index;
    let label = |row: &&Row| {
        index.prediction_of(row).label.as_ref().and_then(|label| is_class(label, class, index.model_of(row)))
    };
    Cohort {
        inclusion_probabilities: Some(probabilities(rows)),
        selected: Some(rows.iter().map(|row| row.class == class).collect()),
        labels: Some(rows.iter().map(label).collect()),
        ..Cohort::default()
    }
}

/// What the model gives for the series' output, and what each feature adds to it.
fn attributions(series: &Series<'_>, rows: &[&Row]) -> Cohort {
    let group = series.group();
    let outputs = rows.iter().map(|row| row.output.is_finite().then(|| f64::from(row.output)));
    let column = |(feature, name): (usize, &String)| {
        let values = rows.iter().map(|row| f64::from(group.attributions(row.matrix_row)[feature]));
        Column::numeric(name.as_str(), values.collect::<Vec<_>>())
    };
    Cohort {
        inclusion_probabilities: Some(probabilities(rows)),
        // Some methods tell no output.
        outputs: outputs.collect(),
        attributions: group.names.iter().enumerate().map(column).collect(),
        ..Cohort::default()
    }
}

fn probabilities(rows: &[&Row]) -> Vec<f64> {
    rows.iter().map(|row| 1.0 / row.weight()).collect()
}

/// Expressions that can be asked of this table: a category, the middle of a number, and both.
fn examples(series: &Series<'_>) -> Vec<String> {
    let group = series.group();
    let named = |index: usize| match group.names[index].chars().all(|it| it.is_alphanumeric() || it == '_') {
        true => group.names[index].clone(),
        false => format!("`{}`", group.names[index]),
    };
    let categories = |index: &usize| group.categories.get(*index).map_or(0, Vec::len);
    let category = (0..group.n_features())
        .find(|index| categories(index) > 1)
        .map(|index| format!("{} == \"{}\"", named(index), group.categories[index][0]));
    let number = (0..group.n_features()).find(|index| categories(index) == 0).and_then(|index| {
        let mut values: Vec<f32> = series
            .explained()
            .take(1_001)
            .map(|(_, _, inputs)| inputs[index])
            .filter(|x| !x.is_nan())
            .collect();
        values.sort_by(f32::total_cmp);
        let middle = values.get(values.len() / 2)?;
        Some(format!("{} > {}", named(index), crate::words::number(f64::from(*middle))))
    });
    let both =
        category.as_ref().zip(number.as_ref()).map(|(category, number)| format!("{number} and {category}"));
    [category, number, both].into_iter().flatten().collect()
}
