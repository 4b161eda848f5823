//! Legend: which color is which group, and how far a scale of colors reaches.

use crate::chart::mark::Rect;
use crate::chart::{Align, Canvas, Paint, QUIET_LABEL, Shape, Stroke, TICK, VALUE_STEPS};
use crate::tabular::frame::{MARGIN, RIGHT};

const SWATCH: f64 = 11.0;
const LINE_HEIGHT: f64 = 20.0;
const MAX_LABEL_WIDTH: f64 = 250.0;

/// `■ name  ■ name …` from the left, on as many lines as they need. Where the legend ends, downward.
pub(crate) fn draw_groups(canvas: &mut Canvas, y: f64, title: &str, groups: &[(Paint, String)]) -> f64 {
    let (mut x, mut y) = (MARGIN, y);
    if !title.is_empty() {
        let title = canvas.shortened(title, QUIET_LABEL, MAX_LABEL_WIDTH);
        canvas.text(&title, QUIET_LABEL, Align::Left, (x, y + 11.0));
        x += canvas.width(&title, QUIET_LABEL) + 16.0;
    }
    for (paint, name) in groups {
        let shown = canvas.shortened(name, TICK, MAX_LABEL_WIDTH);
        let width = SWATCH + 6.0 + canvas.width(&shown, TICK);
        if x > MARGIN && x + width > RIGHT {
            (x, y) = (MARGIN, y + LINE_HEIGHT);
        }
        canvas.telling(name.clone(), |canvas| {
            canvas.rect((x, y), (SWATCH, SWATCH), *paint);
            canvas.text(&shown, TICK, Align::Left, (x + SWATCH + 6.0, y + 10.5));
        });
        x += width + 18.0;
    }
    y + LINE_HEIGHT + 4.0
}

/// What the colors of feature values mean, and gray where it is used: `title low ▒▒▒▒ high ■ gray`, on one line that
/// ends at the right.
pub(crate) fn draw_values(canvas: &mut Canvas, y: f64, title: &str, ends: [&str; 2], gray: Option<&str>) {
    let mut right = RIGHT;
    if let Some(meaning) = gray {
        canvas.text(meaning, TICK, Align::Right, (right, y + 10.5));
        right -= canvas.width(meaning, TICK) + SWATCH + 5.0;
        canvas.rect((right, y), (SWATCH, SWATCH), Paint::Missing);
        right -= 20.0;
    }
    let paints: Vec<Paint> = (0..VALUE_STEPS).map(Paint::Value).collect();
    draw_scale(canvas, (right, y), title, ends, &paints);
}

/// `title low ▒▒▒▒ high` that ends at `right`. Where it begins.
pub(crate) fn draw_scale(
    canvas: &mut Canvas,
    (right, y): (f64, f64),
    title: &str,
    [low, high]: [&str; 2],
    paints: &[Paint],
) -> f64 {
    const WIDTH: f64 = 128.0;
    let baseline = y + 10.5;
    canvas.text(high, TICK, Align::Right, (right, baseline));
    let start = right - canvas.width(high, TICK) - 6.0 - WIDTH;
    let step = WIDTH / paints.len() as f64;
    for (index, &paint) in paints.iter().enumerate() {
        canvas.rect((start + index as f64 * step, y + 0.5), (step, SWATCH), paint);
    }
    let rim = Rect { x: start, y: y + 0.5, width: WIDTH, height: SWATCH };
    canvas.push(Shape::Rect(rim), None, Some(Stroke::solid(Paint::Grid, 1.0)));
    canvas.text(low, TICK, Align::Right, (start - 6.0, baseline));
    let title_right = start - 18.0 - canvas.width(low, TICK);
    let title = canvas.shortened(title, TICK, MAX_LABEL_WIDTH);
    canvas.text(&title, TICK, Align::Right, (title_right, baseline));
    title_right - canvas.width(&title, TICK)
}
