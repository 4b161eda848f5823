//! What is done to a photo before a model sees it: explicit, and recorded in every explanation of an image.

use std::path::{Path, PathBuf};
use std::str::FromStr;

use ndarray::{Array3, ArrayD, ArrayViewD, Axis, Ix3};
use pellucid_core::ImageValues;
use pellucid_plot::Picture;
use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::file;

/// Photo → row: color, resize, crop, range, mean and deviation, order of the axes. Also the form of `preprocess.json`.
///
/// With `p` a pixel's value in 0…255 and `[low, high]` the range: `x = (low + p / 255 · (high − low) − mean) / std`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Preprocess {
    /// What the photo is converted to first.
    pub color: Color,
    /// The size it is brought to; as it is otherwise.
    pub resize: Option<Resize>,
    /// How, antialiased when it shrinks, as in Pillow.
    pub resample: Resample,
    /// The center that is kept; all of it otherwise.
    pub crop: Option<Size>,
    /// What pixel values 0 and 255 are mapped to, before mean and deviation.
    pub range: [f64; 2],
    /// Taken off; one number a channel, or one for all.
    pub mean: Vec<f64>,
    /// Divided by; one number a channel, or one for all.
    pub std: Vec<f64>,
    /// The order of the row's axes.
    pub layout: Layout,
}

impl Default for Preprocess {
    fn default() -> Self {
        Self {
            color: Color::Rgb,
            resize: None,
            resample: Resample::Bilinear,
            crop: None,
            range: [0.0, 1.0],
            mean: vec![0.0],
            std: vec![1.0],
            layout: Layout::Nchw,
        }
    }
}

/// A name in files and on the command line for each variant.
macro_rules! named {
    ($(#[$doc:meta])* $name:ident, $what:literal { $($(#[$variant_doc:meta])* $variant:ident = $text:literal),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum $name {
            $($(#[$variant_doc])* $variant),*
        }

        impl FromStr for $name {
            type Err = String;

            fn from_str(text: &str) -> Result<Self, String> {
                match text {
                    $($text => Ok(Self::$variant),)*
                    _ => Err(format!("`{text}` is no {}; there are: {}", $what, [$($text),*].join(", "))),
                }
            }
        }
    };
}
named!(
    /// Color channels of a row.
    Color, "color" {
        /// Three channels.
        Rgb = "rgb",
        /// One channel: 0.299 R + 0.587 G + 0.114 B, as in Pillow.
        Gray = "gray",
    }
);
named!(
    /// How pixels are made from those of another size.
    Resample, "way to resample" {
        /// The nearest one.
        Nearest = "nearest",
        /// Linear between pixels.
        Bilinear = "bilinear",
        /// Cubic with a = −0.5.
        Bicubic = "bicubic",
        /// Lanczos with three lobes.
        Lanczos = "lanczos",
    }
);
named!(
    /// The order of the axes behind the batch.
    Layout, "layout" {
        /// `[channels, height, width]`.
        Nchw = "nchw",
        /// `[height, width, channels]`.
        Nhwc = "nhwc",
    }
);

/// Width and height in pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Size {
    /// Pixels in a row.
    pub width: u32,
    /// Pixels in a column.
    pub height: u32,
}

/// The size that a photo is brought to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "ResizeFields", into = "ResizeFields")]
pub enum Resize {
    /// Both sides scaled alike, so that the shorter one has this length.
    ShorterSide(u32),
    /// Exactly so, whatever the photo's proportions.
    Exact(Size),
}

/// [`Resize`] as it stands in files.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ResizeFields {
    #[serde(skip_serializing_if = "Option::is_none")]
    shorter_side: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    width: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    height: Option<u32>,
}

impl TryFrom<ResizeFields> for Resize {
    type Error = &'static str;

    fn try_from(fields: ResizeFields) -> Result<Self, Self::Error> {
        match (fields.shorter_side, fields.width, fields.height) {
            (Some(length), None, None) => Ok(Self::ShorterSide(length)),
            (None, Some(width), Some(height)) => Ok(Self::Exact(Size { width, height })),
            _ => Err("`resize` takes either `shorter_side`, or `width` and `height`"),
        }
    }
}

impl From<Resize> for ResizeFields {
    fn from(resize: Resize) -> Self {
        let empty = Self { shorter_side: None, width: None, height: None };
        match resize {
            Resize::ShorterSide(length) => Self { shorter_side: Some(length), ..empty },
            Resize::Exact(Size { width, height }) => {
                Self { width: Some(width), height: Some(height), ..empty }
            }
        }
    }
}

impl FromStr for Size {
    type Err = String;

    /// `224` (a square) or `320x240` (width × height).
    fn from_str(text: &str) -> Result<Self, String> {
        let length =
            |n: &str| n.trim().parse().map_err(|_| format!("`{text}` is no size; write 224 or 320x240"));
        match text.split_once('x') {
            Some((width, height)) => Ok(Self { width: length(width)?, height: length(height)? }),
            None => length(text).map(|side| Self { width: side, height: side }),
        }
    }
}

impl FromStr for Resize {
    type Err = String;

    /// `256` (the shorter side) or `320x240` (width × height).
    fn from_str(text: &str) -> Result<Self, String> {
        match text.parse::<u32>() {
            Ok(length) => Ok(Self::ShorterSide(length)),
            Err(_) => text.parse().map(Self::Exact),
        }
    }
}

/// What a person says of the preprocessing; it goes before `preprocess.json`.
#[derive(Clone, Debug, Default, PartialEq)]
#[expect(missing_docs, reason = "the fields of `Preprocess`")]
pub struct PreprocessOptions {
    /// A file to take instead of the one beside the model.
    pub file: Option<PathBuf>,
    pub color: Option<Color>,
    pub resize: Option<Resize>,
    pub resample: Option<Resample>,
    pub crop: Option<Size>,
    pub range: Option<[f64; 2]>,
    pub mean: Option<Vec<f64>>,
    pub std: Option<Vec<f64>>,
    pub layout: Option<Layout>,
}

impl Preprocess {
    /// What holds for the model at `model_path`: the options, then `MODEL.preprocess.json` or `preprocess.json` beside
    /// it, then the defaults. `None` where nobody says anything.
    ///
    /// # Errors
    /// A file that cannot be read or does not fit; numbers that make no sense.
    pub fn find(model_path: &Path, options: &PreprocessOptions) -> Result<Option<Self>, Error> {
        let beside =
            [model_path.with_extension("preprocess.json"), model_path.with_file_name("preprocess.json")];
        let path = options.file.clone().or_else(|| beside.into_iter().find(|path| path.is_file()));
        let said =
            PreprocessOptions { file: options.file.clone(), ..PreprocessOptions::default() } != *options;
        let read = match &path {
            Some(path) => Self::read(path)?,
            None if said => Self::default(),
            None => return Ok(None),
        };
        let preprocess = Self {
            color: options.color.unwrap_or(read.color),
            resize: options.resize.or(read.resize),
            resample: options.resample.unwrap_or(read.resample),
            crop: options.crop.or(read.crop),
            range: options.range.unwrap_or(read.range),
            mean: options.mean.clone().unwrap_or(read.mean),
            std: options.std.clone().unwrap_or(read.std),
            layout: options.layout.unwrap_or(read.layout),
        };
        preprocess.check().map_err(|reason| match &path {
            Some(path) if !said => Error::input(path, reason),
            _ => Error::request("preprocessing", reason),
        })?;
        Ok(Some(preprocess))
    }

    fn read(path: &Path) -> Result<Self, Error> {
        serde_json::from_str(&file::read_text(path)?).map_err(|error| Error::input(path, error.to_string()))
    }

    fn check(&self) -> Result<(), String> {
        let n = self.n_channels();
        for (name, numbers) in [("mean", &self.mean), ("std", &self.std)] {
            if numbers.len() != 1 && numbers.len() != n {
                return Err(format!("`{name}` has {} numbers for {n} channels", numbers.len()));
            }
        }
        let all = self.range.iter().chain(&self.mean).chain(&self.std);
        if all.into_iter().any(|x| !x.is_finite()) || self.std.contains(&0.0) {
            return Err("`range`, `mean` and `std` are finite numbers, and `std` is not 0".to_owned());
        }
        match self.range[0] < self.range[1] {
            true => Ok(()),
            false => Err(format!("`range` {:?} does not rise", self.range)),
        }
    }

    /// Channels of a row.
    pub fn n_channels(&self) -> usize {
        match self.color {
            Color::Rgb => 3,
            Color::Gray => 1,
        }
    }

    /// The axis of a row that holds channels.
    pub fn channel_axis(&self) -> usize {
        match self.layout {
            Layout::Nchw => 0,
            Layout::Nhwc => 2,
        }
    }

    /// What black and white are for the model.
    pub fn image_values(&self) -> ImageValues {
        let all = |p: f64| (0..self.n_channels()).map(|channel| self.value_of_pixel(p, channel)).collect();
        ImageValues { black: all(0.0), white: all(255.0), channel_axis: self.channel_axis() }
    }

    fn value_of_pixel(&self, p: f64, channel: usize) -> f32 {
        let [low, high] = self.range;
        let of = |numbers: &[f64]| numbers[channel.min(numbers.len() - 1)];
        ((low + p / 255.0 * (high - low) - of(&self.mean)) / of(&self.std)) as f32
    }

    fn pixel_of_value(&self, x: f32, channel: usize) -> u8 {
        let [low, high] = self.range;
        let of = |numbers: &[f64]| numbers[channel.min(numbers.len() - 1)];
        let p = (f64::from(x) * of(&self.std) + of(&self.mean) - low) / (high - low) * 255.0;
        p.round().clamp(0.0, 255.0) as u8
    }

    /// A row from pixels `[height, width, channels]` of 0…255, of the final size.
    pub(crate) fn row_of_pixels(&self, pixels: &Array3<u8>) -> ArrayD<f32> {
        let (height, width, n) = pixels.dim();
        let at = |y, x, channel| self.value_of_pixel(f64::from(pixels[[y, x, channel]]), channel);
        match self.layout {
            Layout::Nchw => Array3::from_shape_fn((n, height, width), |(c, y, x)| at(y, x, c)).into_dyn(),
            Layout::Nhwc => Array3::from_shape_fn((height, width, n), |(y, x, c)| at(y, x, c)).into_dyn(),
        }
    }

    /// What the model saw of a row, as a picture: the inverse of the last steps, so that a heatmap lies on the pixels
    /// that it explains. `None` where the row is no such image.
    pub fn picture_of_row(&self, row: ArrayViewD<'_, f32>) -> Option<Picture> {
        let mut row = row.into_dimensionality::<Ix3>().ok()?;
        if row.len_of(Axis(self.channel_axis())) != self.n_channels() {
            return None;
        }
        if self.layout == Layout::Nchw {
            row = row.permuted_axes([1, 2, 0]);
        }
        let (height, width, n) = row.dim();
        let pixel =
            |y, x| [0, 1, 2].map(|c: usize| self.pixel_of_value(row[[y, x, c.min(n - 1)]], c.min(n - 1)));
        let pixels = (0..height).flat_map(|y| (0..width).flat_map(move |x| pixel(y, x))).collect();
        Picture::new(width as u32, height as u32, pixels).ok()
    }
}

#[cfg(test)]
mod tests;
