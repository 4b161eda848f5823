//! What every chart must keep to, for tests.

use resvg::usvg::{Options, Tree, roxmltree};

use crate::Chart;
use crate::chart::Shape;
use crate::chart::mark::{Rect, Text};
use crate::chart::{Medium, marks};

/// Checks that the drawing parses, that texts lie inside and overlap no other, and that everything else lies inside.
pub(crate) fn check_chart(chart: &Chart) {
    let svg = chart.svg();
    assert!(svg.len() < 2_000_000, "{} bytes", svg.len());
    // The letters of an image's bytes are chance.
    let parts: Vec<&str> = svg.split("base64,").collect();
    let mut places = parts.iter().enumerate().map(|(index, part)| match index {
        0 => *part,
        _ => part.split_once('"').map_or("", |(_, rest)| rest),
    });
    assert!(places.all(|part| !part.contains("NaN") && !part.contains("inf")), "a place is no number");
    let document = roxmltree::Document::parse(&svg).unwrap();
    let titles = document.descendants().filter(|node| node.has_tag_name("title")).count();
    assert_eq!(titles, 1 + chart.tooltips.len());
    Tree::from_str(&svg, &Options::default()).unwrap();
    roxmltree::Document::parse(&format!("<g>{}</g>", marks(chart, Medium::Page).into_string())).unwrap();
    check_texts(chart);
    for mark in &chart.marks {
        for rect in extents(&mark.shape) {
            let inside = rect.x >= -0.01
                && rect.y >= -0.01
                && rect.right() <= f64::from(chart.width) + 0.01
                && rect.bottom() <= f64::from(chart.height) + 0.01;
            assert!(inside, "{rect:?} leaves the chart of {} by {}", chart.width, chart.height);
        }
    }
}

fn check_texts(chart: &Chart) {
    let texts: Vec<&Text> = texts(chart).collect();
    for (index, a) in texts.iter().enumerate() {
        let corners = corners(a);
        for (x, y) in corners {
            let inside =
                (0.0..=f64::from(chart.width)).contains(&x) && (0.0..=f64::from(chart.height)).contains(&y);
            assert!(inside, "`{}` reaches {x}, {y} in {} by {}", a.text, chart.width, chart.height);
        }
        for b in &texts[..index] {
            assert!(!overlap(a, b), "`{}` and `{}` overlap: {a:?} {b:?}", a.text, b.text);
        }
    }
}

pub(crate) fn texts(chart: &Chart) -> impl Iterator<Item = &Text> {
    chart.marks.iter().filter_map(|mark| match &mark.shape {
        Shape::Text(text) => Some(text),
        _ => None,
    })
}

/// All words of the chart, tooltips included.
pub(crate) fn words(chart: &Chart) -> String {
    let texts: Vec<&str> = texts(chart).map(|text| text.text.as_str()).collect();
    format!("{}\n{}\n{}", texts.join("\n"), chart.tooltips.join("\n"), chart.description)
}

/// From the top of capitals to the bottom of descenders, turned as the text is.
fn corners(text: &Text) -> [(f64, f64); 4] {
    let (sin, cos) = text.degrees.to_radians().sin_cos();
    let (top, bottom) = (-0.75 * text.style.size, 0.21 * text.style.size);
    [(0.0, top), (text.width, top), (text.width, bottom), (0.0, bottom)]
        .map(|(x, y)| (text.x + x * cos - y * sin, text.baseline + x * sin + y * cos))
}

/// By the separating axis theorem: two convex shapes are apart if a side of one has the other beyond it.
fn overlap(a: &Text, b: &Text) -> bool {
    let (a, b) = (corners(a), corners(b));
    let sides = |c: [(f64, f64); 4]| [0, 1].map(|i: usize| (c[i + 1].0 - c[i].0, c[i + 1].1 - c[i].1));
    sides(a).into_iter().chain(sides(b)).all(|(x, y)| {
        let shadow = |corners: [(f64, f64); 4]| {
            let places = corners.map(|corner| corner.0 * x + corner.1 * y);
            (places.iter().copied().fold(f64::MAX, f64::min), places.iter().copied().fold(f64::MIN, f64::max))
        };
        let ((a_low, a_high), (b_low, b_high)) = (shadow(a), shadow(b));
        a_low < b_high - 1e-9 && b_low < a_high - 1e-9
    })
}

/// The rectangles that a shape fills; texts are looked at apart.
pub(crate) fn extents(shape: &Shape) -> Vec<Rect> {
    match shape {
        Shape::Rect(rect) | Shape::Image { place: rect, .. } => vec![*rect],
        Shape::Rects(rects) => rects.clone(),
        Shape::Discs { centers, radius } => {
            let side = 2.0 * radius;
            let disc =
                |&(x, y): &(f64, f64)| Rect { x: x - radius, y: y - radius, width: side, height: side };
            centers.iter().map(disc).collect()
        }
        Shape::Line(points) => {
            let low = points.iter().fold((f64::MAX, f64::MAX), |low, p| (low.0.min(p.0), low.1.min(p.1)));
            let high = points.iter().fold((f64::MIN, f64::MIN), |high, p| (high.0.max(p.0), high.1.max(p.1)));
            vec![Rect { x: low.0, y: low.1, width: high.0 - low.0, height: high.1 - low.1 }]
        }
        Shape::Text(_) => vec![],
    }
}
