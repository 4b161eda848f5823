//! What can go wrong when drawing.

/// Why a picture could not be drawn.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Error {
    /// The pixels do not fill the picture.
    #[error(
        "a picture of {width} by {height} pixels needs {expected} RGB bytes, got {actual}; \
         convert it to three bytes a pixel first"
    )]
    PixelCount {
        /// Picture width.
        width: u32,
        /// Picture height.
        height: u32,
        /// Three bytes a pixel.
        expected: usize,
        /// Bytes received.
        actual: usize,
    },
    /// A side of zero, or more pixels than [`MAX_PIXELS`](crate::MAX_PIXELS).
    #[error(
        "cannot draw {width} by {height} pixels: both sides must be at least 1 and all pixels at most {limit}"
    )]
    PictureSize {
        /// Picture width.
        width: u64,
        /// Picture height.
        height: u64,
        /// Most pixels allowed.
        limit: u64,
    },
    /// The map does not lie on the picture's pixels.
    #[error(
        "the map is {actual:?} and the picture {expected:?} (height, width); \
         upsample the map to the picture, or crop the picture as the model saw it"
    )]
    MapShape {
        /// Height and width of the picture.
        expected: [usize; 2],
        /// Height and width of the map.
        actual: [usize; 2],
    },
    /// NaN or infinity where a number is drawn.
    #[error("{what} holds {value} at index {index:?}; only finite numbers can be drawn")]
    NotFinite {
        /// What held it.
        what: &'static str,
        /// Where, in row-major order of its axes.
        index: Vec<usize>,
        /// NaN or an infinity.
        value: f64,
    },
    /// A sequential palette starts at zero and has no color for this value.
    #[error(
        "the map holds {value} at row {row}, column {column}, and a sequential palette has no negative colors; \
         use the diverging palette, or take absolute values first"
    )]
    NegativeValue {
        /// Row of the map.
        row: usize,
        /// Column of the map.
        column: usize,
        /// The negative value.
        value: f64,
    },
    /// An option outside its range.
    #[error("`{name}` is {value}, expected {expected}")]
    OptionRange {
        /// Name of the option.
        name: &'static str,
        /// Value received.
        value: f64,
        /// The range it must lie in.
        expected: &'static str,
    },
    /// A curve whose columns differ in length, or with fewer than two points.
    #[error(
        "curve `{name}` has {fractions} fractions and {values} values; it needs two or more, as many of each"
    )]
    CurveLength {
        /// Name of the curve.
        name: String,
        /// Points on the horizontal axis.
        fractions: usize,
        /// Points on the vertical axis.
        values: usize,
    },
    /// Nothing to draw.
    #[error("no {what} to draw; give at least one")]
    Empty {
        /// What there is none of.
        what: &'static str,
    },
    /// Two things of a table that must be as long as each other.
    #[error("{what} has length {actual}, expected {expected} as in the table's values")]
    Length {
        /// What is too long or too short.
        what: &'static str,
        /// The length that fits.
        expected: usize,
        /// The length received.
        actual: usize,
    },
    /// A row, feature or other thing beyond the last.
    #[error("there is no {what} {index}: the table has {count}, counted from 0")]
    Index {
        /// What was asked for.
        what: &'static str,
        /// The place asked for.
        index: usize,
        /// How many there are.
        count: usize,
    },
    /// A chart of what rows hold, for a table that does not know.
    #[error("a {chart} chart shows what the rows hold; give the table its `data`")]
    NoData {
        /// The kind of chart.
        chart: &'static str,
    },
    /// A categorical feature holds a number that stands for no category.
    #[error(
        "feature `{feature}` is {value} in row {row}, which names none of its {count} categories; \
         expected a whole number below that, or NaN where the value is missing"
    )]
    Category {
        /// Name of the feature.
        feature: String,
        /// Row of the table.
        row: usize,
        /// The number that is no category.
        value: f64,
        /// How many categories there are.
        count: usize,
    },
    /// A number so large that sums and differences of such numbers would overflow.
    #[error("{what} holds {value} at index {index:?}, beyond ±{limit:e}, which no axis can show")]
    TooLarge {
        /// What held it.
        what: &'static str,
        /// Where, in row-major order of its axes.
        index: Vec<usize>,
        /// The number.
        value: f64,
        /// The largest size allowed.
        limit: f64,
    },
    /// More of something than can be told apart in one picture.
    #[error("{count} {what} are too many to tell apart in one picture; draw at most {limit}")]
    TooMany {
        /// What there are too many of.
        what: &'static str,
        /// How many there are.
        count: usize,
        /// How many there may be.
        limit: usize,
    },
    /// The drawing library refused a drawing.
    #[error("cannot render the drawing: {reason}")]
    Render {
        /// The library's own words.
        reason: String,
    },
}

/// Refuses a number outside `range` and NaN, which lies in no range.
pub(crate) fn check_range(
    name: &'static str,
    value: f64,
    range: std::ops::RangeInclusive<f64>,
    expected: &'static str,
) -> Result<(), Error> {
    if range.contains(&value) { Ok(()) } else { Err(Error::OptionRange { name, value, expected }) }
}
