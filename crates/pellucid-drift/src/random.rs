//! Draws without replacement.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::Rng;

/// Moves `n` items that are drawn without replacement to the front (the first steps of Fisher and Yates). Panics where there are fewer.
pub(crate) fn choose_first<T>(items: &mut [T], n: usize, generator: &mut ChaCha8Rng) {
    for i in 0..n {
        let left = (items.len() - i) as u128;
        // The high half of a product of 64 bits: as good as uniform for lengths far below 2^64.
        let step = (u128::from(generator.next_u64()) * left) >> 64;
        items.swap(i, i + step as usize);
    }
}
