//! A picture: rows of RGB pixels.

use crate::Error;

/// Most pixels a picture or a rendered panel may have; 100 million take 400 MB while drawn.
pub const MAX_PIXELS: u64 = 100_000_000;

/// RGB pixels, one byte a channel, row by row from the top left.
///
/// Invariant: both sides are at least 1, and there are `3 × width × height` bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    width: u32,
    height: u32,
    pixels: Vec<u8>,
}

impl Picture {
    /// Takes `pixels` `[height, width, 3]` in row-major order.
    ///
    /// # Errors
    /// [`Error::PictureSize`] for a side of zero or too many pixels, [`Error::PixelCount`] for a wrong number of bytes.
    pub fn new(width: u32, height: u32, pixels: Vec<u8>) -> Result<Self, Error> {
        check_size(u64::from(width), u64::from(height))?;
        let expected = 3 * width as usize * height as usize;
        if pixels.len() != expected {
            return Err(Error::PixelCount { width, height, expected, actual: pixels.len() });
        }
        Ok(Self { width, height, pixels })
    }

    /// Pixels in a row.
    pub fn width(&self) -> u32 {
        self.width
    }

    /// Pixels in a column.
    pub fn height(&self) -> u32 {
        self.height
    }

    /// The bytes, `[height, width, 3]`.
    pub fn pixels(&self) -> &[u8] {
        &self.pixels
    }

    /// The three bytes of one pixel.
    #[cfg(test)]
    pub(crate) fn pixel(&self, row: usize, column: usize) -> [u8; 3] {
        let start = 3 * (row * self.width as usize + column);
        [self.pixels[start], self.pixels[start + 1], self.pixels[start + 2]]
    }
}

/// Refuses empty and oversized pictures before memory is taken for them.
pub(crate) fn check_size(width: u64, height: u64) -> Result<(), Error> {
    let fits = width.checked_mul(height).is_some_and(|pixels| pixels > 0 && pixels <= MAX_PIXELS);
    if fits { Ok(()) } else { Err(Error::PictureSize { width, height, limit: MAX_PIXELS }) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wrong_sizes_are_refused() {
        assert_eq!(
            Picture::new(2, 2, vec![0; 16]),
            Err(Error::PixelCount { width: 2, height: 2, expected: 12, actual: 16 })
        );
        assert!(matches!(Picture::new(0, 5, vec![]), Err(Error::PictureSize { .. })));
        assert!(matches!(Picture::new(u32::MAX, u32::MAX, vec![]), Err(Error::PictureSize { .. })));
    }
}
