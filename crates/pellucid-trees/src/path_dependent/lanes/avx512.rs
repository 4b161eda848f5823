//! AVX-512: 16 rows a register.

use std::arch::x86_64::*;

use super::{Job, Lanes};

#[target_feature(enable = "avx512f,avx512dq")]
pub(super) fn run(job: impl Job) {
    job.run::<Avx512>();
}

#[derive(Clone, Copy)]
struct Avx512(__m512);

// SAFETY, for all blocks below: this type is used only inside `run`, which is called only where the processor has the instructions;
// loads and stores go through slices of a checked length.
impl Lanes for Avx512 {
    const N: usize = 16;
    type Mask = __mmask16;

    #[inline(always)]
    fn splat(x: f32) -> Self {
        Self(unsafe { _mm512_set1_ps(x) })
    }
    #[inline(always)]
    fn load(from: &[f32]) -> Self {
        let from = &from[..16];
        Self(unsafe { _mm512_loadu_ps(from.as_ptr()) })
    }
    #[inline(always)]
    fn store(self, into: &mut [f32]) {
        let into = &mut into[..16];
        unsafe { _mm512_storeu_ps(into.as_mut_ptr(), self.0) }
    }
    #[inline(always)]
    fn add(self, b: Self) -> Self {
        Self(unsafe { _mm512_add_ps(self.0, b.0) })
    }
    #[inline(always)]
    fn sub(self, b: Self) -> Self {
        Self(unsafe { _mm512_sub_ps(self.0, b.0) })
    }
    #[inline(always)]
    fn mul(self, b: Self) -> Self {
        Self(unsafe { _mm512_mul_ps(self.0, b.0) })
    }
    #[inline(always)]
    fn mul_add(self, b: Self, c: Self) -> Self {
        Self(unsafe { _mm512_fmadd_ps(self.0, b.0, c.0) })
    }
    #[inline(always)]
    fn at_most(self, b: Self, flip: u32) -> __mmask16 {
        unsafe { _mm512_cmp_ps_mask::<_CMP_LE_OQ>(self.0, b.0) ^ flip as __mmask16 }
    }
    #[inline(always)]
    fn all() -> __mmask16 {
        !0
    }
    #[inline(always)]
    fn and(a: __mmask16, b: __mmask16) -> __mmask16 {
        a & b
    }
    #[inline(always)]
    fn and_not(a: __mmask16, b: __mmask16) -> __mmask16 {
        a & !b
    }
    #[inline(always)]
    fn select(mask: __mmask16, yes: Self, no: Self) -> Self {
        Self(unsafe { _mm512_mask_blend_ps(mask, no.0, yes.0) })
    }
    #[inline(always)]
    fn select_or_zero(mask: __mmask16, yes: Self) -> Self {
        Self(unsafe { _mm512_maskz_mov_ps(mask, yes.0) })
    }
}
