//! The files of the pages, as they lie in the binary.

use std::sync::LazyLock;

use sha2::{Digest, Sha256};

/// A file of the pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Asset {
    /// What is in it.
    pub bytes: &'static [u8],
    /// The value of `Content-Type`.
    pub content_type: &'static str,
    /// The value of `ETag`, with its quotation marks.
    pub etag: &'static str,
}

macro_rules! files {
    ($($path:literal),* $(,)?) => {
        &[$(($path, include_bytes!(concat!("../assets/", $path)))),*]
    };
}

const FILES: &[(&str, &[u8])] = files![
    "index.html",
    "app.css",
    "app.js",
    "api.js",
    "badge.js",
    "chart.js",
    "dom.js",
    "favicon.svg",
    "form.js",
    "format.js",
    "proof.js",
    "reading.js",
    "table.js",
    "theme.js",
    "screens/audit.js",
    "screens/cohorts.js",
    "screens/compared.js",
    "screens/drift.js",
    "screens/explanation.js",
    "screens/explorer.js",
    "screens/global.js",
    "screens/jobs.js",
    "screens/misclassified.js",
    "screens/overview.js",
    "screens/prediction.js",
    "screens/series.js",
    "vendor/chart.umd.min.js",
    "vendor/LICENSE.md",
];

static ETAGS: LazyLock<Vec<String>> = LazyLock::new(|| {
    let etag = |bytes: &[u8]| {
        let digest = Sha256::digest(bytes);
        format!("\"{}\"", digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect::<String>())
    };
    FILES.iter().map(|(_, bytes)| etag(bytes)).collect()
});

/// The file at this path behind `/dashboard/`; the empty path is the first page.
///
/// ```
/// let page = pellucid_dashboard::asset("").expect("there is a first page");
/// assert_eq!(page.content_type, "text/html; charset=utf-8");
/// assert_eq!(pellucid_dashboard::asset("../Cargo.toml"), None);
/// ```
#[must_use]
pub fn asset(path: &str) -> Option<Asset> {
    let path = if path.is_empty() { "index.html" } else { path };
    let place = FILES.iter().position(|(name, _)| *name == path)?;
    let (name, bytes) = FILES[place];
    Some(Asset { bytes, content_type: content_type(name), etag: &ETAGS[place] })
}

fn content_type(name: &str) -> &'static str {
    match name.rsplit_once('.').map(|(_, ending)| ending) {
        Some("html") => "text/html; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("css") => "text/css; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        _ => "text/plain; charset=utf-8",
    }
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};

    use super::*;

    fn folder() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("assets")
    }

    /// A file that is not listed would be missing from the binary alone.
    #[test]
    fn every_file_is_in_the_binary() {
        let mut found = Vec::new();
        let mut folders = vec![folder()];
        while let Some(below) = folders.pop() {
            for entry in std::fs::read_dir(below).expect("a folder").flatten() {
                match entry.path() {
                    path if path.is_dir() => folders.push(path),
                    path => found.push(path.strip_prefix(folder()).expect("below").display().to_string()),
                }
            }
        }
        found.retain(|name| name != "vendor/README.md");
        found.sort();
        let mut listed: Vec<&str> = FILES.iter().map(|(name, _)| *name).collect();
        listed.sort_unstable();
        assert_eq!(found, listed);
    }

    #[test]
    fn vendored_files_are_those_that_were_recorded() {
        let recorded = std::fs::read_to_string(folder().join("vendor/README.md")).expect("a record");
        for (name, bytes) in FILES.iter().filter(|(name, _)| name.starts_with("vendor/")) {
            let digest: String = Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect();
            assert!(
                recorded.contains(&digest),
                "{name} has SHA-256 {digest}: vendor/README.md does not say so"
            );
        }
    }

    /// What the content policy of the server would refuse, or what would write data as markup.
    #[test]
    fn pages_keep_the_content_policy() {
        let own = FILES.iter().filter(|(name, _)| !name.starts_with("vendor/"));
        for (name, bytes) in own {
            let text = std::str::from_utf8(bytes).expect("UTF-8");
            let refused = [
                "innerHTML",
                "outerHTML",
                "insertAdjacentHTML",
                "document.write",
                "eval(",
                "new Function",
                "<style",
                " style=\"",
                " onclick=",
                " onload=",
                "https://",
                "javascript:",
            ];
            for word in refused {
                assert!(!text.contains(word), "{name} has `{word}`");
            }
            let inline = text.match_indices("<script").any(|(at, _)| {
                !text[at..].starts_with("<script src=")
                    && !text[at..].starts_with("<script type=\"module\" src=")
            });
            assert!(!inline, "{name} has an inline script");
        }
    }

    #[test]
    fn files_change_their_etag_with_their_content() {
        let etags: std::collections::BTreeSet<&str> =
            FILES.iter().filter_map(|(name, _)| asset(name)).map(|it| it.etag).collect();
        assert_eq!(etags.len(), FILES.len());
        assert_eq!(asset("app.css").map(|it| it.content_type), Some("text/css; charset=utf-8"));
    }
}
