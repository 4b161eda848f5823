use super::*;
use crate::{Ground, HeatmapOptions, Palette, Picture, overlay};
use ndarray::Array2;

fn heatmap(width: u32, height: u32) -> Heatmap {
    let pixels = (0..3 * width * height).map(|i| (i * 31 % 251) as u8).collect();
    let picture = Picture::new(width, height, pixels).unwrap();
    let map = Array2::from_shape_fn((height as usize, width as usize), |(r, c)| r as f64 - c as f64);
    let (palette, ground) = (Palette::Diverging, Ground::Picture);
    let options = HeatmapOptions { palette, ground, outlier_percent: 2.0, opacity: 0.8 };
    overlay(&picture, map.view(), &options).unwrap()
}

fn panel() -> Panel {
    Panel {
        title: "Integrated gradients".into(),
        subtitle: "50 steps".into(),
        label: "tiger cat".into(),
        probability: Some(0.386),
        note: String::new(),
    }
}

fn decoded(png: &[u8]) -> (u32, u32, Vec<u8>) {
    let mut reader = png::Decoder::new(std::io::Cursor::new(png)).read_info().unwrap();
    let mut bytes = vec![0; reader.output_buffer_size().unwrap()];
    let frame = reader.next_frame(&mut bytes).unwrap();
    assert_eq!(frame.color_type, png::ColorType::Rgb);
    (frame.width, frame.height, bytes)
}

#[test]
fn the_png_has_the_layouts_size_and_the_pictures_pixels() {
    for (width, height, scale) in [(224, 224, 1), (448, 448, 1), (448, 448, 2), (28, 28, 3), (600, 450, 1)] {
        let heatmap = heatmap(width, height);
        let layout = Layout::new(&panel(), &heatmap);
        let (png_width, png_height, bytes) = decoded(&panel_png(&panel(), &heatmap, scale).unwrap());
        assert_eq!((png_width, png_height), (scale * layout.width, scale * layout.height));
        // Drawn at its own size or as squares, the middle of each drawn pixel is that pixel.
        let factor = layout.factor * scale;
        if layout.factor >= SQUARE_PIXELS_FROM || factor == 1 {
            let (left, top) = (layout.picture_at.0 as usize, layout.picture_at.1 as usize);
            for (row, column) in [(0, 0), (0, width - 1), (height - 1, 0), (height / 2, width / 3)] {
                let y = top * scale as usize + (row * factor + factor / 2) as usize;
                let x = left * scale as usize + (column * factor + factor / 2) as usize;
                let start = 3 * (y * png_width as usize + x);
                let expected = heatmap.picture.pixel(row as usize, column as usize);
                assert_eq!(bytes[start..start + 3], expected, "{width}×{height} at {row}, {column}");
            }
        }
    }
}

#[test]
fn a_bare_picture_survives_the_png() {
    let picture = heatmap(7, 5).picture;
    let bytes = crate::picture_png(&picture).unwrap();
    assert_eq!(decoded(&bytes), (7, 5, picture.pixels().to_vec()));
}

#[test]
fn same_input_gives_the_same_bytes() {
    let heatmap = heatmap(40, 30);
    assert_eq!(panel_svg(&panel(), &heatmap), panel_svg(&panel(), &heatmap));
    assert_eq!(panel_png(&panel(), &heatmap, 2), panel_png(&panel(), &heatmap, 2));
}

/// Checks that every line lies inside the panel and no two lines, nor a line and the picture or bar, overlap.
fn check_fits(panel: &Panel, heatmap: &Heatmap) {
    let layout = Layout::new(panel, heatmap);
    let rows = f64::from(heatmap.picture.height() * layout.factor);
    let mut boxes: Vec<[f64; 4]> = layout
        .lines
        .iter()
        .map(|line| {
            let width = Font::carried(line.weight).width(&line.text, line.size);
            // From the top of capitals with accents to the bottom of descenders.
            [line.x, line.baseline - 0.97 * line.size, line.x + width, line.baseline + 0.25 * line.size]
        })
        .collect();
    let (x, y) = layout.picture_at;
    boxes.push([x, y, x + f64::from(heatmap.picture.width() * layout.factor), y + rows]);
    let bar = &layout.bar;
    boxes.push([bar.x, bar.y, bar.x + bar.width, bar.y + bar.thickness + 1.5 * bar.text_size]);
    for (index, a) in boxes.iter().enumerate() {
        let inside =
            a[0] >= 0.0 && a[1] >= 0.0 && a[2] <= f64::from(layout.width) && a[3] <= f64::from(layout.height);
        assert!(inside, "{a:?} leaves {} by {} in {panel:?}", layout.width, layout.height);
        for b in &boxes[..index] {
            let overlap = a[0] < b[2] && b[0] < a[2] && a[1] < b[3] && b[1] < a[3];
            assert!(!overlap, "{a:?} and {b:?} overlap in {panel:?}");
        }
    }
}

#[test]
fn long_texts_fit_and_overlap_nothing() {
    let texts = [
        "",
        "cat",
        "pneumonoultramicroscopicsilicovolcanoconiosis",
        &"tabby, tiger cat; ".repeat(30),
        "Ẫ\nj",
    ];
    for (width, height) in [(224, 224), (28, 28), (3, 400), (900, 20), (1, 1)] {
        let heatmap = heatmap(width, height);
        for title in texts {
            for label in texts {
                for probability in [None, Some(1.0)] {
                    let (title, label) = (title.to_owned(), label.to_owned());
                    check_fits(
                        &Panel { subtitle: title.clone(), note: title.clone(), title, label, probability },
                        &heatmap,
                    );
                }
            }
        }
    }
}

#[test]
fn texts_are_escaped() {
    let hostile =
        Panel { title: "<script>&\"'".into(), label: "]]><image href='/etc/passwd'/>".into(), ..panel() };
    let svg = panel_svg(&hostile, &heatmap(9, 9)).unwrap();
    let tree = resvg::usvg::roxmltree::Document::parse(&svg).unwrap();
    let images: Vec<_> = tree.descendants().filter(|node| node.has_tag_name("image")).collect();
    assert_eq!(images.len(), 1);
    assert!(images[0].attribute("href").unwrap().starts_with("data:image/png;base64,"));
    assert!(!tree.descendants().any(|node| node.has_tag_name("script")));
}

#[test]
fn bad_probabilities_and_scales_are_refused() {
    let heatmap = heatmap(9, 9);
    for probability in [f64::NAN, -0.1, 1.1] {
        let panel = Panel { probability: Some(probability), ..panel() };
        assert!(matches!(panel_svg(&panel, &heatmap), Err(Error::OptionRange { .. })));
    }
    for scale in [0, 100_000] {
        assert!(matches!(panel_png(&panel(), &heatmap, scale), Err(Error::PictureSize { .. })));
    }
}
