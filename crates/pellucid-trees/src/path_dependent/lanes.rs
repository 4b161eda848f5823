//! Rows side by side in SIMD registers: one trait, three kinds of register, chosen when the program runs.
#![allow(
    unsafe_code,
    reason = "the processor's instructions; each is called only below a check that it is there (`Level::detect`)"
)]

/// Which instructions are used. All levels give the same values but for rounding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// What every processor of the target has: SSE2, NEON.
    Portable,
    /// AVX2 and FMA, 8 rows a register.
    #[cfg(target_arch = "x86_64")]
    Avx2,
    /// AVX-512, 16 rows a register.
    #[cfg(target_arch = "x86_64")]
    Avx512,
}

impl Level {
    /// The levels that this processor has, the fastest last.
    pub fn available() -> Vec<Self> {
        let mut levels = vec![Self::Portable];
        #[cfg(target_arch = "x86_64")]
        {
            if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
                levels.push(Self::Avx2);
            }
            if is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512dq") {
                levels.push(Self::Avx512);
            }
        }
        levels
    }
}

/// Work that can be done at any level.
pub(crate) trait Job {
    /// Does it with registers of one kind. Everything below must be `#[inline(always)]`, or the instructions are lost.
    fn run<L: Lanes>(self);
}

/// Does the job with the instructions of `level`.
pub(crate) fn dispatch(level: Level, job: impl Job) {
    match level {
        Level::Portable => job.run::<Portable>(),
        // SAFETY: `Level::available` gives these levels only where the processor has the instructions.
        #[cfg(target_arch = "x86_64")]
        Level::Avx2 => unsafe { x86::run_avx2(job) },
        // SAFETY: as above.
        #[cfg(target_arch = "x86_64")]
        Level::Avx512 => unsafe { x86::run_avx512(job) },
    }
}

/// f32 numbers of as many rows as a register holds.
pub(crate) trait Lanes: Copy + Send + Sync {
    /// How many.
    const N: usize;
    /// One bit for each row.
    type Mask: Copy;

    /// The same number for each row.
    fn splat(x: f32) -> Self;
    /// The first `N` of `from`.
    fn load(from: &[f32]) -> Self;
    /// Writes them to the first `N` of `into`.
    fn store(self, into: &mut [f32]);
    /// `self + b`.
    fn add(self, b: Self) -> Self;
    /// `self − b`.
    fn sub(self, b: Self) -> Self;
    /// `self · b`.
    fn mul(self, b: Self) -> Self;
    /// `self · b + c`.
    fn mul_add(self, b: Self, c: Self) -> Self;
    /// `self <= b`, turned into its contrary where `flip` is all ones instead of 0.
    fn at_most(self, b: Self, flip: u32) -> Self::Mask;
    /// All rows.
    fn all() -> Self::Mask;
    /// `a ∧ b`.
    fn and(a: Self::Mask, b: Self::Mask) -> Self::Mask;
    /// `a ∧ ¬b`.
    fn and_not(a: Self::Mask, b: Self::Mask) -> Self::Mask;
    /// `yes` where the mask is set, else `no`.
    fn select(mask: Self::Mask, yes: Self, no: Self) -> Self;
    /// `yes` where the mask is set, else 0.
    fn select_or_zero(mask: Self::Mask, yes: Self) -> Self;
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

/// Arrays that the compiler puts into whatever registers the target has.
#[derive(Clone, Copy)]
pub(crate) struct Portable([f32; 8]);

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

#[cfg(target_arch = "x86_64")]
mod x86 {
    use std::arch::x86_64::*;

    use super::{Job, Lanes};

    #[target_feature(enable = "avx2,fma")]
    pub(super) fn run_avx2(job: impl Job) {
        job.run::<Avx2>();
    }

    #[target_feature(enable = "avx512f,avx512dq")]
    pub(super) fn run_avx512(job: impl Job) {
        job.run::<Avx512>();
    }

    #[derive(Clone, Copy)]
    pub(super) struct Avx2(__m256);

    #[derive(Clone, Copy)]
    pub(super) struct Avx512(__m512);

    // SAFETY, for all blocks below: these types are used only inside `run_avx2` and `run_avx512`, which are called only
    // where the processor has the instructions; loads and stores go through slices of a checked length.
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
}
