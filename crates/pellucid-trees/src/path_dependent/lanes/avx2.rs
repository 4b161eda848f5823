//! AVX2 and FMA: 8 rows a register.

use std::arch::x86_64::*;

use super::{Job, Lanes};

#[target_feature(enable = "avx2,fma")]
pub(super) fn run(job: impl Job) {
    job.run::<Avx2>();
}

#[derive(Clone, Copy)]
struct Avx2(__m256);

// SAFETY, for all blocks below: this type is used only inside `run`, which is called only where the processor has the instructions;
// loads and stores go through slices of a checked length.
impl Lanes for Avx2 {
    const N: usize = 8;
    type Mask = __m256;

    #[inline(always)]
    fn splat(x: f32) -> Self {
        Self(unsafe { _mm256_set1_ps(x) })
    }
    #[inline(always)]
    fn load(from: &[f32]) -> Self {
        let from = &from[..8];
        Self(unsafe { _mm256_loadu_ps(from.as_ptr()) })
    }
    #[inline(always)]
    fn store(self, into: &mut [f32]) {
        let into = &mut into[..8];
        unsafe { _mm256_storeu_ps(into.as_mut_ptr(), self.0) }
    }
    #[inline(always)]
    fn add(self, b: Self) -> Self {
        Self(unsafe { _mm256_add_ps(self.0, b.0) })
    }
    #[inline(always)]
    fn sub(self, b: Self) -> Self {
        Self(unsafe { _mm256_sub_ps(self.0, b.0) })
    }
    #[inline(always)]
    fn mul(self, b: Self) -> Self {
        Self(unsafe { _mm256_mul_ps(self.0, b.0) })
    }
    #[inline(always)]
    fn mul_add(self, b: Self, c: Self) -> Self {
        Self(unsafe { _mm256_fmadd_ps(self.0, b.0, c.0) })
    }
    #[inline(always)]
    fn at_most(self, b: Self, flip: u32) -> __m256 {
        unsafe {
            let flip = _mm256_castsi256_ps(_mm256_set1_epi32(flip as i32));
            _mm256_xor_ps(_mm256_cmp_ps::<_CMP_LE_OQ>(self.0, b.0), flip)
        }
    }
    #[inline(always)]
    fn all() -> __m256 {
        unsafe { _mm256_castsi256_ps(_mm256_set1_epi32(-1)) }
    }
    #[inline(always)]
    fn and(a: __m256, b: __m256) -> __m256 {
        unsafe { _mm256_and_ps(a, b) }
    }
    #[inline(always)]
    fn and_not(a: __m256, b: __m256) -> __m256 {
        unsafe { _mm256_andnot_ps(b, a) }
    }
    #[inline(always)]
    fn select(mask: __m256, yes: Self, no: Self) -> Self {
        Self(unsafe { _mm256_blendv_ps(no.0, yes.0, mask) })
    }
    #[inline(always)]
    fn select_or_zero(mask: __m256, yes: Self) -> Self {
        Self(unsafe { _mm256_and_ps(mask, yes.0) })
    }
}
