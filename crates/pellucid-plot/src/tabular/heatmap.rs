//! Heatmap: the values of all rows and features as a field of colors.

use ndarray::Array2;

use crate::chart::mark::Rect;
use crate::chart::{Align, Axis, Canvas, Paint, Scale, Shape, Stroke, TICK};
use crate::number::{Digits, count, rows, short_number};
use crate::tabular::cluster::cluster_order;
use crate::tabular::decision::spaced;
use crate::tabular::frame::{Frame, Name, Names, RIGHT};
use crate::tabular::legend::draw_scale;
use crate::tabular::ranking::{Ranking, mean_sizes};
use crate::tabular::{Options, Table};
use crate::{Chart, Error, Palette, Picture, outlier_limit, raster};

const ROW_HEIGHT: f64 = 24.0;
/// Height of the outputs above the field.
const STRIP: f64 = 58.0;
/// Width of the bars beside the field.
const BARS: f64 = 84.0;
/// So many columns at most; more rows share them.
const MAX_COLUMNS: usize = 500;
/// Clustering takes the square of its rows.
const MAX_CLUSTERED: usize = 1_000;
/// Up to so many cells each tells its value when pointed at.
const MAX_TOLD_CELLS: usize = 2_500;
/// Percent of the values' absolute mass beyond the last color.
const OUTLIER_PERCENT: f64 = 2.0;
/// Percent of the cells that may lie beyond it: a few rows with one huge value would leave all others pale.
const OUTLIER_CELLS_PERCENT: usize = 1;

/// From left to right, in which order rows stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RowOrder {
    /// As in the table.
    Table,
    /// From the lowest output to the highest.
    Output,
    /// Rows with like values beside each other (Ward's clustering). Of more than 1,000 rows, 1,000 are taken, evenly
    /// spaced, and the chart says so.
    Cluster,
}

/// A column for each row and a line for each feature, the largest on top, red where the feature pushes the output up;
/// the outputs above, the mean size of each feature's values at the right.
///
/// More rows than there is room for share a column, which shows their means.
///
/// # Errors
/// What is wrong with `table` or `options`.
pub fn heatmap(table: &Table<'_>, order: RowOrder, options: &Options) -> Result<Chart, Error> {
    table.check(options)?;
    let sizes = mean_sizes(table.values);
    let ranking = Ranking::of(&sizes, options.max_features);
    let field = Field::new(table, &ranking, order);
    let mut frame = Frame::new(options);
    let names = Names::new(&field.names.iter().map(Name::plain).collect::<Vec<_>>(), &frame.canvas);
    draw_legend(&mut frame, &field, &table.output.value_name);
    let place = Rect {
        x: names.left,
        y: frame.y + STRIP + 10.0,
        width: RIGHT - BARS - 12.0 - names.left,
        height: ROW_HEIGHT * field.names.len() as f64,
    };
    draw_outputs(&mut frame.canvas, table, &field, place, frame.y);
    let digits = Digits::of_span(field.largest, field.largest);
    draw_cells(&mut frame.canvas, table, &field, place, digits)?;
    let means: Vec<f64> = field.means(&sizes, &ranking);
    draw_names_and_bars(
        &mut frame.canvas,
        &names,
        (&field, &means),
        place,
        (digits, &table.output.value_name),
    );
    let bottom = place.bottom();
    let what = match order {
        RowOrder::Table => "in the order of the table",
        RowOrder::Output => "from the lowest output to the highest",
        RowOrder::Cluster => "like ones beside each other",
    };
    let text = frame.canvas.shortened(&format!("{}, {what}", rows(field.rows.len())), TICK, place.width);
    frame.canvas.text(&text, TICK, Align::Middle, (place.x + place.width / 2.0, bottom + 18.0));
    frame.y = bottom + 26.0;
    add_notes(&mut frame, table, &field);
    let description = describe(table, &field, &means, digits, what);
    Ok(frame.finish(options, description))
}

/// What is drawn: the mean of the rows of each column, feature by feature.
struct Field {
    names: Vec<String>,
    /// Rows from left to right.
    rows: Vec<usize>,
    /// `[features, columns]`.
    cells: Array2<f64>,
    /// Mean output of each column.
    outputs: Vec<f64>,
    /// The last color stands for this size and all beyond.
    limit: f64,
    largest: f64,
}

impl Field {
    fn new(table: &Table<'_>, ranking: &Ranking, order: RowOrder) -> Self {
        let rows = ordered_rows(table, ranking, order);
        let n_columns = rows.len().min(MAX_COLUMNS);
        let has_rest = !ranking.rest.is_empty();
        let mut names: Vec<String> =
            ranking.shown.iter().map(|&feature| table.features[feature].name.clone()).collect();
        names.extend(has_rest.then(|| format!("sum of {} other features", count(ranking.rest.len()))));
        let mut cells = Array2::zeros((names.len(), n_columns));
        let mut outputs = vec![0.0; n_columns];
        for column in 0..n_columns {
            let members = &rows[column * rows.len() / n_columns..(column + 1) * rows.len() / n_columns];
            let n = members.len() as f64;
            for &row in members {
                outputs[column] += table.output_of(row) / n;
                let values = table.values.row(row);
                for (line, &feature) in ranking.shown.iter().enumerate() {
                    cells[[line, column]] += values[feature] / n;
                }
                if has_rest {
                    let rest: f64 = ranking.rest.iter().map(|&feature| values[feature]).sum();
                    cells[[names.len() - 1, column]] += rest / n;
                }
            }
        }
        let limit = color_limit(&cells);
        let largest = cells.iter().fold(0.0, |max: f64, cell| max.max(cell.abs()));
        Self { names, rows, cells, outputs, limit, largest }
    }

    fn n_columns(&self) -> usize {
        self.outputs.len()
    }

    fn color(&self, value: f64) -> [u8; 3] {
        Palette::Diverging.color(if self.limit > 0.0 { value / self.limit } else { 0.0 })
    }

    fn means(&self, sizes: &[f64], ranking: &Ranking) -> Vec<f64> {
        let rest = ranking.rest.iter().map(|&feature| sizes[feature]).sum();
        let shown = ranking.shown.iter().map(|&feature| sizes[feature]);
        shown.chain((!ranking.rest.is_empty()).then_some(rest)).collect()
    }
}

fn color_limit(cells: &Array2<f64>) -> f64 {
    let by_mass = outlier_limit(cells.view(), OUTLIER_PERCENT);
    let mut sizes: Vec<f64> = cells.iter().map(|cell| cell.abs()).collect();
    sizes.sort_by(f64::total_cmp);
    let by_count = sizes[(sizes.len() - 1) * (100 - OUTLIER_CELLS_PERCENT) / 100];
    // Where hardly any cell has a value at all, these few are what there is to see.
    if by_count > 0.0 { by_mass.min(by_count) } else { by_mass }
}

fn ordered_rows(table: &Table<'_>, ranking: &Ranking, order: RowOrder) -> Vec<usize> {
    let mut rows: Vec<usize> = (0..table.n_rows()).collect();
    match order {
        RowOrder::Table => {}
        RowOrder::Output => {
            let outputs: Vec<f64> = rows.iter().map(|&row| table.output_of(row)).collect();
            rows.sort_by(|&a, &b| outputs[a].total_cmp(&outputs[b]).then(a.cmp(&b)));
        }
        RowOrder::Cluster => {
            let taken = spaced(&rows, MAX_CLUSTERED);
            let values = Array2::from_shape_fn((taken.len(), ranking.shown.len()), |(row, line)| {
                table.values[[taken[row], ranking.shown[line]]]
            });
            let outputs: Vec<f64> = taken.iter().map(|&row| table.output_of(row)).collect();
            rows = cluster_order(values.view(), &outputs).into_iter().map(|index| taken[index]).collect();
        }
    }
    rows
}

fn draw_legend(frame: &mut Frame, field: &Field, value_name: &str) {
    let limit = short_number(field.limit);
    let (low, high) = match field.largest > field.limit {
        true => (format!("≤ −{limit}"), format!("≥ +{limit}")),
        false if field.limit == 0.0 => ("0".to_owned(), "0".to_owned()),
        false => (format!("−{limit}"), format!("+{limit}")),
    };
    let colors = (0..33).map(|step| Paint::Fixed(field.color(field.limit * (f64::from(step) / 16.0 - 1.0))));
    draw_scale(&mut frame.canvas, (RIGHT, frame.y), value_name, [&low, &high], &colors.collect::<Vec<_>>());
    frame.y += 26.0;
}

/// The outputs as a line above the field, with the base value dashed.
fn draw_outputs(canvas: &mut Canvas, table: &Table<'_>, field: &Field, place: Rect, top: f64) {
    let values = field.outputs.iter().copied().chain(table.common_base_value());
    let scale = Scale::over(values, (top + STRIP - 3.0, top + 3.0));
    Axis::vertical(scale).ticks.into_iter().for_each(|(value, label)| {
        let y = scale.place(value);
        canvas.line((place.x, y), (place.right(), y), Stroke::solid(Paint::Grid, 1.0));
        canvas.text(&label, TICK, Align::Right, (place.x - 7.0, y + 4.0));
    });
    if let Some(base) = table.common_base_value().map(|base_value| scale.place(base_value)) {
        canvas.line((place.x, base), (place.right(), base), Stroke::dashed(Paint::Quiet, 1.0));
    }
    let step = place.width / field.n_columns() as f64;
    // Flat over the width of each column.
    let points = field.outputs.iter().enumerate().flat_map(|(column, &output)| {
        let (left, y) = (place.x + column as f64 * step, scale.place(output));
        [(left, y), (left + step, y)]
    });
    canvas.polyline(points.collect(), Stroke::solid(Paint::Ink, 1.2));
    canvas.telling(format!("f(x), {}", outputs_meaning(table)), |canvas| {
        canvas.text("f(x)", TICK, Align::Left, (place.right() + 8.0, top + STRIP / 2.0 + 4.0));
    });
}

/// What the line above the field is.
fn outputs_meaning(table: &Table<'_>) -> String {
    let dashed = if table.common_base_value().is_some() { "; dashed: the base value" } else { "" };
    format!("{}{dashed}", table.output.axis_title())
}

fn draw_cells(
    canvas: &mut Canvas,
    table: &Table<'_>,
    field: &Field,
    place: Rect,
    digits: Digits,
) -> Result<(), Error> {
    let (n_lines, n_columns) = field.cells.dim();
    if n_lines * n_columns > MAX_TOLD_CELLS {
        let pixels = field.cells.iter().flat_map(|&cell| field.color(cell)).collect();
        let uri = raster::data_uri(&Picture::new(n_columns as u32, n_lines as u32, pixels)?)?;
        canvas.push(Shape::Image { place, uri }, None, None);
        return Ok(());
    }
    let step = place.width / n_columns as f64;
    for ((line, column), &cell) in field.cells.indexed_iter() {
        let tooltip = format!(
            "{}: {}: {}",
            table.row_name(field.rows[column]),
            field.names[line],
            digits.write_signed(cell)
        );
        let at = (place.x + column as f64 * step, place.y + line as f64 * ROW_HEIGHT);
        canvas
            .telling(tooltip, |canvas| canvas.rect(at, (step, ROW_HEIGHT), Paint::Fixed(field.color(cell))));
    }
    Ok(())
}

fn draw_names_and_bars(
    canvas: &mut Canvas,
    names: &Names,
    (field, means): (&Field, &[f64]),
    place: Rect,
    (digits, value_name): (Digits, &str),
) {
    let largest = means.iter().fold(0.0, |max: f64, mean| max.max(*mean));
    let left = place.right() + 8.0;
    for (line, (name, &mean)) in field.names.iter().zip(means).enumerate() {
        let middle = place.y + ROW_HEIGHT * (line as f64 + 0.5);
        let width = if largest > 0.0 { BARS * mean / largest } else { 0.0 };
        canvas.telling(format!("{name}: mean |{value_name}| {}", digits.write(mean)), |canvas| {
            names.draw(canvas, line, middle);
            canvas.rect((left, middle - 6.0), (width, 12.0), Paint::Accent);
        });
    }
    canvas.text("mean size", TICK, Align::Left, (left, place.bottom() + 18.0));
}

fn add_notes(frame: &mut Frame, table: &Table<'_>, field: &Field) {
    if field.rows.len() < table.n_rows() {
        let taken = count(field.rows.len());
        frame.note(format!("{taken} of {}, evenly spaced, are clustered and drawn.", rows(table.n_rows())));
    }
    if field.n_columns() < field.rows.len() {
        let share = field.rows.len() as f64 / field.n_columns() as f64;
        frame.note(format!("Each column shows the mean of about {} rows.", short_number(share)));
    }
    frame.note(format!(
        "Red pushes the output up, blue pushes it down. The line above: {}.",
        outputs_meaning(table)
    ));
}

fn describe(table: &Table<'_>, field: &Field, means: &[f64], digits: Digits, what: &str) -> String {
    let parts = field.names.iter().zip(means).map(|(name, &mean)| format!("{name} {}", digits.write(mean)));
    format!(
        "Field of the {} of {}, {what}. Mean sizes: {}",
        table.output.value_name,
        rows(field.rows.len()),
        parts.collect::<Vec<_>>().join(", ")
    )
}
