//! Pixels → PNG bytes, and SVG → PNG bytes.

use resvg::tiny_skia::{Pixmap, Transform};
use resvg::usvg::{ImageHrefResolver, Options, Tree};

use crate::picture::check_size;
use crate::{Error, Picture};

/// `picture` alone as PNG bytes, pixel for pixel.
///
/// # Errors
/// [`Error::Render`] if the encoder refuses it.
pub fn picture_png(picture: &Picture) -> Result<Vec<u8>, Error> {
    encode(picture.width(), picture.height(), picture.pixels()).map_err(|error| render_error(&error))
}

/// `picture` as the URI of an image that needs no file.
pub(crate) fn data_uri(picture: &Picture) -> Result<String, Error> {
    use base64::prelude::{BASE64_STANDARD, Engine};
    Ok(format!("data:image/png;base64,{}", BASE64_STANDARD.encode(picture_png(picture)?)))
}

/// `svg`, one of our own drawings without see-through parts at its ground, as PNG bytes of `scale` pixels a unit.
pub(crate) fn png_from_svg(svg: &str, scale: u32) -> Result<Vec<u8>, Error> {
    let options = Options { image_href_resolver: data_uris_only(), ..Options::default() };
    let tree = Tree::from_str(svg, &options).map_err(|error| render_error(&error))?;
    let size = tree.size().to_int_size();
    let (width, height) = (u64::from(size.width()), u64::from(size.height()));
    check_size(width * u64::from(scale), height * u64::from(scale))?;
    let (width, height) = (size.width() * scale, size.height() * scale);
    let mut pixmap = Pixmap::new(width, height)
        .ok_or_else(|| Error::Render { reason: "no memory for the pixels".into() })?;
    resvg::render(&tree, Transform::from_scale(scale as f32, scale as f32), &mut pixmap.as_mut());
    let rgb: Vec<u8> = pixmap.data().as_chunks::<4>().0.iter().flat_map(|&[r, g, b, _]| [r, g, b]).collect();
    encode(width, height, &rgb).map_err(|error| render_error(&error))
}

/// Never follows a path: a drawing holds its pictures.
fn data_uris_only() -> ImageHrefResolver<'static> {
    ImageHrefResolver {
        resolve_data: ImageHrefResolver::default_data_resolver(),
        resolve_string: Box::new(|_: &str, _: &Options<'_>| None),
    }
}

fn encode(width: u32, height: u32, rgb: &[u8]) -> Result<Vec<u8>, png::EncodingError> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, width, height);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_source_srgb(png::SrgbRenderingIntent::Perceptual);
    let mut writer = encoder.write_header()?;
    writer.write_image_data(rgb)?;
    writer.finish()?;
    Ok(bytes)
}

fn render_error(error: &dyn std::fmt::Display) -> Error {
    Error::Render { reason: error.to_string() }
}
