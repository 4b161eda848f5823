//! The processor, as far as results can depend on it: runtimes choose their kernels by these features.

/// The architecture and those of its features by which runtimes choose their kernels: `x86_64 avx2 fma avx512f`.
pub fn cpu_features() -> String {
    let mut words = vec![std::env::consts::ARCH];
    words.extend(detected());
    words.join(" ")
}

#[cfg(target_arch = "x86_64")]
fn detected() -> Vec<&'static str> {
    let found = [
        ("avx", is_x86_feature_detected!("avx")),
        ("avx2", is_x86_feature_detected!("avx2")),
        ("fma", is_x86_feature_detected!("fma")),
        ("avx512f", is_x86_feature_detected!("avx512f")),
        ("avx512bw", is_x86_feature_detected!("avx512bw")),
        ("avx512vl", is_x86_feature_detected!("avx512vl")),
    ];
    found.into_iter().filter_map(|(name, present)| present.then_some(name)).collect()
}

#[cfg(target_arch = "aarch64")]
fn detected() -> Vec<&'static str> {
    let found = [
        ("neon", std::arch::is_aarch64_feature_detected!("neon")),
        ("fp16", std::arch::is_aarch64_feature_detected!("fp16")),
        ("bf16", std::arch::is_aarch64_feature_detected!("bf16")),
        ("sve", std::arch::is_aarch64_feature_detected!("sve")),
    ];
    found.into_iter().filter_map(|(name, present)| present.then_some(name)).collect()
}

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
fn detected() -> Vec<&'static str> {
    Vec::new()
}

/// `; x86_64 avx2 fma; 2 threads`: what stands behind name and version in a fingerprint.
pub(crate) fn fingerprint_tail(threads: usize) -> String {
    let plural = if threads == 1 { "" } else { "s" };
    format!("; {}; {threads} thread{plural}", cpu_features())
}
