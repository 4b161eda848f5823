//! The canonical digest of a row's input: what randomness is keyed by, and what a record names an input with.

use ndarray::ArrayViewD;
use sha2::{Digest, Sha256};

/// SHA-256 of a row: the bytes `f32`, the number of axes and each length as little-endian u64, then the elements as
/// little-endian f32 in row-major order, with every NaN written as 0x7FC00000 and −0 as 0.
pub fn row_digest(row: ArrayViewD<'_, f32>) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(b"f32");
    hash.update((row.ndim() as u64).to_le_bytes());
    for &length in row.shape() {
        hash.update((length as u64).to_le_bytes());
    }
    for &element in &row {
        hash.update(canonical(element).to_le_bytes());
    }
    hash.finalize().into()
}

fn canonical(x: f32) -> f32 {
    if x.is_nan() {
        f32::from_bits(0x7FC0_0000)
    } else if x == 0.0 {
        0.0
    } else {
        x
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::arr1;

    #[test]
    fn equal_numbers_have_equal_digests() {
        let digest = |x: f32| row_digest(arr1(&[x, 1.0]).into_dyn().view());
        assert_eq!(digest(0.0), digest(-0.0));
        assert_eq!(digest(f32::NAN), digest(-f32::NAN));
        assert_ne!(digest(0.0), digest(f32::MIN_POSITIVE));
    }

    #[test]
    fn shape_counts() {
        let flat = arr1(&[1.0f32, 2.0]);
        let column = flat.clone().into_shape_with_order((2, 1)).expect("same count");
        assert_ne!(row_digest(flat.into_dyn().view()), row_digest(column.into_dyn().view()));
    }
}
