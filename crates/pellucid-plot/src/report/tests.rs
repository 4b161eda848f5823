use super::*;
use crate::{Ground, HeatmapOptions, Palette, overlay};
use ndarray::arr2;

fn report() -> Report {
    let photo = Picture::new(2, 1, vec![10, 20, 30, 40, 50, 60]).unwrap();
    let (palette, ground) = (Palette::Diverging, Ground::Picture);
    let options = HeatmapOptions { palette, ground, outlier_percent: 0.0, opacity: 0.8 };
    let heatmap = overlay(&photo, arr2(&[[0.5, -1.0]]).view(), &options).unwrap();
    let metric =
        |measurement, random, better| ReportMetric { name: "gap".into(), measurement, random, better };
    let curve = ReportCurve {
        name: "Deletion".into(),
        axis: "pixels deleted".into(),
        fractions: vec![0.0, 0.5, 1.0],
        values: vec![0.9, 0.2, 0.1],
        random: vec![0.9, 0.6, 0.1],
    };
    let panel = ReportPanel {
        method: "Integrated gradients".into(),
        parameters: "50 steps".into(),
        explanation: "Sums gradients.".into(),
        shown: Shown::Heatmap(heatmap),
        metrics: vec![
            metric(Measurement::Number(0.12), Some(0.5), Better::Lower),
            metric(Measurement::NotPromised, None, Better::Zero),
        ],
        curves: vec![curve],
        warnings: vec!["saturated".into()],
    };
    let class = |label: &str, probability| ClassScore { label: label.into(), probability, explained: true };
    Report {
        title: "Demo".into(),
        lead: "What you see.".into(),
        facts: vec![("Model".into(), "net.onnx".into())],
        sections: vec![ReportSection {
            heading: "A cat".into(),
            photo: Some(photo),
            credit: "CC0".into(),
            classes: vec![class("tiger cat", 0.4), class("tabby", 0.2)],
            warnings: vec![],
            panels: vec![panel],
        }],
        footer: "made here".into(),
    }
}

/// Checks what `report_html` refuses after `spoil` did its harm.
fn check_refused(spoil: impl Fn(&mut ReportSection), expected: &str) {
    let mut report = report();
    spoil(&mut report.sections[0]);
    assert_eq!(report_html(&report).unwrap_err().to_string(), expected);
}

#[test]
fn everything_given_is_on_the_page() {
    let html = report_html(&report()).unwrap();
    for text in [
        "Demo",
        "What you see.",
        "net.onnx",
        "A cat",
        "CC0",
        "tiger cat",
        "40.0 %",
        "tabby",
        "50 steps",
        "saturated",
        "Integrated gradients",
        "Sums gradients.",
        "0.12",
        "0.5",
        "not promised",
        "Deletion",
        "pixels deleted",
        "−1",
        "made here",
        "better than random",
    ] {
        assert!(html.contains(text), "{text}");
    }
    assert!(!html.contains("not better than random"));
}

#[test]
fn a_value_no_better_than_random_is_marked_so() {
    for (value, random, better, beats) in [
        (0.1, 0.2, Better::Lower, true),
        (0.2, 0.2, Better::Lower, false),
        (0.1, 0.2, Better::Higher, false),
        (0.3, 0.2, Better::Higher, true),
        (-0.1, 0.2, Better::Zero, true),
        (-0.3, 0.2, Better::Zero, false),
    ] {
        let mut report = report();
        let metric = &mut report.sections[0].panels[0].metrics[0];
        (metric.measurement, metric.random, metric.better) =
            (Measurement::Number(value), Some(random), better);
        let html = report_html(&report).unwrap();
        assert_eq!(html.contains("\"better than random"), beats, "{value} {random} {better:?}");
        assert_eq!(html.contains("\"not better than random"), !beats, "{value} {random} {better:?}");
    }
}

#[test]
fn the_page_needs_nothing_from_outside() {
    let html = report_html(&report()).unwrap();
    for (start, _) in html.match_indices("src=\"").chain(html.match_indices("url(")) {
        let target = html[start..].trim_start_matches("src=\"").trim_start_matches("url(");
        assert!(target.starts_with("data:"), "{}", &target[..40]);
    }
    for absent in ["<script", "<link", "<iframe", "http:", "https:", "@import"] {
        assert!(!html.contains(absent), "{absent}");
    }
}

#[test]
fn every_text_is_escaped() {
    const HOSTILE: &str = "</style><script>alert(1)</script>\"'&";
    let mut report = report();
    let hostile = || HOSTILE.to_owned();
    (report.title, report.lead, report.footer) = (hostile(), hostile(), hostile());
    report.facts = vec![(hostile(), hostile())];
    report.sections.push(report.sections[0].clone());
    for section in &mut report.sections {
        (section.heading, section.credit, section.warnings) = (hostile(), hostile(), vec![hostile()]);
        section.classes[0].label = hostile();
        let panel = &mut section.panels[0];
        (panel.method, panel.parameters, panel.explanation) = (hostile(), hostile(), hostile());
        panel.warnings = vec![hostile()];
        panel.metrics[0].name = hostile();
        (panel.curves[0].name, panel.curves[0].axis) = (hostile(), hostile());
    }
    let html = report_html(&report).unwrap();
    assert!(!html.contains("<script"));
    assert_eq!(html.matches("</style>").count(), 1);
    assert!(html.contains("&lt;/style&gt;&lt;script&gt;alert(1)&lt;/script&gt;&quot;'&amp;"));
}

#[test]
fn same_report_gives_the_same_bytes() {
    assert_eq!(report_html(&report()), report_html(&report()));
}

#[test]
fn bad_numbers_are_refused() {
    check_refused(|s| s.classes[0].probability = 1.5, "`probability` is 1.5, expected 0 to 1");
    check_refused(
        |s| s.panels[0].metrics[0].measurement = Measurement::Number(f64::NAN),
        "a metric holds NaN at index [0]; only finite numbers can be drawn",
    );
    check_refused(
        |s| s.panels[0].curves[0].random[2] = f64::INFINITY,
        "a curve holds inf at index [2]; only finite numbers can be drawn",
    );
    check_refused(|s| s.panels[0].curves[0].fractions[1] = -0.5, "`fraction` is -0.5, expected 0 to 1");
    check_refused(
        |s| s.panels[0].curves[0].values.truncate(2),
        "curve `Deletion` has 3 fractions and 2 values; it needs two or more, as many of each",
    );
}

#[test]
fn a_curve_may_lack_the_random_one() {
    let mut report = report();
    report.sections[0].panels[0].curves[0].random.clear();
    assert!(report_html(&report).unwrap().contains("<path class=\"curve\""));
}

#[test]
fn a_text_stands_where_a_photo_would() {
    use crate::TextPiece;
    let mut report = report();
    let section = &mut report.sections[0];
    section.photo = None;
    let piece = |text: &str, value| TextPiece { text: text.into(), value };
    section.panels[0].shown = Shown::Text(HighlightedText {
        title: String::new(),
        subtitle: String::new(),
        label: "praise".into(),
        probability: Some(0.75),
        pieces: vec![piece("good", Some(2.5)), piece(" ", None), piece("<grief>", Some(-1.0))],
        note: "a caution".into(),
    });
    let html = report_html(&report).unwrap();
    for text in [
        "id=\"text-1\"",
        ">good</span> ",
        "&lt;grief&gt;",
        "−2.5",
        "“<strong>praise</strong>”, 75.0 %",
        "a caution",
        "40.0 %",
    ] {
        assert!(html.contains(text), "{text}");
    }
    for text in ["<img", "Photo", "--photo:url", "photo under it"] {
        assert!(!html.contains(text), "{text}");
    }
    let Shown::Text(text) = &mut report.sections[0].panels[0].shown else { unreachable!() };
    text.pieces[0].value = Some(f64::NAN);
    assert!(report_html(&report).unwrap_err().to_string().contains("the text"));
}
