//! Segments that know nothing of the image.

use ndarray::Array2;

use crate::error::Error;

/// `rows` × `columns` rectangles of nearly the same size, numbered from 0: `[height, width]`.
///
/// # Errors
/// More rectangles than pixels along an axis, or none.
pub fn grid(height: usize, width: usize, rows: usize, columns: usize) -> Result<Array2<usize>, Error> {
    if !(1..=height).contains(&rows) || !(1..=width).contains(&columns) {
        let reason =
            format!("{rows} × {columns} rectangles do not fit an image of {height} × {width} pixels");
        return Err(Error::setting("grid", reason));
    }
    Ok(Array2::from_shape_fn((height, width), |(y, x)| y * rows / height * columns + x * columns / width))
}
