use base64::prelude::{BASE64_STANDARD, Engine};
use sha2::{Digest, Sha256};

use resvg::usvg::roxmltree;

use super::*;
use crate::tabular::testing::{options, plain};
use crate::tabular::{beeswarm, waterfall};

fn page() -> ChartPage {
    let owned = plain(50, 4);
    let options = options(20);
    let charts =
        vec![waterfall(&owned.table(), 2, &options).unwrap(), beeswarm(&owned.table(), &options).unwrap()];
    ChartPage {
        title: "Demo".into(),
        lead: "What you see.".into(),
        facts: vec![("Model".into(), "trees.json".into())],
        sections: vec![ChartSection {
            heading: "All rows".into(),
            text: "Read from left to right.".into(),
            warnings: vec!["made up".into()],
            charts,
        }],
        footer: "made here".into(),
    }
}

#[test]
fn everything_given_is_on_the_page() {
    let page = page();
    let html = charts_html(&page);
    for text in [
        "Demo",
        "What you see.",
        "trees.json",
        "All rows",
        "Read from left to right.",
        "made up",
        "made here",
    ] {
        assert!(html.contains(text), "{text}");
    }
    for chart in &page.sections[0].charts {
        assert!(html.contains(&chart.description));
        assert!(chart.tooltips.iter().all(|tooltip| html.contains(&format!("<title>{tooltip}</title>"))));
    }
}

#[test]
fn the_page_needs_no_other_file() {
    let html = charts_html(&page());
    for outside in ["http://", "https://", "src=\"", "@import"] {
        let without_names = html.replace("http-equiv", "");
        assert!(!without_names.contains(outside), "{outside}");
    }
}

#[test]
fn only_the_script_of_the_page_may_run() {
    let html = charts_html(&page());
    let script = html.split("<script>").nth(1).unwrap().split("</script>").next().unwrap();
    let digest = BASE64_STANDARD.encode(Sha256::digest(script.as_bytes()));
    assert!(
        html.contains(&format!("script-src &#39;sha256-{digest}&#39;"))
            || html.contains(&format!("script-src 'sha256-{digest}'"))
    );
    assert_eq!(html.matches("<script").count(), 1);
}

#[test]
fn texts_are_escaped() {
    let hostile = "</title></script><script>alert(1)</script>\u{0}";
    let mut owned = plain(3, 2);
    owned.features[0].name = hostile.into();
    owned.output.name = hostile.into();
    let mut page = page();
    page.title = hostile.into();
    page.sections[0].heading = hostile.into();
    page.sections[0].charts = vec![waterfall(&owned.table(), 0, &options(20)).unwrap()];
    let html = charts_html(&page);
    assert_eq!(html.matches("<script").count(), 1);
    let svg = html.split("<svg").nth(1).unwrap().split("</svg>").next().unwrap();
    roxmltree::Document::parse(&format!("<svg{svg}</svg>")).unwrap();
}

#[test]
fn every_color_of_a_chart_has_a_light_and_a_dark_value() {
    let html = charts_html(&page());
    let style = html.split("<style>").nth(1).unwrap().split("</style>").next().unwrap();
    let body = html.split("<body>").nth(1).unwrap();
    for used in body.split("var(").skip(1) {
        let name = used.split(')').next().unwrap();
        assert_eq!(style.matches(&format!("{name}:#")).count(), 3, "{name}");
    }
}

#[test]
fn same_page_same_bytes() {
    assert_eq!(charts_html(&page()), charts_html(&page()));
}
