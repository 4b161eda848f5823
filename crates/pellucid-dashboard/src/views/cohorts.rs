//! Cohorts: two groups of rows side by side.

use serde::Serialize;

use crate::asked::Asked;
use crate::cohort::Test;
use crate::error::ViewError;
use crate::index::{Index, NONE, Outcome, Row};
use crate::series::{Described, PARAMETER, Series, choices};
use crate::weighted::{Difference, ENOUGH, Estimate, Sums, difference_of_means, difference_of_shares};

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
    a: Cohort,
    b: Cohort,
    n_in_both: u64,
    /// Records whose inputs are not known, because they were erased or are no tables: in neither.
    n_unknown: u64,
    weighted: bool,
    selection: Option<Difference>,
    error: Difference,
    confidence: Difference,
    /// The largest difference first.
    attributions: Vec<Compared>,
}

#[derive(Debug, Serialize)]
struct Cohort {
    expression: String,
    n: u64,
    /// `Σ 1/π`.
    represents: f64,
    n_labeled: u64,
    /// Records that explain the series' output.
    n_explained: u64,
    selection: Option<Estimate>,
    error: Estimate,
    confidence: Estimate,
}

#[derive(Debug, Serialize)]
struct Compared {
    feature: String,
    a: Estimate,
    b: Estimate,
    difference: Difference,
}

/// What is summed over a cohort.
struct Totals {
    all: Sums,
    selection: Sums,
    error: Sums,
    confidence: Sums,
    attributions: Vec<Sums>,
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
    let (mut of_a, mut of_b) = (Totals::new(series), Totals::new(series));
    let (mut n_in_both, mut n_unknown, mut weighted) = (0, 0, false);
    for row in series.comparable() {
        let inputs = series.group().inputs(row.matrix_row);
        if inputs.is_empty() {
            n_unknown += 1;
            continue;
        }
        let first = in_a.holds(inputs);
        let second = in_b.as_ref().map_or(!first, |test| test.holds(inputs));
        n_in_both += u64::from(first && second);
        weighted |= row.weight > 1.0;
        for (_, totals) in [(first, &mut of_a), (second, &mut of_b)].into_iter().filter(|(inside, _)| *inside)
        {
            totals.add(series, row, class);
        }
    }
    let names = &series.group().names;
    Ok(Comparison {
        n_in_both,
        n_unknown,
        weighted,
        selection: class.map(|_| difference_of_shares(&of_a.selection, &of_b.selection)),
        error: difference_of_shares(&of_a.error, &of_b.error),
        confidence: difference_of_means(&of_a.confidence, &of_b.confidence, 1),
        attributions: compared(names, &of_a, &of_b),
        a: of_a.told(a.to_owned(), class),
        b: of_b.told(b.map_or_else(|| format!("not ({a})"), str::to_owned), class),
    })
}

impl Totals {
    fn new(series: &Series<'_>) -> Self {
        let none = Sums::default();
        let attributions = vec![none; series.group().n_features()];
        Self { all: none, selection: none, error: none, confidence: none, attributions }
    }

    fn add(&mut self, series: &Series<'_>, row: &Row, class: Option<&str>) {
        let (index, weight) = (series.index, row.weight());
        self.all.add(1.0, weight);
        if let Some(class) = class {
            let selected = index.model_of(row).class_name(row.class).is_some_and(|name| name == class);
            self.selection.add(f64::from(u8::from(selected)), weight);
        }
        match index.outcome(row) {
            Outcome::Right => self.error.add(0.0, weight),
            Outcome::Wrong => self.error.add(1.0, weight),
            Outcome::Unlabeled | Outcome::NotJudged => {}
        }
        row.confidence().iter().for_each(|&confidence| self.confidence.add(confidence, weight));
        if row.target == series.target {
            let attributions = series.group().attributions(row.matrix_row);
            self.attributions
                .iter_mut()
                .zip(attributions)
                .for_each(|(sums, &x)| sums.add(f64::from(x), weight));
        }
    }

    fn told(&self, expression: String, class: Option<&str>) -> Cohort {
        Cohort {
            expression,
            n: self.all.n(),
            represents: self.all.weight(),
            n_labeled: self.error.n(),
            n_explained: self.attributions.first().map_or(0, Sums::n),
            selection: class.map(|_| self.selection.share_estimate()),
            error: self.error.share_estimate(),
            confidence: self.confidence.mean_estimate(),
        }
    }
}

fn compared(names: &[String], a: &Totals, b: &Totals) -> Vec<Compared> {
    let both = names.iter().zip(a.attributions.iter().zip(&b.attributions));
    let mut compared: Vec<Compared> = both
        .map(|(feature, (a, b))| Compared {
            feature: feature.clone(),
            a: a.mean_estimate(),
            b: b.mean_estimate(),
            difference: difference_of_means(a, b, names.len()),
        })
        .collect();
    let size = |it: &Compared| if it.difference.value.is_nan() { -1.0 } else { it.difference.value.abs() };
    compared.sort_by(|a, b| size(b).total_cmp(&size(a)));
    compared
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
