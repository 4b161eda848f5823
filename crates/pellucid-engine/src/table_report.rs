//! The explanation of a table → one page: what drives the model, for all rows, for single ones, and for groups of them.

use ndarray::Array1;
use pellucid_plot::{Chart, ChartPage, ChartSection, charts_html};

use crate::error::Error;
use crate::explanation::Explanation;
use crate::picture::parameters_text;
use crate::trees::{Drawing, PlotKind, PlotOptions, TreeMethod, chart, cohorts};

/// Features that get a dependence plot.
const N_DEPENDENCES: usize = 2;

/// The explanation of a table, with what its page tells beside it.
pub(crate) struct Reported<'a> {
    pub(crate) explanation: &'a Explanation,
    /// Whether outputs are those of classes.
    pub(crate) classifies: bool,
    /// The model and what made it: `adult (lightgbm v4, 120 trees)`.
    pub(crate) model: String,
    /// Rows that were explained, of which the explanation may hold fewer.
    pub(crate) n_rows: usize,
    /// Whether the values add up, in words.
    pub(crate) adds_up: Option<String>,
    /// A feature, or a column beside the features, whose groups are compared.
    pub(crate) cohort: Option<&'a str>,
}

/// The page of a table's explanation by whatever method: one HTML file that needs no other. `cohort` is a feature, or a column
/// kept beside the features; its groups are compared.
///
/// # Errors
/// An explanation that is none of a table, a column that is not there, numbers that cannot be drawn.
pub fn report_explained(explanation: &Explanation, cohort: Option<&str>) -> Result<String, Error> {
    let about = &explanation.about;
    let mut predictions = about.predictions.iter().flatten();
    let largest = |gaps: &ndarray::ArrayD<f64>| gaps.iter().fold(0.0_f64, |most, gap| most.max(gap.abs()));
    page(&Reported {
        explanation,
        classifies: predictions.all(|prediction| prediction.probability.is_some()),
        model: match about.model.producer.as_str() {
            "" => about.model.name.clone(),
            producer => format!("{} ({producer})", about.model.name),
        },
        n_rows: explanation.n_rows(),
        adds_up: explanation
            .convergence_delta
            .as_ref()
            .map(|gaps| format!("the largest gap is {:.1e}", largest(gaps))),
        cohort,
    })
}

pub(crate) fn page(told: &Reported<'_>) -> Result<String, Error> {
    let explanation = told.explanation;
    let rows: Vec<usize> = (0..explanation.n_rows()).collect();
    let drawing = Drawing::new(explanation, &rows, 0)?;
    let mut sections = vec![overall(explanation, &drawing)?];
    // Without a base value there is nothing that steps could lead from.
    if explanation.base_values.is_some() {
        sections.push(single_rows(explanation, &drawing)?);
    }
    if explanation.about.feature_sets.is_none() {
        sections.push(dependences(explanation, &drawing)?);
    }
    if explanation.about.feature_sets.is_none() && explanation.values_of(0, 0).ndim() == 2 {
        sections.push(pairs(explanation)?);
    }
    if let Some(column) = told.cohort {
        sections.push(compared(told, &drawing, column)?);
    }
    Ok(charts_html(&ChartPage {
        title: format!("What drives {}", explanation.about.model.name),
        lead: lead(told, &drawing),
        facts: facts(told),
        sections,
        footer: format!("Made by Pellucid {}.", env!("CARGO_PKG_VERSION")),
    }))
}

/// What the numbers of the page are, for a reader who has never seen such a page.
fn lead(told: &Reported<'_>, drawing: &Drawing) -> String {
    let output = drawing.output();
    let value = &output.value_name;
    let unit = match output.unit.as_str() {
        "log-odds" => " Outputs are in log-odds: 0 is an even chance, and each 0.7 more doubles the odds.",
        "margin" if told.classifies => {
            " Outputs are scores before they become probabilities: the class with the highest one wins."
        }
        "margin" if is_of_trees(&told.explanation.about.method) => {
            " Outputs are sums over the trees; what the model predicts is a function of them."
        }
        "log-loss" => {
            " Outputs are log-losses: the higher, the further the model is from the row's true class."
        }
        _ => "",
    };
    let article = if value.starts_with(['a', 'i', 'A', 'I']) { "an" } else { "a" };
    let meaning = match told.adds_up {
        Some(_) => format!(
            "Each feature gets {article} {value}: how far it moved that output from the base value, the output where nothing is known \
             of the row. Base value and {value}s add up to what the model says."
        ),
        None => format!(
            "Each feature gets a number, its {value}, by the method that is named below; these numbers need not add up to the \
             output."
        ),
    };
    format!(
        "The model turns each row of the table into a number, its output. {meaning}{unit} Red pushes the output up, blue \
         pushes it down. The values tell what the model does with its inputs, not what would happen in the world if an input \
         changed. Point at a mark, or press Tab and the arrow keys, to read its numbers."
    )
}

fn facts(told: &Reported<'_>) -> Vec<(String, String)> {
    let about = &told.explanation.about;
    let fact = |name: &str, value: String| (name.to_owned(), value);
    let mut files: Vec<&str> = about.inputs.iter().map(|row| row.source.file.as_str()).collect();
    files.dedup();
    let of_files =
        if files.concat().is_empty() { String::new() } else { format!(" of {}", files.join(", ")) };
    let mut facts = vec![fact("Model", told.model.clone())];
    // Nobody sees the file behind a server or a function.
    if !about.model.digest.is_empty() {
        facts.push(fact("SHA-256", about.model.digest.clone()));
    }
    facts.push(fact("Rows", format!("{}{of_files}", told.n_rows)));
    let method = format!("{}, {}", method_name(&about.method), parameters_text(told.explanation));
    facts.push(fact("Method", method));
    facts.extend(told.adds_up.iter().map(|text| fact("Adds up", text.clone())));
    facts
}

fn is_of_trees(method: &str) -> bool {
    TreeMethod::NAMES.iter().any(|(name, _)| *name == method)
}

fn method_name(method: &str) -> String {
    let of_trees = TreeMethod::NAMES.iter().find(|(name, _)| *name == method);
    of_trees.map_or_else(|| method.replace('_', "-"), |(_, shown)| (*shown).to_owned())
}

fn draw(explanation: &Explanation, kind: PlotKind, options: PlotOptions) -> Result<Chart, Error> {
    chart(explanation, kind, &options)
}

fn overall(explanation: &Explanation, drawing: &Drawing) -> Result<ChartSection, Error> {
    let mut warnings = explanation.about.warnings.clone();
    if drawing.mixes_targets() {
        warnings.push(
            "for each row the output that is highest there is explained, so rows of different classes lie side by \
             side; --target explains one class for all rows"
                .to_owned(),
        );
    }
    Ok(ChartSection {
        heading: "All rows".to_owned(),
        text: "Each dot is one row: how far right it lies is how much the feature raised the output there, how far left \
               how much it lowered it. Its color is whether the feature's own value is low or high; words have no such \
               order and are gray. The features that move outputs most stand on top; the bars are the mean size of what \
               the dots show."
            .to_owned(),
        warnings,
        charts: vec![
            draw(explanation, PlotKind::Beeswarm, PlotOptions::default())?,
            draw(explanation, PlotKind::Bar, PlotOptions::default())?,
        ],
    })
}

/// The rows with the highest and the lowest output, and the one that the model is least sure of, or in the middle.
fn single_rows(explanation: &Explanation, drawing: &Drawing) -> Result<ChartSection, Error> {
    let outputs = drawing.outputs();
    let mut order: Vec<usize> = (0..outputs.len()).collect();
    order.sort_by(|&a, &b| outputs[a].total_cmp(&outputs[b]));
    let leads = order.iter().map(|&row| (row, probability_lead(explanation, row)));
    let leads: Option<Vec<(usize, f64)>> = leads.map(|(row, lead)| Some((row, lead?))).collect();
    let (middle, between) = match leads.map(|leads| leads.into_iter().min_by(|a, b| a.1.total_cmp(&b.1))) {
        Some(closest) => ("The closest decision", closest.map(|(row, _)| row)),
        None => ("In the middle", order.get(order.len() / 2).copied()),
    };
    let chosen = [
        ("The highest output", order.last().copied()),
        (middle, between),
        ("The lowest output", order.first().copied()),
    ];
    let one = |(name, row): (&str, Option<usize>)| {
        let row = row.unwrap_or(0);
        let source = &explanation.about.inputs[row].source;
        let probability = explanation.target_probability(row, 0);
        let probability = probability.map_or_else(String::new, |p| format!(", probability {}", percent(p)));
        // Rows in memory come from no file.
        let of_file = if source.file.is_empty() { String::new() } else { format!(" of {}", source.file) };
        let title = format!("{name}: row {}{of_file}{probability}", source.row_index);
        draw(explanation, PlotKind::Waterfall, PlotOptions { row, title, ..PlotOptions::default() })
    };
    Ok(ChartSection {
        heading: "Three rows, one by one".to_owned(),
        text: "Why did this row get this output? Read from the bottom up: from the base value E[f(x)] each feature moves \
               the output a step, the largest step last, until it is at f(x), what the model says. Beside each name stands \
               what the row holds."
            .to_owned(),
        warnings: Vec::new(),
        charts: chosen.into_iter().map(one).collect::<Result<_, _>>()?,
    })
}

/// `12.3 %`; neither 0 nor 100, which no model means.
fn percent(probability: f64) -> String {
    match 100.0 * probability {
        percent if percent < 0.05 => "under 0.1 %".to_owned(),
        percent if percent >= 99.95 => "over 99.9 %".to_owned(),
        percent => format!("{percent:.1} %"),
    }
}

/// So many that numbers of this size have four digits.
fn decimals(numbers: &Array1<f64>) -> usize {
    let largest = numbers.iter().fold(f64::MIN_POSITIVE, |max, number| max.max(number.abs()));
    (3.0 - largest.log10().floor()).clamp(0.0, 9.0) as usize
}

/// How far the most probable class is ahead of the next: 0 where the model cannot decide. `None` for models without
/// probabilities.
fn probability_lead(explanation: &Explanation, row: usize) -> Option<f64> {
    let predictions = &explanation.about.predictions[row];
    let mut probabilities: Vec<f64> =
        predictions.iter().map(|prediction| prediction.probability).collect::<Option<_>>()?;
    probabilities.sort_by(|a, b| b.total_cmp(a));
    match probabilities[..] {
        // Of a single output, the other class has the rest.
        [one] => Some((2.0 * one - 1.0).abs()),
        [first, second, ..] => Some(first - second),
        [] => None,
    }
}

fn dependences(explanation: &Explanation, drawing: &Drawing) -> Result<ChartSection, Error> {
    let ranked = drawing.ranked();
    let is_numeric = |index: &usize| drawing.features()[*index].categories.is_empty();
    let mut shown: Vec<usize> = ranked.iter().copied().filter(is_numeric).collect();
    let kind = if shown.is_empty() { "features" } else { "numeric features" };
    if shown.is_empty() {
        shown = ranked;
    }
    shown.truncate(N_DEPENDENCES);
    let which = match shown.len() {
        1 => format!("the feature {}", drawing.features()[shown[0]].name),
        n => format!("the {n} {kind} that matter most"),
    };
    let one = |index: usize| {
        let feature = Some(drawing.features()[index].name.clone());
        draw(explanation, PlotKind::Dependence, PlotOptions { feature, ..PlotOptions::default() })
    };
    Ok(ChartSection {
        heading: "How the effect follows the value".to_owned(),
        text: format!(
            "Does more of a feature mean a higher output? For {which}, each dot is one row: further right it holds \
             more of the feature, further up the feature raised its output more. Colors are a second feature: where \
             they part, what the first one does depends on the second."
        ),
        warnings: Vec::new(),
        charts: shown.into_iter().map(one).collect::<Result<_, _>>()?,
    })
}

fn pairs(explanation: &Explanation) -> Result<ChartSection, Error> {
    Ok(ChartSection {
        heading: "Pairs of features".to_owned(),
        text: "What two features do together beyond what each does alone: the darker, the more.".to_owned(),
        warnings: Vec::new(),
        charts: vec![draw(explanation, PlotKind::Interactions, PlotOptions::default())?],
    })
}

fn compared(told: &Reported<'_>, drawing: &Drawing, column: &str) -> Result<ChartSection, Error> {
    let explanation = told.explanation;
    let groups = cohorts(explanation, column)?;
    let mean = |rows: &[usize], of_row: &dyn Fn(usize) -> f64| {
        rows.iter().map(|&row| of_row(row)).sum::<f64>() / rows.len().max(1) as f64
    };
    let output = |row: usize| match explanation.target_probability(row, 0) {
        Some(probability) if told.classifies => 100.0 * probability,
        _ => explanation.number_of(&explanation.outputs, row, 0),
    };
    let of_predicted = if drawing.mixes_targets() { " of the predicted class" } else { "" };
    let (what, decimals, unit) = match told.classifies {
        true => (format!("mean probability{of_predicted}"), 1, " %"),
        false => ("mean output".to_owned(), decimals(drawing.outputs()), ""),
    };
    let feature = explanation.about.feature_names.iter().flatten().position(|name| name == column);
    let lines: Vec<String> = groups
        .iter()
        .map(|(name, rows)| {
            let direct = feature.map_or_else(String::new, |index| {
                let value = mean(rows, &|row| drawing.table().values[[row, index]]);
                format!(", mean {} of {column} itself {value:+.3}", drawing.output().value_name)
            });
            let (n, mean) = (rows.len(), mean(rows, &output));
            format!("{column} = {name}: {n} rows, {what} {mean:.decimals$}{unit}{direct}")
        })
        .collect();
    let direct = match feature {
        Some(_) => format!("what the feature {column} does directly stands above, "),
        None => format!("{column} is none of the model's features, but "),
    };
    let others =
        if feature.is_some() { "what it does through others does not" } else { "others may stand in for it" };
    Ok(ChartSection {
        heading: format!("Groups by {column}"),
        text: format!(
            "{}. The bars compare how much each feature matters in each group. That a group's outputs are lower does \
             not show why: {direct}{others}.",
            lines.join(". ")
        ),
        warnings: Vec::new(),
        charts: vec![draw(
            explanation,
            PlotKind::Cohorts,
            PlotOptions { cohort: Some(column.to_owned()), ..PlotOptions::default() },
        )?],
    })
}
