//! The canonical digest of a row's input: what randomness is keyed by, and what a record names an input with.

use ndarray::ArrayViewD;
use sha2::{Digest, Sha256};

/// SHA-256 of a row: the bytes `f32`, the number of axes and each length as little-endian u64, then the elements as
/// little-endian f32 in row-major order, with every NaN written as 0x7FC00000 and −0 as 0.
pub fn row_digest(row: ArrayViewD<'_, f32>) -> [u8; 32] {
    let elements = row.iter().map(|&x| if x.is_nan() { f32::from_bits(0x7FC0_0000) } else { x + 0.0 });
    digest(b"f32", row.shape(), elements.map(f32::to_le_bytes))
}

/// The same of a row in f64: the bytes `f64`, and every NaN as 0x7FF8000000000000.
pub fn row_digest_f64(row: ArrayViewD<'_, f64>) -> [u8; 32] {
    let elements =
        row.iter().map(|&x| if x.is_nan() { f64::from_bits(0x7FF8_0000_0000_0000) } else { x + 0.0 });
    digest(b"f64", row.shape(), elements.map(f64::to_le_bytes))
}

/// The elements come with NaN and −0 replaced.
fn digest<const N: usize>(kind: &[u8], shape: &[usize], elements: impl Iterator<Item = [u8; N]>) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(kind);
    hash.update((shape.len() as u64).to_le_bytes());
    for &length in shape {
        hash.update((length as u64).to_le_bytes());
    }
    for element in elements {
        hash.update(element);
    }
    hash.finalize().into()
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
        let wide = |x: f64| row_digest_f64(arr1(&[x, 1.0]).into_dyn().view());
        assert_eq!(wide(0.0), wide(-0.0));
        assert_eq!(wide(f64::NAN), wide(-f64::NAN));
        assert_ne!(wide(1.0), digest(1.0));
    }

    /// Records name inputs by these bytes: they may never change.
    #[test]
    fn digests_hash_the_specified_bytes() {
        let mut bytes = b"f32".to_vec();
        bytes.extend([1_u64.to_le_bytes(), 3_u64.to_le_bytes()].concat());
        bytes.extend([0.0_f32.to_le_bytes(), 0x7FC0_0000_u32.to_le_bytes(), 1.5_f32.to_le_bytes()].concat());
        let expected: [u8; 32] = Sha256::digest(&bytes).into();
        assert_eq!(row_digest(arr1(&[-0.0_f32, -f32::NAN, 1.5]).into_dyn().view()), expected);
    }

    #[test]
    fn shape_counts() {
        let flat = arr1(&[1.0f32, 2.0]);
        let column = flat.clone().into_shape_with_order((2, 1)).expect("same count");
        assert_ne!(row_digest(flat.into_dyn().view()), row_digest(column.into_dyn().view()));
    }
}
