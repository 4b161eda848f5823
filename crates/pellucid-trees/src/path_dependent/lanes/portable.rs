//! Arrays that the compiler puts into whatever registers the target has: 8 rows.

use super::{Job, Lanes};

pub(super) fn run(job: impl Job) {
    job.run::<Portable>();
}

/// One value a row. No closures: they may end up as calls.
macro_rules! lanes {
    ($i:ident => $value:expr) => {{
        let mut all = [Default::default(); 8];
        for $i in 0..8 {
            all[$i] = $value;
        }
        all
    }};
}

#[derive(Clone, Copy)]
struct Portable([f32; 8]);

impl Lanes for Portable {
    const N: usize = 8;
    type Mask = [u32; 8];

    #[inline(always)]
    fn splat(x: f32) -> Self {
        Self([x; 8])
    }
    #[inline(always)]
    fn load(from: &[f32]) -> Self {
        Self(lanes!(i => from[i]))
    }
    #[inline(always)]
    fn store(self, into: &mut [f32]) {
        into[..8].copy_from_slice(&self.0);
    }
    #[inline(always)]
    fn add(self, b: Self) -> Self {
        Self(lanes!(i => self.0[i] + b.0[i]))
    }
    #[inline(always)]
    fn sub(self, b: Self) -> Self {
        Self(lanes!(i => self.0[i] - b.0[i]))
    }
    #[inline(always)]
    fn mul(self, b: Self) -> Self {
        Self(lanes!(i => self.0[i] * b.0[i]))
    }
    #[inline(always)]
    fn mul_add(self, b: Self, c: Self) -> Self {
        // Without the instruction, `f32::mul_add` would be a slow call.
        if cfg!(any(target_arch = "aarch64", target_feature = "fma")) {
            return Self(lanes!(i => self.0[i].mul_add(b.0[i], c.0[i])));
        }
        Self(lanes!(i => self.0[i] * b.0[i] + c.0[i]))
    }
    #[inline(always)]
    fn at_most(self, b: Self, flip: u32) -> [u32; 8] {
        lanes!(i => if self.0[i] <= b.0[i] { !flip } else { flip })
    }
    #[inline(always)]
    fn all() -> [u32; 8] {
        [!0; 8]
    }
    #[inline(always)]
    fn and(a: [u32; 8], b: [u32; 8]) -> [u32; 8] {
        lanes!(i => a[i] & b[i])
    }
    #[inline(always)]
    fn and_not(a: [u32; 8], b: [u32; 8]) -> [u32; 8] {
        lanes!(i => a[i] & !b[i])
    }
    #[inline(always)]
    fn select(mask: [u32; 8], yes: Self, no: Self) -> Self {
        Self(lanes!(i => f32::from_bits((mask[i] & yes.0[i].to_bits()) | (!mask[i] & no.0[i].to_bits()))))
    }
    #[inline(always)]
    fn select_or_zero(mask: [u32; 8], yes: Self) -> Self {
        Self(lanes!(i => f32::from_bits(mask[i] & yes.0[i].to_bits())))
    }
}
