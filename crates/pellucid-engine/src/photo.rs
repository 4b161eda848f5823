//! Photo file → pixels → row of a model.

use std::io::Cursor;
use std::path::Path;

use image::{DynamicImage, ImageDecoder, ImageReader};
use ndarray::{Array2, Array3, ArrayD, Axis, Slice};

use crate::error::Error;
use crate::file;
use crate::preprocess::{Color, Preprocess, Resize, Size};
use crate::resample::resample;

/// Pixels beyond this are refused before memory is taken for them.
const MAX_PIXELS: u64 = 100_000_000;

/// A photo as it lies in its file, upright.
#[derive(Clone, Debug, PartialEq)]
pub struct Photo {
    /// `[height, width, 3]`.
    pub pixels: Array3<u8>,
    /// What was left out while reading it.
    pub warnings: Vec<String>,
}

/// A photo made ready for a model.
#[derive(Clone, Debug, PartialEq)]
pub struct PreparedPhoto {
    /// The row.
    pub row: ArrayD<f32>,
    /// What of the photo the model sees: left, top, right, bottom, in pixel edges of the photo.
    pub crop_box: [f64; 4],
}

impl Photo {
    /// Reads a PNG or JPEG file and turns it upright, as its camera says it was held. Transparency is left out.
    ///
    /// # Errors
    /// A file that cannot be read, is no such image, or has too many pixels.
    pub fn read(path: &Path) -> Result<Self, Error> {
        let bytes = file::read(path)?;
        decode(&bytes).map_err(|reason| Error::input(path, reason))
    }

    /// The row that `preprocess` makes of it.
    ///
    /// # Errors
    /// A size that cannot be: of no pixels, of too many, or a crop larger than the photo is then.
    pub fn prepare(&self, preprocess: &Preprocess) -> Result<PreparedPhoto, Error> {
        let fault = |reason| Error::request("preprocessing", reason);
        let (height, width, _) = self.pixels.dim();
        let photo = Size { width: width as u32, height: height as u32 };
        let pixels = match preprocess.color {
            Color::Rgb => self.pixels.clone(),
            Color::Gray => gray(&self.pixels),
        };
        let size = resized_size(photo, preprocess.resize).map_err(fault)?;
        let pixels = resample(&pixels, size, preprocess.resample);
        let crop = preprocess.crop.unwrap_or(size);
        let (left, top) = centered(size, crop).map_err(fault)?;
        let right = left + crop.width as usize;
        let bottom = top + crop.height as usize;
        let pixels = pixels
            .slice_axis(Axis(0), Slice::from(top..bottom))
            .slice_axis(Axis(1), Slice::from(left..right))
            .to_owned();
        let (across, down) = (width as f64 / f64::from(size.width), height as f64 / f64::from(size.height));
        let crop_box = [left as f64 * across, top as f64 * down, right as f64 * across, bottom as f64 * down];
        Ok(PreparedPhoto { row: preprocess.row_of_pixels(&pixels), crop_box })
    }
}

/// Reads a PNG file as a mask, `[height, width]`: the pixels that are neither black nor transparent.
///
/// # Errors
/// As [`Photo::read`].
pub(crate) fn read_mask(path: &Path) -> Result<Array2<bool>, Error> {
    let bytes = file::read(path)?;
    mask(&bytes).map_err(|reason| Error::input(path, reason))
}

fn mask(bytes: &[u8]) -> Result<Array2<bool>, String> {
    // Sixteen bits, so that no faint pixel is rounded away.
    let image = upright(bytes)?.into_rgba16();
    let inside = |pixel: &image::Rgba<u16>| pixel.0[3] > 0 && pixel.0[..3].iter().any(|&color| color > 0);
    let shape = (image.height() as usize, image.width() as usize);
    Array2::from_shape_vec(shape, image.pixels().map(inside).collect()).map_err(|error| error.to_string())
}

fn decode(bytes: &[u8]) -> Result<Photo, String> {
    let image = upright(bytes)?;
    let mut warnings = Vec::new();
    if image.color().has_alpha() && image.to_rgba8().pixels().any(|pixel| pixel.0[3] < 255) {
        warnings.push("the photo's transparency is left out".to_owned());
    }
    let image = image.into_rgb8();
    let shape = (image.height() as usize, image.width() as usize, 3);
    let pixels = Array3::from_shape_vec(shape, image.into_raw()).map_err(|error| error.to_string())?;
    Ok(Photo { pixels, warnings })
}

/// An image as its camera says it was held.
fn upright(bytes: &[u8]) -> Result<DynamicImage, String> {
    let fault = |error: image::ImageError| format!("is no readable image: {error}");
    let reader =
        ImageReader::new(Cursor::new(bytes)).with_guessed_format().map_err(|error| error.to_string())?;
    if reader.format().is_none() {
        return Err("is no PNG or JPEG image: its first bytes are others".to_owned());
    }
    let mut decoder = reader.into_decoder().map_err(fault)?;
    let (width, height) = decoder.dimensions();
    check_pixels(width, height)?;
    let orientation = decoder.orientation().map_err(fault)?;
    let mut image = DynamicImage::from_decoder(decoder).map_err(fault)?;
    image.apply_orientation(orientation);
    Ok(image)
}

fn check_pixels(width: u32, height: u32) -> Result<(), String> {
    match u64::from(width) * u64::from(height) {
        0 => Err(format!("{width} × {height} pixels are none")),
        n if n > MAX_PIXELS => {
            Err(format!("{width} × {height} pixels are more than {MAX_PIXELS}; make it smaller"))
        }
        _ => Ok(()),
    }
}

/// Luma of ITU-R 601, rounded as Pillow does.
fn gray(pixels: &Array3<u8>) -> Array3<u8> {
    let (height, width, _) = pixels.dim();
    let weight = |y, x| -> u32 {
        [19595, 38470, 7471].iter().enumerate().map(|(c, w)| w * u32::from(pixels[[y, x, c]])).sum()
    };
    Array3::from_shape_fn((height, width, 1), |(y, x, _)| ((weight(y, x) + (1 << 15)) >> 16) as u8)
}

fn resized_size(photo: Size, resize: Option<Resize>) -> Result<Size, String> {
    let size = match resize {
        None => photo,
        Some(Resize::Exact(size)) => size,
        Some(Resize::ShorterSide(length)) => {
            let scale = f64::from(length) / f64::from(photo.width.min(photo.height));
            let scaled = |side: u32| (f64::from(side) * scale).round_ties_even() as u32;
            Size { width: scaled(photo.width), height: scaled(photo.height) }
        }
    };
    check_pixels(size.width, size.height).map(|()| size)
}

/// Left and top edge of the center; an odd pixel is left over at right or below.
fn centered(size: Size, crop: Size) -> Result<(usize, usize), String> {
    let fits = crop.width <= size.width && crop.height <= size.height && crop.width > 0 && crop.height > 0;
    match fits {
        true => Ok(((size.width - crop.width) as usize / 2, (size.height - crop.height) as usize / 2)),
        false => Err(format!(
            "a crop of {} × {} does not fit into {} × {} pixels; resize the photo first",
            crop.width, crop.height, size.width, size.height
        )),
    }
}

#[cfg(test)]
mod tests;
