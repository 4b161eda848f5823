//! Draws made-up maps on a photo, as panels and as a report page:
//! `cargo run -p pellucid-plot --example draw -- PHOTO.png OUT_DIR`.

use std::error::Error;
use std::path::Path;

use ndarray::Array2;
use pellucid_plot::{
    Better, ClassScore, Ground, Heatmap, HeatmapOptions, Measurement, Palette, Panel, Picture, Report,
    ReportCurve, ReportMetric, ReportPanel, ReportSection, Shown, overlay, panel_png, panel_svg, report_html,
};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [photo, out] = arguments.as_slice() else { return Err("expected PHOTO.png OUT_DIR".into()) };
    let (photo, out) = (read_png(Path::new(photo))?, Path::new(out));
    std::fs::create_dir_all(out)?;

    let (height, width) = (photo.height() as usize, photo.width() as usize);
    let smooth = blob(height, width, [0.45, 0.5], 0.2);
    let signed = &smooth - 0.7 * &blob(height, width, [0.75, 0.15], 0.1);
    let speckled = &(&smooth + 0.1) * &noise(height, width);
    let smooth = draw(&photo, &smooth, Palette::Sequential, Ground::Picture)?;
    let signed = draw(&photo, &signed, Palette::Diverging, Ground::Picture)?;
    let speckled = draw(&photo, &speckled, Palette::Diverging, Ground::PaleGray)?;
    let panels = [("Smooth", smooth), ("Signed", signed), ("Speckled", speckled)];

    for (name, heatmap) in &panels {
        let panel = Panel {
            title: format!("{name} blob"),
            subtitle: "drawn without a model".into(),
            label: "a class whose name is so long that it has to go on in a second line".into(),
            probability: Some(0.61),
            note: String::new(),
        };
        let file = out.join(name.to_lowercase());
        std::fs::write(file.with_extension("svg"), panel_svg(&panel, heatmap)?)?;
        std::fs::write(file.with_extension("png"), panel_png(&panel, heatmap, 2)?)?;
    }
    let panels = panels.into_iter().map(|(name, heatmap)| report_panel(name, heatmap)).collect();
    std::fs::write(out.join("index.html"), report_html(&report(photo, panels))?)?;
    Ok(())
}

fn draw(
    photo: &Picture,
    map: &Array2<f64>,
    palette: Palette,
    ground: Ground,
) -> Result<Heatmap, pellucid_plot::Error> {
    overlay(photo, map.view(), &HeatmapOptions { palette, ground, outlier_percent: 2.0, opacity: 0.8 })
}

fn report(photo: Picture, panels: Vec<ReportPanel>) -> Report {
    let classes = [("blob", 0.61), ("a class whose name takes more than a line", 0.3), ("speck", 0.0001)];
    let classes = classes.map(|(label, probability)| ClassScore {
        label: label.into(),
        probability,
        explained: label == "blob",
    });
    let section = ReportSection {
        heading: "Photo".into(),
        photo: Some(photo),
        credit: String::new(),
        classes: classes.into(),
        warnings: vec![],
        panels,
    };
    Report {
        title: "Made-up maps".into(),
        lead: "No model was asked: these maps and numbers only show what a page looks like.".into(),
        facts: vec![("Model".into(), "none".into())],
        sections: vec![section],
        footer: "Pellucid".into(),
    }
}

fn report_panel(name: &str, heatmap: Heatmap) -> ReportPanel {
    let metric = |name: &str, measurement, random, better| ReportMetric {
        name: name.into(),
        measurement,
        random,
        better,
    };
    let fractions: Vec<f64> = (0..=20).map(|step| f64::from(step) / 20.0).collect();
    let curve = ReportCurve {
        name: "Deletion".into(),
        axis: "pixels deleted".into(),
        values: fractions.iter().map(|x| 0.61 * (-8.0 * x).exp()).collect(),
        random: fractions.iter().map(|x| 0.61 * (1.0 - x * x)).collect(),
        fractions,
    };
    ReportPanel {
        method: format!("{name} blob"),
        parameters: "drawn without a model".into(),
        explanation: "A Gaussian bump, to see how colors lie on the photo.".into(),
        shown: Shown::Heatmap(heatmap),
        metrics: vec![
            metric("Completeness gap", Measurement::NotPromised, None, Better::Zero),
            metric("Deletion AUC", Measurement::Number(0.076), Some(0.407), Better::Lower),
        ],
        curves: vec![curve],
        warnings: vec!["made up".into()],
    }
}

/// A Gaussian bump around `center` (row, column), in shares of the sides.
fn blob(height: usize, width: usize, center: [f64; 2], deviation: f64) -> Array2<f64> {
    Array2::from_shape_fn((height, width), |(row, column)| {
        let y = row as f64 / height as f64 - center[0];
        let x = (column as f64 - center[1] * width as f64) / height as f64;
        (-(y * y + x * x) / (2.0 * deviation * deviation)).exp()
    })
}

/// Numbers in `[−1, 1]` without a pattern, most of them small, the same each time.
fn noise(height: usize, width: usize) -> Array2<f64> {
    Array2::from_shape_fn((height, width), |(row, column)| {
        let mut mixed = ((row * width + column) as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        mixed = (mixed ^ (mixed >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        ((mixed >> 40) as f64 / f64::from(1 << 23) - 1.0).powi(5)
    })
}

fn read_png(path: &Path) -> Result<Picture, Box<dyn Error>> {
    let mut decoder = png::Decoder::new(std::io::BufReader::new(std::fs::File::open(path)?));
    decoder.set_transformations(png::Transformations::normalize_to_color8());
    let mut reader = decoder.read_info()?;
    let mut bytes = vec![0; reader.output_buffer_size().ok_or("the photo is too large")?];
    let frame = reader.next_frame(&mut bytes)?;
    let samples = frame.color_type.samples();
    let pixels = bytes[..frame.buffer_size()].chunks_exact(samples);
    let rgb =
        pixels.flat_map(|pixel| if samples < 3 { [pixel[0]; 3] } else { [pixel[0], pixel[1], pixel[2]] });
    Ok(Picture::new(frame.width, frame.height, rgb.collect())?)
}
