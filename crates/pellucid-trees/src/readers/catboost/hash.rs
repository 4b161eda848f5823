//! What CatBoost calls a category: 32 bits of a hash of its text.

use std::collections::BTreeMap;

/// The whole numbers that are known by their hash: those of at most three digits.
const N_KNOWN: u32 = 1000;

/// Hash → number, of the whole numbers from 0 to 999.
pub(super) fn whole_numbers() -> BTreeMap<u32, u32> {
    (0..N_KNOWN).map(|number| (hash(number.to_string().as_bytes()), number)).collect()
}

/// The lower half of CityHash64, version 1.0 (Pike and Alakuijala 2011), of a text `s` of n = 1, 2 or 3 bytes:
/// `mix(y·k₂ ⊕ z·k₃)·k₂` with `mix(v) = v ⊕ ⌊v / 2⁴⁷⌋`, `y = s₀ + 2⁸·s₍ₙ⁄₂₎`, `z = n + 4·s₍ₙ₋₁₎`.
fn hash(s: &[u8]) -> u32 {
    const K2: u64 = 0x9ae1_6a3b_2f90_404f;
    const K3: u64 = 0xc949_d7c7_509e_6557;
    let n = s.len();
    let at = |place: usize| u64::from(s[place]);
    let (y, z) = (at(0) + (at(n / 2) << 8), n as u64 + (at(n - 1) << 2));
    let v = y.wrapping_mul(K2) ^ z.wrapping_mul(K3);
    (v ^ (v >> 47)).wrapping_mul(K2) as u32
}
