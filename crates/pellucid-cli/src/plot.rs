//! `pellucid plot`.

use pellucid_engine::{
    ChartPage, ChartSection, Error, Explanation, PlotOptions, chart, charts_html, write_file,
};

use crate::arguments::PlotArguments;
use crate::console::Console;
use crate::failure::Failure;
use crate::tables::PNG_SCALE;

pub(crate) fn run(arguments: &PlotArguments, console: &Console) -> Result<(), Failure> {
    let ending =
        arguments.out.extension().map_or_else(String::new, |ending| ending.to_string_lossy().to_lowercase());
    if !matches!(ending.as_str(), "svg" | "png" | "html") {
        let reason = "name a file that ends in .svg, .png or .html".to_owned();
        return Err(Error::Request { option: "out".to_owned(), reason }.into());
    }
    let explanation = Explanation::read(&arguments.explanation)?;
    let options = PlotOptions {
        row: arguments.row,
        target: arguments.target,
        feature: arguments.feature.clone(),
        color: arguments.color.clone(),
        cohort: arguments.cohort.clone(),
        title: arguments.title.clone(),
        max_features: arguments.max_features,
    };
    let drawn = chart(&explanation, arguments.kind, &options)?;
    let bytes = match ending.as_str() {
        "svg" => drawn.svg().into_bytes(),
        "png" => drawn.png(PNG_SCALE).map_err(Error::from)?,
        _ => {
            let section = ChartSection {
                heading: explanation.about.method.replace('_', " "),
                text: String::new(),
                warnings: explanation.about.warnings.clone(),
                charts: vec![drawn],
            };
            let title = format!("{} explained", explanation.about.model.name);
            let page = ChartPage {
                title,
                lead: String::new(),
                facts: Vec::new(),
                sections: vec![section],
                footer: String::new(),
            };
            charts_html(&page).into_bytes()
        }
    };
    write_file(&arguments.out, &bytes)?;
    console.print(&format!("wrote     {}", arguments.out.display()))
}
