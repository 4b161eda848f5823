//! Draws made-up maps on a photo: `cargo run -p pellucid-plot --example heatmap -- PHOTO.png OUT_DIR`.

use std::error::Error;
use std::path::Path;

use ndarray::Array2;
use pellucid_plot::{Ground, HeatmapOptions, Palette, Panel, Picture, overlay, panel_png, panel_svg};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [photo, out] = arguments.as_slice() else { return Err("expected PHOTO.png OUT_DIR".into()) };
    let photo = read_png(Path::new(photo))?;
    let out = Path::new(out);
    std::fs::create_dir_all(out)?;
    let (height, width) = (photo.height() as usize, photo.width() as usize);

    let map = blob(height, width, [0.45, 0.55], 0.16);
    draw(out, "unsigned", &photo, &map, Palette::Sequential, "Grad-CAM", "target layer: Conv_98")?;
    let signed = &map - &(0.7 * &blob(height, width, [0.75, 0.15], 0.1)) + &(0.25 * &noise(height, width));
    draw(
        out,
        "signed",
        &photo,
        &signed,
        Palette::Diverging,
        "Integrated gradients",
        "50 steps, baseline: black",
    )?;
    let digit = Picture::new(
        28,
        28,
        blob(28, 28, [0.5, 0.5], 0.2).iter().flat_map(|v| [(255.0 * v) as u8; 3]).collect(),
    )?;
    let signed = blob(28, 28, [0.4, 0.4], 0.15) - blob(28, 28, [0.6, 0.7], 0.1);
    draw(
        out,
        "digit",
        &digit,
        &signed,
        Palette::Diverging,
        "A method with a name that is much too long to fit in one line of this panel, or in two lines of it",
        &"parameters without end ".repeat(20),
    )?;
    Ok(())
}

fn draw(
    out: &Path,
    name: &str,
    photo: &Picture,
    map: &Array2<f64>,
    palette: Palette,
    method: &str,
    facts: &str,
) -> Result<(), Box<dyn Error>> {
    let options = HeatmapOptions { palette, ground: Ground::Picture, outlier_percent: 2.0, opacity: 0.8 };
    let heatmap = overlay(photo, map.view(), &options)?;
    let panel = Panel {
        title: method.into(),
        subtitle: facts.into(),
        label: "Egyptian cat, or some other tabby, tiger or tomcat whose name goes on and on, & on".into(),
        probability: Some(0.361),
    };
    std::fs::write(out.join(format!("{name}.svg")), panel_svg(&panel, &heatmap)?)?;
    std::fs::write(out.join(format!("{name}.png")), panel_png(&panel, &heatmap, 2)?)?;
    Ok(())
}

/// A Gaussian bump around `center` (row, column), in shares of the sides.
fn blob(height: usize, width: usize, center: [f64; 2], deviation: f64) -> Array2<f64> {
    Array2::from_shape_fn((height, width), |(row, column)| {
        let y = row as f64 / height as f64 - center[0];
        let x = (column as f64 - center[1] * width as f64) / height as f64;
        (-(y * y + x * x) / (2.0 * deviation * deviation)).exp()
    })
}

/// Numbers in `[−1, 1]` without a pattern, the same each time.
fn noise(height: usize, width: usize) -> Array2<f64> {
    Array2::from_shape_fn((height, width), |(row, column)| {
        let mixed = ((row * 7919 + column) as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        (mixed >> 40) as f64 / (1_u64 << 23) as f64 - 1.0
    })
}

fn read_png(path: &Path) -> Result<Picture, Box<dyn Error>> {
    let mut decoder = png::Decoder::new(std::io::BufReader::new(std::fs::File::open(path)?));
    decoder.set_transformations(png::Transformations::normalize_to_color8());
    let mut reader = decoder.read_info()?;
    let mut bytes = vec![0; reader.output_buffer_size().ok_or("the photo is too large")?];
    let frame = reader.next_frame(&mut bytes)?;
    bytes.truncate(frame.buffer_size());
    let samples = frame.color_type.samples();
    let rgb =
        bytes.chunks_exact(samples).flat_map(|p| if samples < 3 { [p[0]; 3] } else { [p[0], p[1], p[2]] });
    Ok(Picture::new(frame.width, frame.height, rgb.collect())?)
}
