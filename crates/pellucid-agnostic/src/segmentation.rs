#![doc = include_str!("segmentation.md")]

mod grid;
mod lab;
mod quickshift;
mod slic;

pub use grid::grid;
pub use quickshift::{Quickshift, quickshift};
pub use slic::{Slic, slic};

use std::collections::BTreeMap;

use ndarray::{Array2, ArrayView3};

use crate::error::Error;

/// Refuses what is no image `[height, width, channels]`.
fn check_image(image: ArrayView3<'_, f64>) -> Result<(), Error> {
    if image.is_empty() {
        return Err(Error::shape("image", "[height, width, channels], none of them 0", image.shape()));
    }
    match image.indexed_iter().find(|(_, value)| !value.is_finite()) {
        Some(((y, x, channel), &value)) => {
            Err(Error::NotFinite { what: "image", value, index: vec![y, x, channel] })
        }
        None => Ok(()),
    }
}

/// The same segments, numbered from 0 in the order of their first pixel.
fn renumbered(labels: &Array2<usize>) -> Array2<usize> {
    let mut numbers = BTreeMap::new();
    labels.mapv(|label| {
        let next = numbers.len();
        *numbers.entry(label).or_insert(next)
    })
}

#[cfg(test)]
mod tests;
