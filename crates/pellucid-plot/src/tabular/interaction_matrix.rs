//! Interaction matrix: how much pairs of features add beyond what each adds alone.

use ndarray::{Array2, ArrayView2, ArrayView3, Axis};

use crate::chart::{Align, Canvas, Paint, Style, TICK, VALUE_STEPS};
use crate::number::{Digits, rows};
use crate::tabular::frame::{Frame, MARGIN, Name, Names, RIGHT};
use crate::tabular::legend::draw_scale;
use crate::tabular::ranking::Ranking;
use crate::tabular::{Feature, Options, Output, check_length, check_number};
use crate::{Chart, Error};

const MAX_CELL: f64 = 58.0;
const TURN: f64 = -45.0;
const MAX_TURNED_WIDTH: f64 = 150.0;

/// How large the interactions of pairs of features are, over many rows.
#[derive(Debug, Clone, Copy)]
pub struct Interactions<'a> {
    /// `[features, features]`, zero or more: the mean size of each pair's interaction, as [`interaction_sizes`] gives
    /// it. The diagonal holds main effects.
    pub sizes: ArrayView2<'a, f64>,
    /// Over so many rows.
    pub n_rows: usize,
    /// One for each column of `sizes`.
    pub features: &'a [Feature],
    /// What is explained.
    pub output: &'a Output,
}

/// `mean |interaction|` over the rows of `[rows, features, features]`; all zero for no rows.
pub fn interaction_sizes(values: ArrayView3<'_, f64>) -> Array2<f64> {
    values.map_axis(Axis(0), |pair| {
        pair.iter().map(|value| value.abs()).sum::<f64>() / pair.len().max(1) as f64
    })
}

/// A field of all pairs among the features that interact most: the darker, the larger. Main effects on the diagonal are
/// gray and have a scale of their own, as they are usually far larger.
///
/// Features beyond `max_features` are left out, and the chart says how many.
///
/// # Errors
/// [`Error::Length`] if `sizes` is no square over the features, [`Error::NotFinite`], [`Error::OptionRange`] for a
/// negative size.
pub fn interaction_matrix(interactions: &Interactions<'_>, options: &Options) -> Result<Chart, Error> {
    check(interactions, options)?;
    let sizes = interactions.sizes;
    let n = sizes.nrows();
    let total = |feature: usize| {
        let others = (0..n).filter(|&other| other != feature);
        others.map(|other| sizes[[feature, other]] + sizes[[other, feature]]).sum()
    };
    let totals: Vec<f64> = (0..n).map(total).collect();
    let shown = Ranking::of(&totals, options.max_features).shown;
    let field = Field::new(interactions, &shown);

    let mut frame = Frame::new(options);
    field.draw_legend(&mut frame);
    let names: Vec<Name> =
        shown.iter().map(|&feature| Name::plain(&interactions.features[feature].name)).collect();
    let names = Names::new(&names, &frame.canvas);
    let cell = ((RIGHT - names.left) / shown.len() as f64).min(MAX_CELL);
    let place = (names.left, frame.y + 4.0);
    let side = cell * shown.len() as f64;
    frame.canvas.rect(place, (side, side), Paint::Grid);
    for line in 0..shown.len() {
        let middle = place.1 + cell * (line as f64 + 0.5);
        let name = interactions.features[shown[line]].name.clone();
        frame.canvas.telling(name, |canvas| names.draw(canvas, line, middle));
        for column in 0..shown.len() {
            field.draw_cell(&mut frame.canvas, interactions, &shown, (line, column), (place, cell));
        }
    }
    let bottom = place.1 + side;
    frame.y = bottom + 10.0;
    for (column, &feature) in shown.iter().enumerate() {
        let middle = place.0 + cell * (column as f64 + 0.5);
        let end = draw_turned(&mut frame.canvas, &interactions.features[feature].name, (middle, bottom));
        frame.y = frame.y.max(end);
    }
    let (of, value_name) = (rows(interactions.n_rows), &interactions.output.value_name);
    let subject = interactions.output.axis_title();
    frame.note(format!(
        "Mean size of the {value_name} of each pair over {of}. {subject}. Diagonal: main effects."
    ));
    if shown.len() < n {
        frame.note(format!("The {} features that interact least are left out.", n - shown.len()));
    }
    Ok(frame.finish(options, field.describe(interactions, &shown)))
}

fn check(interactions: &Interactions<'_>, options: &Options) -> Result<(), Error> {
    let (n, columns) = interactions.sizes.dim();
    if n == 0 {
        return Err(Error::Empty { what: "features" });
    }
    check_length("the axis of interaction columns", n, columns)?;
    check_length("the list of features", n, interactions.features.len())?;
    for ((row, column), &size) in interactions.sizes.indexed_iter() {
        check_number("the interactions", size, || vec![row, column])?;
        if size < 0.0 {
            return Err(Error::OptionRange {
                name: "size of an interaction",
                value: size,
                expected: "0 or more",
            });
        }
    }
    if options.max_features == 0 {
        return Err(Error::OptionRange { name: "max_features", value: 0.0, expected: "1 or more" });
    }
    Ok(())
}

/// The scales of both kinds of cells.
struct Field {
    largest_pair: f64,
    largest_main: f64,
    digits: Digits,
}

impl Field {
    fn new(interactions: &Interactions<'_>, shown: &[usize]) -> Self {
        let (mut largest_pair, mut largest_main) = (0.0_f64, 0.0_f64);
        for &a in shown {
            for &b in shown {
                let largest = if a == b { &mut largest_main } else { &mut largest_pair };
                *largest = largest.max(interactions.sizes[[a, b]]);
            }
        }
        let largest = if largest_pair > 0.0 { largest_pair } else { largest_main };
        Self { largest_pair, largest_main, digits: Digits::of_span(largest, largest_main.max(largest_pair)) }
    }

    fn draw_legend(&self, frame: &mut Frame) {
        let mut right = RIGHT;
        for (title, largest, paint) in [
            ("interaction", self.largest_pair, Paint::Tint as fn(u8) -> Paint),
            ("main effect", self.largest_main, Paint::GrayTint),
        ] {
            if largest > 0.0 {
                let paints: Vec<Paint> = (0..VALUE_STEPS).map(paint).collect();
                let high = self.digits.write(largest);
                right = draw_scale(&mut frame.canvas, (right, frame.y), title, ["0", &high], &paints) - 24.0;
            }
        }
        frame.y += 24.0;
    }

    fn paint(&self, size: f64, is_main: bool) -> Paint {
        let share = |largest: f64| if largest > 0.0 { size / largest } else { 0.0 };
        if is_main {
            Paint::gray_tint(share(self.largest_main))
        } else {
            Paint::tint(share(self.largest_pair))
        }
    }

    fn draw_cell(
        &self,
        canvas: &mut Canvas,
        interactions: &Interactions<'_>,
        shown: &[usize],
        (line, column): (usize, usize),
        ((left, top), cell): ((f64, f64), f64),
    ) {
        let (a, b) = (shown[line], shown[column]);
        let size = interactions.sizes[[a, b]];
        let paint = self.paint(size, a == b);
        let (x, y) = (left + cell * column as f64, top + cell * line as f64);
        let number = self.digits.write_size(size);
        let style =
            Style { size: 11.0, paint: if paint.is_strong() { Paint::OnColor } else { Paint::Ink }, ..TICK };
        canvas.telling(format!("{}: {number}", pair(interactions, a, b)), |canvas| {
            canvas.rect((x + 0.5, y + 0.5), (cell - 1.0, cell - 1.0), paint);
            if canvas.width(&number, style) <= cell - 6.0 {
                canvas.text(&number, style, Align::Middle, (x + cell / 2.0, y + cell / 2.0 + 4.0));
            }
        });
    }

    fn describe(&self, interactions: &Interactions<'_>, shown: &[usize]) -> String {
        let mut pairs: Vec<(usize, usize)> =
            shown.iter().flat_map(|&a| shown.iter().filter(move |&&b| a < b).map(move |&b| (a, b))).collect();
        pairs.sort_by(|&a, &b| {
            interactions.sizes[[b.0, b.1]].total_cmp(&interactions.sizes[[a.0, a.1]]).then(a.cmp(&b))
        });
        let told = pairs.iter().take(5).map(|&(a, b)| {
            format!("{} {}", pair(interactions, a, b), self.digits.write(interactions.sizes[[a, b]]))
        });
        let told: Vec<String> = told.collect();
        let names: Vec<&str> = shown.iter().map(|&a| interactions.features[a].name.as_str()).collect();
        let largest =
            if told.is_empty() { String::new() } else { format!(". The largest: {}", told.join(", ")) };
        format!("Matrix of interactions among {}{largest}", names.join(", "))
    }
}

fn pair(interactions: &Interactions<'_>, a: usize, b: usize) -> String {
    let name = |feature: usize| interactions.features[feature].name.as_str();
    if a == b { format!("{}, main effect", name(a)) } else { format!("{} × {}", name(a), name(b)) }
}

/// A name that ends under `middle`, turned. Where it ends, downward.
fn draw_turned(canvas: &mut Canvas, name: &str, (middle, bottom): (f64, f64)) -> f64 {
    let (sin, cos) = TURN.to_radians().sin_cos();
    let room = ((middle - MARGIN) / cos).min(MAX_TURNED_WIDTH);
    let name = canvas.shortened(name, TICK, room);
    let length = canvas.width(&name, TICK);
    let start = (middle + 4.0 - length * cos, bottom + 12.0 - length * sin);
    canvas.turned_text(&name, TICK, start, TURN);
    start.1 + 10.0
}
