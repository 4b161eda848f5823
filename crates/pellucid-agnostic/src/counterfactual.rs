#![doc = include_str!("counterfactual.md")]

mod domain;
mod evolve;
mod inward;
mod oracle;
mod outcome;
mod outward;
mod select;
mod sentence;
mod space;
mod table;
#[cfg(test)]
mod tests;

use ndarray::{Array1, Array2, ArrayView1, ArrayView2, Axis};
use pellucid_core::{Draws, Work, row_digest_f64};

pub use outcome::Outcome;
pub(crate) use outcome::class_of;
pub(crate) use table::number_text;
pub use table::{Column, Direction, Kind, Table};

use crate::error::Error;
use crate::predictor::{Predictor, predict};
use domain::{Domain, Seen, same};
use oracle::{Member, Oracle};
use outcome::Wanted;
use space::{Space, State};

/// What counterfactuals are wanted.
#[derive(Clone, Debug, PartialEq)]
pub struct Options {
    /// How many.
    pub n_counterfactuals: usize,
    /// Columns that may change at once; `None`: all.
    pub max_changes: Option<usize>,
    /// What a distance of 1 for each column costs.
    pub proximity_weight: f64,
    /// What a change of every column costs.
    pub sparsity_weight: f64,
    /// What full diversity is worth.
    pub diversity_weight: f64,
    /// Above it, the only output of a model says class 1: 0.5 for probabilities, 0 for margins.
    pub threshold: f64,
    /// How far beyond the decision between classes the outputs must be, in their unit.
    pub margin: f64,
    /// Rows that the model is asked about at the most, for one row to be explained.
    pub max_evaluations: usize,
    /// What randomness is keyed by, beside the row.
    pub seed: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            n_counterfactuals: 4,
            max_changes: None,
            proximity_weight: 1.0,
            sparsity_weight: 10.0,
            diversity_weight: 0.1,
            threshold: 0.5,
            margin: 0.0,
            max_evaluations: 20_000,
            seed: 0,
        }
    }
}

/// What was found for one row.
#[derive(Clone, Debug, PartialEq)]
pub struct Counterfactuals {
    /// The outputs of the row itself.
    pub outputs: Array1<f64>,
    /// All meet the outcome and obey the constraints; the cheapest first.
    pub found: Vec<Counterfactual>,
    /// `det 1 / (1 + distance)` over pairs of those found: 0 where two are the same, 1 where all are far from each other.
    pub diversity: f64,
    /// Where nothing was found: the nearest row of the background that has the outcome. It is real, and it breaks constraints.
    pub nearest_example: Option<Example>,
    /// Where nothing was found: what obeys the constraints and came nearest to the outcome without meeting it.
    pub nearest_miss: Option<Counterfactual>,
    /// Rows that the model was asked about.
    pub evaluations: usize,
    /// What the reader must know.
    pub warnings: Vec<String>,
}

/// A row that the model answers otherwise.
#[derive(Clone, Debug, PartialEq)]
pub struct Counterfactual {
    /// `[features]`.
    pub row: Array1<f64>,
    /// What the model says to it, `[outputs]`; asked again after the search.
    pub outputs: Array1<f64>,
    /// Whether that is the outcome.
    pub valid: bool,
    /// What is otherwise; their number is the sparsity.
    pub changes: Vec<Change>,
    /// `Σ |x − x'| / MAD` over numbers, and 1 for each category that differs.
    pub distance: f64,
    /// "Had … been … instead of …, the outcome would have been …."
    pub sentence: String,
}

/// One column that is otherwise.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// Which column of the table.
    pub column: usize,
    /// The row's value, or code.
    pub from: f64,
    /// The counterfactual's.
    pub to: f64,
}

/// A row of the background that has the outcome.
#[derive(Clone, Debug, PartialEq)]
pub struct Example {
    /// Which row of the background.
    pub row_index: usize,
    /// It and its outputs, distance and changes.
    pub example: Counterfactual,
    /// The constraints that it breaks, in words.
    pub breaks: Vec<String>,
}

/// A model with a table and a background: what the counterfactuals of all rows need.
pub struct Finder<'a> {
    predictor: &'a dyn Predictor,
    table: &'a Table,
    background: Vec<State>,
    background_outputs: Array2<f64>,
    seen: Vec<Seen>,
}

impl<'a> Finder<'a> {
    /// Asks the model about the `background` `[rows, features]`: real examples, which say how values scatter.
    ///
    /// # Errors
    /// A table of another width than the model, a background without rows, with unseen categories or with infinite numbers,
    /// whatever the predictor reports.
    pub fn new(
        predictor: &'a dyn Predictor,
        table: &'a Table,
        background: ArrayView2<'_, f64>,
        work: &Work,
    ) -> Result<Self, Error> {
        let width = table.width();
        if *predictor.row_shape() != [width] {
            return Err(Error::shape("table", format!("{:?}", predictor.row_shape()), &[width]));
        }
        if background.ncols() != width || background.nrows() == 0 {
            return Err(Error::shape("background", format!("[1 or more, {width}]"), background.shape()));
        }
        let rows = table.decode(background, "background row")?;
        let background_outputs = predict(predictor, background.into_dyn(), work)?;
        let seen = (0..table.columns.len()).map(|column| Seen::new(rows.iter().map(|row| row[column])));
        Ok(Self { predictor, table, background_outputs, seen: seen.collect(), background: rows })
    }

    /// Counterfactuals of `row` `[features]`: rows that have the outcome and obey the constraints.
    ///
    /// # Errors
    /// A row that has the outcome already, an unseen category, constraints that contradict each other, options that make no sense,
    /// whatever the predictor reports.
    pub fn find(
        &self,
        row: ArrayView1<'_, f64>,
        outcome: &Outcome,
        options: &Options,
        work: &Work,
    ) -> Result<Counterfactuals, Error> {
        check(options)?;
        if row.len() != self.table.width() {
            return Err(Error::shape("row", format!("[{}]", self.table.width()), row.shape()));
        }
        let rows = row.insert_axis(Axis(0));
        let own = self.table.decode(rows, "row")?.remove(0);
        let outputs = predict(self.predictor, rows.into_dyn(), work)?.row(0).to_owned();
        let wanted = Wanted::new(*outcome, outputs.view(), options.threshold, options.margin)?;
        let space = self.space(&own, options)?;
        let is_admissible = space.changed(&space.base()).is_empty();
        if wanted.shortfall(outputs.view()) <= 0.0 && is_admissible {
            let reason = format!("the row has it already: {}", wanted.text(outputs.view(), self.table));
            return Err(Error::setting("outcome", reason));
        }
        let draws = Draws::new(options.seed, &row_digest_f64(row.into_dyn()), "counterfactual");
        // What is found is asked about once more.
        let budget = options.max_evaluations.saturating_sub(options.n_counterfactuals + 1).max(1);
        let mut oracle = Oracle::new(self.predictor, self.table, &space, wanted, budget, work);
        let steps = outward::outward(&mut oracle, 8 * options.n_counterfactuals, budget * 2 / 5)?;
        inward::inward(&mut oracle, &self.examples(&wanted), &draws)?;
        let best = oracle.best(16 * options.n_counterfactuals, 2);
        inward::nearer(&mut oracle, best)?;
        evolve::evolve(&mut oracle, &steps, &draws)?;
        self.report(&oracle, &wanted, outputs, options)
    }

    /// Rows of the background that have the outcome.
    fn examples(&self, wanted: &Wanted) -> Vec<&State> {
        let with_outputs = self.background.iter().zip(self.background_outputs.outer_iter());
        with_outputs.filter(|(_, outputs)| wanted.shortfall(*outputs) <= 0.0).map(|(row, _)| row).collect()
    }

    fn space(&self, own: &[f64], options: &Options) -> Result<Space, Error> {
        let columns = self.table.columns.iter().zip(own).zip(&self.seen);
        let domains: Vec<Domain> =
            columns.map(|((column, &own), seen)| Domain::new(column, own, seen)).collect::<Result<_, _>>()?;
        let free: Vec<usize> = (0..domains.len()).filter(|&column| domains[column].is_free()).collect();
        let space = Space {
            max_changes: options.max_changes.unwrap_or(domains.len()),
            free,
            domains,
            proximity_weight: options.proximity_weight,
            sparsity_weight: options.sparsity_weight,
        };
        let forced = space.changed(&space.base());
        if forced.len() > space.max_changes {
            let names: Vec<&str> =
                forced.iter().map(|&column| self.table.columns[column].name.as_str()).collect();
            let reason = format!(
                "{} is less than the {} changes that the constraints of {} force on the row",
                space.max_changes,
                forced.len(),
                names.join(", ")
            );
            return Err(Error::setting("max_changes", reason));
        }
        if space.free.is_empty() && forced.is_empty() {
            let reason = "no column may change: each is `immutable`, constant, or has one value left";
            return Err(Error::setting("columns", reason));
        }
        Ok(space)
    }

    fn report(
        &self,
        oracle: &Oracle<'_>,
        wanted: &Wanted,
        outputs: Array1<f64>,
        options: &Options,
    ) -> Result<Counterfactuals, Error> {
        let space = oracle.space;
        let pool = oracle.pool(100 + 10 * options.n_counterfactuals, options.n_counterfactuals);
        let mut chosen = select::select(space, &pool, options.n_counterfactuals, options.diversity_weight);
        let asked = oracle.outputs(&chosen.iter().map(|member| &member.state).collect::<Vec<_>>())?;
        let described: Vec<Counterfactual> = chosen
            .iter()
            .zip(asked.outer_iter())
            .map(|(member, outputs)| self.describe(oracle, wanted, &member.state, outputs))
            .collect();
        let mut warnings = self.warnings(space);
        if described.iter().any(|one| !one.valid) {
            warnings.push(
                "the model answers differently when it is asked again; what it took back is left out".into(),
            );
        }
        let mut valid = described.iter().map(|one| one.valid);
        chosen.retain(|_| valid.next().unwrap_or(false));
        let found: Vec<Counterfactual> = described.into_iter().filter(|one| one.valid).collect();
        let evaluations = oracle.evaluations + asked.nrows() + 1;
        if found.len() < options.n_counterfactuals {
            warnings.push(self.too_few(oracle, found.len(), options));
        }
        let (mut nearest_example, mut nearest_miss) = (None, None);
        if found.is_empty() {
            nearest_example = self.nearest_example(oracle, wanted);
            if let Some(miss) = oracle.nearest_miss() {
                let outputs = oracle.outputs(&[&miss.state])?;
                nearest_miss = Some(self.describe(oracle, wanted, &miss.state, outputs.row(0)));
            }
        }
        let evaluations = evaluations + usize::from(nearest_miss.is_some());
        let diversity = select::diversity(space, &chosen.iter().collect::<Vec<&Member>>());
        Ok(Counterfactuals {
            outputs,
            found,
            diversity,
            nearest_example,
            nearest_miss,
            evaluations,
            warnings,
        })
    }

    fn warnings(&self, space: &Space) -> Vec<String> {
        let unscaled = |column: &&Column| {
            let place = self.table.columns.iter().position(|other| std::ptr::eq(other, *column)).unwrap_or(0);
            !column.is_category()
                && column.scale.is_none()
                && self.seen[place].deviation == 0.0
                && space.domains[place].is_free()
        };
        let names: Vec<&str> =
            self.table.columns.iter().filter(unscaled).map(|column| column.name.as_str()).collect();
        match names.is_empty() {
            true => Vec::new(),
            false => vec![format!(
                "the background has one value of {}; the width of the range counts as a change of 1 (give `scale`)",
                names.join(", ")
            )],
        }
    }

    fn too_few(&self, oracle: &Oracle<'_>, n_found: usize, options: &Options) -> String {
        let what = match n_found {
            0 => "no counterfactual was found".to_owned(),
            n => format!("{n} of {} counterfactuals were found", options.n_counterfactuals),
        };
        let why = match oracle.left() {
            0 => format!("the search spent its {} evaluations (`max_evaluations`)", options.max_evaluations),
            _ => "the search ended; wider constraints leave more room".to_owned(),
        };
        format!("{what}: {why}")
    }

    fn nearest_example(&self, oracle: &Oracle<'_>, wanted: &Wanted) -> Option<Example> {
        let with_outcome = (0..self.background.len())
            .filter(|&index| wanted.shortfall(self.background_outputs.row(index)) <= 0.0);
        let distance = |index: &usize| oracle.space.distance(&self.background[*index]);
        let row_index = with_outcome.min_by(|a, b| distance(a).total_cmp(&distance(b)))?;
        let state = &self.background[row_index];
        let example = self.describe(oracle, wanted, state, self.background_outputs.row(row_index));
        let named = self.table.columns.iter().zip(&oracle.space.domains).zip(state);
        let mut breaks: Vec<String> = named
            .filter_map(|((column, domain), &value)| {
                Some(format!("column `{}`: {}", column.name, domain.breaks(value)?))
            })
            .collect();
        if example.changes.len() > oracle.space.max_changes {
            breaks.push(format!(
                "{} columns differ, more than `max_changes` {}",
                example.changes.len(),
                oracle.space.max_changes
            ));
        }
        Some(Example { row_index, example, breaks })
    }

    fn describe(
        &self,
        oracle: &Oracle<'_>,
        wanted: &Wanted,
        state: &State,
        outputs: ArrayView1<'_, f64>,
    ) -> Counterfactual {
        let domains = oracle.space.domains.iter().zip(state).enumerate();
        let changes: Vec<Change> = domains
            .filter(|(_, (domain, to))| !same(domain.own, **to))
            .map(|(column, (domain, &to))| Change { column, from: domain.own, to })
            .collect();
        Counterfactual {
            row: self.table.encode(state),
            valid: oracle.shortfall(outputs) <= 0.0,
            distance: oracle.space.distance(state),
            sentence: sentence::sentence(self.table, &changes, &wanted.text(outputs, self.table)),
            outputs: outputs.to_owned(),
            changes,
        }
    }
}

fn check(options: &Options) -> Result<(), Error> {
    if options.n_counterfactuals == 0 {
        return Err(Error::setting("n_counterfactuals", "must be 1 or more"));
    }
    if options.max_changes == Some(0) {
        return Err(Error::setting("max_changes", "is 0, which leaves only the row itself; 1 is the least"));
    }
    if options.max_evaluations < options.n_counterfactuals + 2 {
        let least = options.n_counterfactuals + 2;
        return Err(Error::setting("max_evaluations", format!("must be {least} or more")));
    }
    let weights =
        [options.proximity_weight, options.sparsity_weight, options.diversity_weight, options.margin];
    let names = ["proximity_weight", "sparsity_weight", "diversity_weight", "margin"];
    for (weight, name) in weights.into_iter().zip(names) {
        if !(weight.is_finite() && weight >= 0.0) {
            return Err(Error::setting(name, format!("is {weight}; it must be a number from 0 up")));
        }
    }
    if options.proximity_weight == 0.0 && options.sparsity_weight == 0.0 {
        let reason = "and `sparsity_weight` are both 0, so that every change is free; one must be above 0";
        return Err(Error::setting("proximity_weight", reason));
    }
    match options.threshold.is_finite() {
        true => Ok(()),
        false => Err(Error::setting("threshold", "must be a finite number")),
    }
}
