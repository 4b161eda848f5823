#![doc = include_str!("rise.md")]

use ndarray::{Array2, ArrayD, Axis};
use pellucid_core::{Draws, Work};
use rand_chacha::ChaCha8Rng;

use crate::batches::{batch_size, in_batches};
use crate::draw::{below, unit};
use crate::error::Error;
use crate::estimate::Estimate;
use crate::game::{Game, MaskedRow};

/// Samples after which a tolerance is looked at.
const SAMPLES_PER_LOOK: usize = 256;

/// Settings of [`rise`].
#[derive(Clone, Debug, PartialEq)]
pub struct Options {
    /// The axes of the row that masks vary over: height and width of `[channels, height, width]` by default.
    pub axes: Vec<usize>,
    /// Cells of a mask along each of them, before it is enlarged.
    pub grid_size: usize,
    /// The probability that a cell is kept.
    pub probability: f64,
    /// Masks.
    pub n_samples: usize,
    /// Stops before `n_samples` as soon as no value has a larger standard error; in units of the output.
    pub tolerance: Option<f64>,
    /// What masks are drawn from, with the row's digest.
    pub seed: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self { axes: vec![1, 2], grid_size: 7, probability: 0.5, n_samples: 4000, tolerance: None, seed: 0 }
    }
}

impl Options {
    fn check(&self, row_shape: &[usize]) -> Result<(), Error> {
        let repeated = self.axes.iter().enumerate().any(|(place, axis)| self.axes[..place].contains(axis));
        if self.axes.is_empty() || repeated || self.axes.iter().any(|&axis| axis >= row_shape.len()) {
            let reason = format!("{:?} are no axes of a row of shape {row_shape:?}", self.axes);
            return Err(Error::setting("axes", reason));
        }
        if self.grid_size == 0 {
            return Err(Error::setting("grid_size", "must be 1 or more"));
        }
        if !(self.probability > 0.0 && self.probability < 1.0) {
            return Err(Error::setting(
                "probability",
                format!("{} is not between 0 and 1", self.probability),
            ));
        }
        if self.n_samples < 2 {
            return Err(Error::setting("n_samples", "a standard error needs at least 2 masks"));
        }
        if self.tolerance.is_some_and(|tolerance| !(tolerance.is_finite() && tolerance > 0.0)) {
            return Err(Error::setting("tolerance", "must be a number above 0"));
        }
        Ok(())
    }
}

/// The mean output over random soft masks, weighted by how much each shows of a place: `Σ f(x ⊙ m) m / Σ m`; what a mask takes away
/// comes from the masker. The value of a player of several elements is their mean (and the mean of their standard errors, which is
/// the most that the mean's can be). The base value is the worth of nobody.
///
/// # Errors
/// Options that cannot be, a masker that inpaints, a canceled work, whatever the predictor reports.
pub fn rise(game: &MaskedRow<'_>, options: &Options, work: &Work) -> Result<Estimate, Error> {
    let shape = game.row().shape().to_vec();
    options.check(&shape)?;
    let masker = game.masker();
    if masker.inpaints() {
        return Err(Error::setting(
            "masker",
            "inpainting knows present and absent alone; masks of RISE are soft",
        ));
    }
    let ends = Array2::from_shape_fn((2, game.n_players()), |(end, _)| end == 1);
    let worth = game.worth(ends.view(), work)?;
    let (base_values, outputs) = (worth.row(0).to_owned(), worth.row(1).to_owned());
    let masks = Masks { shape, options, draws: Draws::new(options.seed, &game.digest(), "rise") };
    let mut sums = Sums::new(&masks.shape, outputs.len());
    let at_once = (batch_size(work, &masks.shape)? / masker.n_replacements()).max(1);
    for look in in_batches(options.n_samples, SAMPLES_PER_LOOK) {
        for batch in in_batches(look.len(), at_once) {
            let numbers = look.start + batch.start..look.start + batch.end;
            let drawn: Vec<ArrayD<f64>> = numbers.map(|number| masks.mask(number as u64)).collect();
            let shown = shown_rows(game, &drawn);
            let answers = game.targets_of(shown.view(), work)?;
            for (index, mask) in drawn.iter().enumerate() {
                let mut answer = -&outputs;
                for (replacement, &weight) in masker.weights().iter().enumerate() {
                    answer.scaled_add(weight, &answers.row(index * masker.n_replacements() + replacement));
                }
                sums.add(mask, answer.as_slice().unwrap_or(&[]));
            }
        }
        if look.end < options.n_samples
            && options.tolerance.is_some_and(|tolerance| sums.largest_error() <= tolerance)
        {
            break;
        }
    }
    let (values, errors) = sums.of_players(game, &outputs);
    let unseen = sums.mask.iter().any(|&sum| sum <= 0.0);
    let warning = "some places were shown by no mask; their values are the output itself. Draw more masks";
    Ok(Estimate {
        values,
        standard_error: Some(errors),
        base_values,
        outputs,
        evaluations: sums.n_samples + 2,
        warnings: if unseen { vec![warning.to_owned()] } else { Vec::new() },
    })
}

/// Each mask over each replacement: `m x + (1 − m) b`.
fn shown_rows(game: &MaskedRow<'_>, masks: &[ArrayD<f64>]) -> ArrayD<f64> {
    let (row, replacements) = (game.row(), game.masker().replacements());
    let n_replacements = game.masker().n_replacements();
    let shape: Vec<usize> = [masks.len() * n_replacements].iter().chain(row.shape()).copied().collect();
    let mut shown = ArrayD::zeros(shape);
    for (number, slot) in shown.outer_iter_mut().enumerate() {
        let replacement = replacements.index_axis(Axis(0), number % n_replacements);
        ndarray::Zip::from(slot).and(&row).and(&replacement).and(&masks[number / n_replacements]).for_each(
            |slot, &own, &other, &mask| {
                // What is wholly shown or hidden is exactly itself, also where the other one is infinite.
                *slot = match mask {
                    1.0 => own,
                    0.0 => other,
                    _ => mask * own + (1.0 - mask) * other,
                }
            },
        );
    }
    shown
}

struct Masks<'a> {
    shape: Vec<usize>,
    options: &'a Options,
    draws: Draws,
}

impl Masks<'_> {
    /// Mask `number`, of the row's shape: a random grid of zeros and ones, enlarged linearly to one cell more than covers the row, and
    /// cut out at a random shift of less than a cell (Petsiuk, Das & Saenko 2018).
    fn mask(&self, number: u64) -> ArrayD<f64> {
        let mut generator = self.draws.draw(number);
        let (axes, size) = (&self.options.axes, self.options.grid_size);
        let cells: Vec<f64> = (0..size.pow(axes.len() as u32))
            .map(|_| f64::from(unit(&mut generator) < self.options.probability))
            .collect();
        let mut places = vec![Vec::new(); self.shape.len()];
        for &axis in axes {
            places[axis] = shifted_places(self.shape[axis], size, &mut generator);
        }
        let mut at = vec![(0, 0.0); axes.len()];
        ArrayD::from_shape_fn(self.shape.clone(), |index| {
            for (place, &axis) in at.iter_mut().zip(axes) {
                *place = places[axis][index[axis]];
            }
            interpolated(&cells, size, &at)
        })
    }
}

/// Where each index of an axis lies on the grid: the cell at or before it, and how far towards the next. Cells' centers are aligned.
fn shifted_places(length: usize, size: usize, generator: &mut ChaCha8Rng) -> Vec<(usize, f64)> {
    let cell = length.div_ceil(size);
    let shift = below(generator, cell);
    let enlarged = ((size + 1) * cell) as f64;
    let place = |index: usize| {
        let at = ((index + shift) as f64 + 0.5) * size as f64 / enlarged - 0.5;
        let at = at.clamp(0.0, (size - 1) as f64);
        (at as usize, at.fract())
    };
    (0..length).map(place).collect()
}

/// The grid's value at a place, linear along every axis.
fn interpolated(cells: &[f64], size: usize, places: &[(usize, f64)]) -> f64 {
    let Some(((cell, share), others)) = places.split_first() else { return cells[0] };
    let stride = size.pow(others.len() as u32);
    let here = interpolated(&cells[cell * stride..], size, others);
    if *share > 0.0 {
        let next = interpolated(&cells[(cell + 1) * stride..], size, others);
        return here + share * (next - here);
    }
    here
}

/// What is summed over masks, for each element; outputs are counted from the whole row's, so that squares keep their digits.
struct Sums {
    n_samples: usize,
    /// `Σ m`, `Σ m²`.
    mask: ArrayD<f64>,
    square: ArrayD<f64>,
    /// `Σ m y`, `Σ m² y`, `Σ m² y²` for each target.
    of_target: Vec<[ArrayD<f64>; 3]>,
}

impl Sums {
    fn new(shape: &[usize], n_targets: usize) -> Self {
        let zeros = || ArrayD::zeros(shape);
        let of_target = (0..n_targets).map(|_| std::array::from_fn(|_| zeros())).collect();
        Self { n_samples: 0, mask: zeros(), square: zeros(), of_target }
    }

    fn add(&mut self, mask: &ArrayD<f64>, answers: &[f64]) {
        self.n_samples += 1;
        self.mask += mask;
        self.square.zip_mut_with(mask, |sum, m| *sum += m * m);
        for ([first, cross, second], &y) in self.of_target.iter_mut().zip(answers) {
            ndarray::Zip::from(first).and(cross).and(second).and(mask).for_each(
                |first, cross, second, &m| {
                    *first += m * y;
                    *cross += m * m * y;
                    *second += m * m * y * y;
                },
            );
        }
    }

    /// `r = Σ m y / Σ m` of a target, and its standard error `√(Σ m² (y − r)²) / Σ m`, that of a ratio.
    fn values(&self, target: usize) -> (ArrayD<f64>, ArrayD<f64>) {
        let [first, cross, second] = &self.of_target[target];
        let mut values = first.clone();
        values.zip_mut_with(&self.mask, |value, &mask| *value = if mask > 0.0 { *value / mask } else { 0.0 });
        let mut errors = second.clone();
        ndarray::Zip::from(&mut errors).and(cross).and(&self.square).and(&values).for_each(
            |error, &cross, &square, &r| *error = (*error - 2.0 * r * cross + r * r * square).max(0.0).sqrt(),
        );
        errors.zip_mut_with(&self.mask, |error, &mask| *error = if mask > 0.0 { *error / mask } else { 0.0 });
        (values, errors)
    }

    fn largest_error(&self) -> f64 {
        if self.mask.iter().any(|&sum| sum <= 0.0) {
            return f64::INFINITY;
        }
        (0..self.of_target.len()).flat_map(|target| self.values(target).1).fold(0.0, f64::max)
    }

    /// Means over the elements of each player, `[players, targets]` both.
    fn of_players(&self, game: &MaskedRow<'_>, outputs: &ndarray::Array1<f64>) -> (Array2<f64>, Array2<f64>) {
        let groups = game.masker().groups();
        let shape = (groups.n_groups(), outputs.len());
        let (mut values, mut errors) = (Array2::zeros(shape), Array2::zeros(shape));
        let mut counts = Array2::<f64>::zeros((groups.n_groups(), 1));
        groups.of_element().iter().for_each(|&player| counts[[player, 0]] += 1.0);
        for target in 0..outputs.len() {
            let (of_elements, errors_of_elements) = self.values(target);
            ndarray::Zip::from(groups.of_element()).and(&of_elements).and(&errors_of_elements).for_each(
                |&player, &value, &error| {
                    values[[player, target]] += value;
                    errors[[player, target]] += error;
                },
            );
        }
        (values / &counts + outputs, errors / &counts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::masker::{Groups, Masker};
    use crate::predictor::Function;
    use crate::testing::{of_rows, work};
    use ndarray::{Array1, ArrayViewD, array};

    fn of_three() -> Options {
        Options { axes: vec![0], grid_size: 3, n_samples: 6000, ..Options::default() }
    }

    fn run(options: &Options, batch_size: usize) -> Result<Estimate, Error> {
        let model = of_rows(3, |x| x[0] * x[1] + 2.0 * x[2]);
        let background = array![[0.0, 1.0, -1.0], [1.0, 0.0, 0.0]].into_dyn();
        let masker = Masker::background(background, Some(array![0.25, 0.75]), Groups::single(&[3]));
        let masker = masker.expect("a masker");
        let row = array![2.0, 3.0, 1.0].into_dyn();
        let game = MaskedRow::new(&model, &masker, row.view(), array![[1.0]]).expect("a game");
        rise(&game, options, &work(batch_size))
    }

    /// Three cells over three numbers: a grid g of 0 and 1 gives the mask (g₀, .375 g₀ + .625 g₁, .625 g₁ + .375 g₂), as the enlargement to
    /// four has its centers at −.125, .625, 1.375. All eight grids by hand are what many samples come to.
    #[test]
    fn masks_come_to_the_mean_over_all_grids() {
        let f = |x: [f64; 3]| x[0] * x[1] + 2.0 * x[2];
        let (mut sums, mut shown) = ([0.0; 3], [0.0; 3]);
        for bits in 0..8_u32 {
            let g = [0, 1, 2].map(|cell| f64::from(bits >> cell & 1));
            let mask = [g[0], 0.375 * g[0] + 0.625 * g[1], 0.625 * g[1] + 0.375 * g[2]];
            let mixed = |b: [f64; 3]| {
                f(std::array::from_fn(|i| mask[i] * [2.0, 3.0, 1.0][i] + (1.0 - mask[i]) * b[i]))
            };
            let y = 0.25 * mixed([0.0, 1.0, -1.0]) + 0.75 * mixed([1.0, 0.0, 0.0]);
            for i in 0..3 {
                sums[i] += mask[i] * y;
                shown[i] += mask[i];
            }
        }
        let estimate = run(&of_three(), 512).expect("values");
        let errors = estimate.standard_error.expect("errors");
        for i in 0..3 {
            let (value, expected) = (estimate.values[[i, 0]], sums[i] / shown[i]);
            assert!(
                (value - expected).abs() < 4.0 * errors[[i, 0]],
                "{value} is not {expected} ± {}",
                errors[[i, 0]]
            );
            assert!(errors[[i, 0]] < 0.05);
        }
        assert_eq!(estimate.outputs, array![8.0]);
        assert_eq!(estimate.base_values, array![0.25 * -2.0]);
    }

    #[test]
    fn standard_errors_are_the_spread_over_seeds() {
        let mut values = Vec::new();
        let mut told = 0.0;
        for seed in 0..200 {
            let estimate = run(&Options { n_samples: 150, seed, ..of_three() }, 4096).expect("values");
            values.push(estimate.values[[1, 0]]);
            told += estimate.standard_error.expect("errors")[[1, 0]] / 200.0;
        }
        let ratio = told / Array1::from_vec(values).std(1.0);
        assert!((0.85..1.15).contains(&ratio), "told / true: {ratio}");
    }

    #[test]
    fn batches_change_nothing_and_seeds_do() {
        let options = Options { n_samples: 300, ..of_three() };
        let whole = run(&options, 4096).expect("values");
        for batch_size in [1, 7, 255, 600] {
            assert_eq!(run(&options, batch_size), Ok(whole.clone()));
        }
        assert_ne!(run(&Options { seed: 1, ..options }, 64).expect("values").values, whole.values);
    }

    /// An image whose output is one pixel: its place stands out, channels are masked together, and masks are smooth and of mean p.
    #[test]
    fn the_pixel_that_matters_stands_out() {
        let shape = [2, 12, 15];
        let predict = |rows: ArrayViewD<'_, f64>| {
            Ok(rows.outer_iter().map(|row| row[[0, 4, 9]]).collect::<Array1<f64>>().insert_axis(Axis(1)))
        };
        let model = Function { row_shape: shape.to_vec(), n_outputs: 1, predict };
        let masker =
            Masker::baseline(ArrayD::zeros(shape.to_vec()), Groups::single(&shape)).expect("a masker");
        let row = ArrayD::from_elem(shape.to_vec(), 1.0);
        let game = MaskedRow::new(&model, &masker, row.view(), array![[1.0]]).expect("a game");
        let options = Options { grid_size: 4, n_samples: 1500, ..Options::default() };
        let estimate = rise(&game, &options, &work(64)).expect("values");
        let map = masker.groups().spread(estimate.values.column(0));
        let best = map.indexed_iter().max_by(|a, b| a.1.total_cmp(b.1)).expect("a place").0;
        assert!(best[1].abs_diff(4) <= 1 && best[2].abs_diff(9) <= 1, "{best:?}");
        assert_eq!(map.index_axis(Axis(0), 0), map.index_axis(Axis(0), 1));
        let masks =
            Masks { shape: shape.to_vec(), options: &options, draws: Draws::new(0, &[0; 32], "rise") };
        let mean = (0..500).map(|number| masks.mask(number).mean().expect("a mean")).sum::<f64>() / 500.0;
        assert!((mean - 0.5).abs() < 0.03, "{mean}");
    }

    #[test]
    fn a_tolerance_stops_early_and_is_kept() {
        let options = Options { n_samples: 100_000, tolerance: Some(0.08), ..of_three() };
        let estimate = run(&options, 4096).expect("values");
        assert!(estimate.evaluations < 20_000);
        assert!(estimate.standard_error.expect("errors").iter().all(|&error| error <= 0.08));
    }

    #[test]
    fn what_cannot_be_is_refused() {
        let say = |options: Options| run(&options, 8).expect_err("a refusal").to_string();
        assert!(say(Options { axes: vec![1], ..of_three() }).contains("no axes of a row of shape [3]"));
        assert!(say(Options { axes: vec![0, 0], ..of_three() }).contains("axes"));
        assert!(say(Options { grid_size: 0, ..of_three() }).contains("grid_size"));
        assert!(say(Options { probability: 1.0, ..of_three() }).contains("between 0 and 1"));
        assert!(say(Options { n_samples: 1, ..of_three() }).contains("at least 2 masks"));
        assert!(say(Options { tolerance: Some(0.0), ..of_three() }).contains("tolerance"));
    }
}
