//! Rows side by side in SIMD registers: one trait, three kinds of register, chosen when the program runs.
#![allow(
    unsafe_code,
    reason = "the processor's instructions; each is called only below a check that it is there (`Level::available`)"
)]

// Each kind of register has a module of its own, so that the compiler makes their code side by side.
#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
mod portable;

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
        Level::Portable => portable::run(job),
        // SAFETY: `Level::available` gives these levels only where the processor has the instructions.
        #[cfg(target_arch = "x86_64")]
        Level::Avx2 => unsafe { avx2::run(job) },
        // SAFETY: as above.
        #[cfg(target_arch = "x86_64")]
        Level::Avx512 => unsafe { avx512::run(job) },
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
